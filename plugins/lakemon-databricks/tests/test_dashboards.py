"""Our dashboard in the workspace: published once, changed when it differs, found again."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
from fakes.databricks import FakeWorkspace, faults
from lakemon_databricks.dashboards import Dashboards
from lakemon_databricks.dashboards.page import Board, page
from lakemon_databricks.dashboards.widgets import chart_widget

from lakemon_core.domain import charts
from lakemon_core.domain.names import TableName
from lakemon_core.domain.rule import Rule
from lakemon_core.profiling.schemas import signals_schema

SIGNALS = TableName("prod", "monitoring", "inference_logs_signals")
BOARD = Board(
    SIGNALS, "model_version", "1 day", ["accuracy", "roc_auc", "bias"], "flights",
    [Rule("roc_auc", 0.7), Rule("feature_drift", 0.3)], frozenset({"bias"}),
)  # fmt: skip
PAGE = page(BOARD)


@pytest.fixture
def dashboards(signed_in: FakeWorkspace, open_databricks) -> Dashboards:
    signed_in.lake.create_schema("prod.flights")
    return open_databricks()._dashboards


def sent(workspace: FakeWorkspace) -> list[str]:
    calls = [call.request for call in workspace.journal.to("*", "*lakeview*") if call.status < 400]
    return [f"{one.method} {one.path.rpartition('/')[2]}" for one in calls if one.method != "GET"]


def test_it_is_published_and_its_url_known(dashboards, signed_in):
    assert dashboards.url is None
    dashboards.bring_up(PAGE)
    assert sent(signed_in) == ["POST dashboards", "POST published"]
    assert dashboards.url.startswith(f"{signed_in.host}/dashboardsv3/")


def test_the_same_again_sends_nothing(dashboards, signed_in):
    dashboards.bring_up(PAGE)
    before, url = sent(signed_in), dashboards.url
    dashboards.bring_up(PAGE)
    assert (sent(signed_in), dashboards.url) == (before, url)


def test_another_page_changes_the_same_dashboard(dashboards, signed_in):
    dashboards.bring_up(PAGE)
    url = dashboards.url
    dashboards.bring_up(page(replace(BOARD, quality=["rmse"])))
    assert [one.split()[0] for one in sent(signed_in)] == ["POST", "POST", "PATCH", "POST"]
    assert dashboards.url == url


def test_an_answer_that_is_lost_makes_no_second_dashboard(dashboards, signed_in):
    dashboards.client.workspace.mkdirs(dashboards.folder)
    signed_in.faults.on("POST", "/api/2.0/lakeview/dashboards", faults.loses_the_answer(), times=1)
    dashboards.bring_up(PAGE)
    assert len(list(dashboards.client.lakeview.list())) == 1
    assert dashboards.url


def test_an_answer_without_an_id_is_looked_up_by_name(dashboards, signed_in):
    dashboards.client.workspace.mkdirs(dashboards.folder)
    nothing = faults.rewrites(lambda answer: replace(answer, body=b"{}"))
    signed_in.faults.on("POST", "/api/2.0/lakeview/dashboards", nothing, times=1)
    dashboards.bring_up(PAGE)
    (made,) = dashboards.client.lakeview.list()
    assert dashboards.url == f"{signed_in.host}/dashboardsv3/{made.dashboard_id}/published"


DAY = datetime(2026, 3, 2, tzinfo=UTC)


def signal(column, name, statistic, value, day=0, compare="baseline", **known):
    start = DAY + timedelta(days=day)
    return {
        "window": {"start": start, "end": start + timedelta(days=1)}, "granularity": "1 day",
        "model_version": "*", "column": column, "signal": name, "statistic": statistic, "value": value,
        "compare": compare, "n": 100, "baseline": 0.8,
    } | known  # fmt: skip


ROWS = [
    signal("amount", "feature_drift", "ks_test", 0.9),
    signal("amount", "feature_drift", "psi", 0.6),
    signal("amount", "feature_drift", "js_distance", 0.5),
    signal("city", "feature_drift", "psi", 9.0),
    signal("city", "feature_drift", "js_distance", 0.15),
    signal("proba", "prediction_drift", "ks_test", 0.9),
    signal("proba", "prediction_drift", "psi", 0.1),
    signal("amount", "feature_drift", "psi", 99.0, granularity="1 week"),
    signal(":table", "roc_auc", "roc_auc", 0.65, compare=None, lower=0.6, upper=0.7),
    signal(":table", "roc_auc", "roc_auc", 0.75, day=1, compare=None),
    signal(":table", "roc_auc", "roc_auc", 0.5, compare=None, slice_key="origin", slice_value="JFK"),
    signal(":table", "roc_auc", "roc_auc", 0.4, day=-1, compare=None, slice_key="origin", slice_value="EWR"),
]


@pytest.fixture
def answers(signed_in, open_databricks):
    """What each query of the page answers."""
    signed_in.lake.create_schema("prod.monitoring")
    backend = open_databricks()
    schema = signals_schema("model_version")
    backend.tables.append(SIGNALS, pa.Table.from_pylist(ROWS, schema=schema))
    return {
        one["name"]: backend.statements.read("".join(one["queryLines"])).to_pylist()
        for one in json.loads(PAGE)["datasets"]
    }


def test_drift_stands_in_parts_of_the_limits_of_its_rules(answers):
    parts = {row["column"]: row["part"] for row in answers["drift"]}
    assert parts == pytest.approx({"amount": 2.0, "city": 0.5, "proba": 0.5})


def test_a_trend_has_the_fields_of_the_chart(answers):
    assert [(row["value"], row["limit"], row["baseline"]) for row in answers["trend_roc_auc"]] == [
        (0.65, 0.7, 0.8), (0.75, 0.7, 0.8),
    ]  # fmt: skip
    assert (answers["trend_roc_auc"][0]["lower"], answers["trend_accuracy"]) == (0.6, [])


def test_slices_are_those_of_the_newest_window_that_has_any(answers):
    assert [(row["name"], row["value"]) for row in answers["split"]] == [("origin = JFK", 0.5)]


def test_every_widget_shows_fields_of_its_query_only(answers):
    document = json.loads(PAGE)
    texts = {dataset["name"]: "".join(dataset["queryLines"]) for dataset in document["datasets"]}
    shown = [placed["widget"] for placed in document["pages"][0]["layout"]]
    assert len({widget["name"] for widget in shown}) == len(shown) == len(texts)
    for widget in shown:
        query = widget["queries"][0]["query"]
        names = [one["name"] for one in query["fields"]]
        encoded = re.findall(r'"fieldName": "([^"]+)"', json.dumps(widget["spec"]))
        assert sorted(names) == sorted(encoded)
        for row in answers[query["datasetName"]]:
            assert set(names) <= row.keys()


def test_widgets_lie_beside_each_other(answers):
    places = [one["position"] for one in json.loads(PAGE)["pages"][0]["layout"]]
    cells = [
        (x, y)
        for place in places
        for x in range(place["x"], place["x"] + place["width"])
        for y in range(place["y"], place["y"] + place["height"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) == 5


KINDS = {
    "trend": (charts.trend("t"), "line", ["value", "baseline", "limit"]),
    "drift map": (charts.drift_map("t"), "heatmap", ["window", "column", "part"]),
    "drift lines": (charts.drift_lines("t"), "line", ["window", "value", "column"]),
    "split": (charts.split("t"), "bar", ["value", "name"]),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_definition_has_a_counterpart(kind):
    chart, wanted, fields = KINDS[kind]
    spec = chart_widget(chart, "data")["spec"]
    assert (spec["widgetType"], spec["frame"]["title"]) == (wanted, "t")
    encodings = spec["encodings"]
    found = [one["fieldName"] for part in encodings.values() for one in part.get("fields", [part])]
    assert [name for name in found if name in fields] == fields


def test_a_chart_that_has_no_counterpart_is_refused():
    chart = charts.Chart("odd", "t", {}, [{"mark": "geoshape", "encoding": {}}])
    with pytest.raises(ValueError, match="'odd'"):
        chart_widget(chart, "data")
