"""`lakemon report` after a real run: what tables and ledger say stands on the page."""

import base64
import gzip
import json
import re
from dataclasses import replace

import numpy as np
import pytest

from lakemon_core.domain.rule import Rule
from lakemon_core.lifecycle.analyze import judge_rules
from lakemon_core.lifecycle.signalling.table import SignalTable
from lakemon_core.pipeline.result import RunRequest
from lakemon_core.pipeline.session import open_session


@pytest.fixture(scope="module")
def shop(copy_of_shop):
    """A shop of this module alone: its last run is its first."""
    return copy_of_shop()


@pytest.fixture(scope="module")
def told(shop):
    """What the command answers."""
    return shop.json("report", "--output-file", "page.html")


@pytest.fixture(scope="module")
def html(shop, told):
    return (shop.folder / "page.html").read_text(encoding="utf-8")


def rows(html):
    """The heat map's rows, by column."""
    packed = re.search(r'id="packed">([^<]*)<', html)[1]
    (view,) = json.loads(gzip.decompress(base64.b64decode(packed)))["views"]
    return {row["name"]: row for row in view["rows"]}


def test_the_command_says_how_the_model_stands_and_where_the_page_lies(shop, told):
    still_open = [one for one in shop.first["incidents"] if one["status"] == "open"]
    assert still_open
    assert told["state"] == "incident"
    assert told["sentence"] == f"{len(still_open)} critical incidents open."
    assert told["file"] == str(shop.folder / "page.html")
    assert told["bytes"] == (shop.folder / "page.html").stat().st_size


def test_every_finding_and_every_opening_stands_on_the_page(shop, html):
    plain = html.replace("&gt;", ">").replace("&lt;", "<").replace("&#39;", "'")
    for finding in shop.first["findings"]:
        assert finding["title"] in plain
    assert plain.count("<strong>opened</strong>") == len(shop.first["incidents"])


def test_the_heat_map_shows_the_drift_of_the_tables(shop, html):
    drift = shop.table("mlops_dev.monitoring.inference_logs_drift_metrics").to_pylist()
    wanted = [
        row["population_stability_index"]
        for row in sorted(drift, key=lambda row: row["window"]["start"])
        if row["column_name"] == "amount" and row["drift_type"] == "BASELINE"
        and row["version"] == "*" and row["slice_key"] is None
    ]  # fmt: skip
    row = rows(html)["amount"]
    assert row["statistic"] == "PSI"
    assert row["limit"] == 0.2
    np.testing.assert_allclose(row["value"], wanted, rtol=0.005)
    assert row["status"][-1] == "b"


def test_distributions_are_those_of_the_rows(html, shop_data):
    amount = shop_data["training"].to_pandas()["amount"].dropna()
    shown = rows(html)["amount"]["shape"]
    np.testing.assert_allclose(shown["baseline"], np.quantile(amount, np.linspace(0, 1, 21)), rtol=0.01)
    city = shop_data["training"].to_pandas()["city"].value_counts(normalize=True)
    levels = rows(html)["city"]["shape"]
    assert levels["levels"] == list(city.index)
    np.testing.assert_allclose(levels["baseline"], 1000 * city.to_numpy(), atol=0.51)


def test_the_model_type_shows_its_panels(html, shop):
    assert "Do probabilities mean what they say?" in html
    logs = shop.table("mlops_dev.shop.inference_logs").to_pandas()
    last = logs[logs["at"] >= "2026-03-07"].dropna(subset=["churned"])
    right = (last["predicted"] == last["churned"]).sum()
    assert f"Window of 2026-03-07: {right:,} of {len(last):,} rows with a label lie on the diagonal." in html


PLUGIN = """
from lakemon_core import hookimpl
from lakemon_core.domain.panels import NumberPanel


class Whole:
    @hookimpl
    def lakemon_report_panels(self, context):
        return [NumberPanel("whole.rows", "Signals", len(context.signals), unit=context.settings["unit"])]


class Broken:
    @hookimpl
    def lakemon_report_panels(self, context):
        raise KeyError("</h4><b>nothing")
"""


def test_plugins_show_their_panels_and_a_broken_one_its_error(shop, html, tmp_path, monkeypatch):
    info = tmp_path / "of_a_team-1.0.dist-info"
    info.mkdir()
    (tmp_path / "of_a_team.py").write_text(PLUGIN)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: of-a-team\nVersion: 1.0\n")
    entries = "[lakemon.plugins]\nwhole = of_a_team:Whole\nbroken = of_a_team:Broken\n"
    (info / "entry_points.txt").write_text(entries)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    config = (shop.folder / "monitoring_config.yml").read_text()
    (shop.folder / "with.yml").write_text(config + "plugins: {settings: {whole: {unit: numbers}}}\n")
    shop.lakemon("report", "with.yml", "--output-file", "with.html")
    told = (shop.folder / "with.html").read_text(encoding="utf-8")
    signals = len(shop.table("mlops_dev.monitoring.inference_logs_signals"))
    assert f'class="figure">{signals:,} <span class="unit">numbers' in told
    assert "<strong>This panel is broken:</strong> KeyError: &#39;&lt;/h4&gt;&lt;b&gt;nothing&#39;." in told
    assert 'id="panels"' not in html


def test_since_leaves_earlier_windows_out(shop):
    shop.lakemon("report", "--since", "2026-03-06", "--output-file", "late.html")
    late = (shop.folder / "late.html").read_text(encoding="utf-8")
    assert len(rows(late)["amount"]["value"]) == 2
    assert "2026-03-03" not in late


def test_one_version_is_told_alone(shop):
    shop.lakemon("report", "--model", "2", "--output-file", "two.html")
    two = (shop.folder / "two.html").read_text(encoding="utf-8")
    assert "version 2" in two
    assert len(rows(two)["amount"]["value"]) == 6


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--model", "7"], 2, "LM180"),
        (["--since", "yesterday"], 2, "LM180"),
        (["--output-file", "nowhere/page.html"], 3, "LM640"),
        (["--charts", "monitoring_config.yml/pictures"], 3, "LM641"),
    ],
)
def test_what_cannot_be_told_is_said(shop, arguments, code, said):
    error = shop.json("report", *arguments, code=code)["error"]
    assert error["code"] == said


def test_a_report_changes_nothing(shop, told):
    before = shop.versions()
    shop.lakemon("report")
    assert shop.versions() == before
    assert (shop.folder / "report.html").exists()


@pytest.fixture(scope="module")
def context(shop):
    """The shop, opened in this process."""
    request = RunRequest(shop.folder / "monitoring_config.yml", None, no_plugins=True)
    with open_session(request) as session:
        yield session.context("test")


RULES = {
    "of the config": (),
    "with statistics of their own": (
        Rule("feature_drift", 0.1, statistic="tv_distance"), Rule("label_drift", 0.1, compare="previous"),
        Rule("prediction_drift", 0.01), Rule("feature_drift.city", 0.01, statistic="chi_squared_test"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", RULES)
def test_a_report_judges_what_a_run_judges_and_reads_less(context, kind):
    monitoring = replace(context.monitor.monitoring, rules=RULES[kind] or context.monitor.monitoring.rules)
    asked = replace(context, monitor=replace(context.monitor, monitoring=monitoring))
    whole, lean = judge_rules(asked), judge_rules(asked, is_lean=True)
    assert lean.verdicts == whole.verdicts
    assert any(one.status == "breached" for one in lean.verdicts)
    assert 0 < len(lean.signals) < len(whole.signals)


def test_signals_come_back_as_they_lie_in_the_table(context, shop):
    rows = shop.table("mlops_dev.monitoring.inference_logs_signals")
    by_window = sorted(rows.to_pylist(), key=lambda row: (row["window"] is None, row["window"]["start"]))
    found = SignalTable(context).load()
    assert len(found) == len(by_window)
    for signal, row in zip(found, by_window, strict=True):
        assert (signal.window.start, signal.window.end) == (row["window"]["start"], row["window"]["end"])
        assert (signal.name, signal.model_id, signal.reason) == (
            row["signal"], row["version"], row["reason"] or "",
        )  # fmt: skip
        for name in ("column", "statistic", "compare", "value", "n", "baseline", "method", "table_version"):
            assert getattr(signal, name) == row[name]


def test_before_the_first_run_nothing_is_known(fresh_shop):
    assert fresh_shop.json("report")["state"] == "not known"
