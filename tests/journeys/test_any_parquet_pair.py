"""Any pair of Parquet files with three lines of YAML: no time, no prediction, no model id."""

import json
import sys
from datetime import date, time
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy.stats import chi2_contingency, ks_2samp
from sklearn.datasets import load_wine

from lakemon_core.cli.main import call

CONFIG = """\
model: {name: wine, type: classification}
environments:
  dev: {catalog: c, schema: s, monitoring: {baseline_table: baseline}}
"""


@pytest.fixture(scope="module")
def wine() -> pd.DataFrame:
    """Real data in no order; a part of it keeps the index of pandas when it is written."""
    return load_wine(as_frame=True).frame.sample(frac=1, random_state=3)


@pytest.fixture
def lakemon(tmp_path, monkeypatch, capfd, wine):
    """Runs a command line in this process, in a folder with the two files."""
    wine.iloc[:90].to_parquet(tmp_path / "base.parquet")
    wine.iloc[90:].to_parquet(tmp_path / "current.parquet")
    (tmp_path / "monitoring_config.yml").write_text(CONFIG)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])

    def run(*arguments, code=0):
        capfd.readouterr()
        ended = call([*arguments, "--output", "json"])
        said = capfd.readouterr()
        assert ended == code, said.err
        return json.loads(said.out)

    run("table", "import", "baseline", "base.parquet")
    return run


def test_a_pair_without_times_is_measured_as_one_window(lakemon, wine):
    lakemon("table", "import", "inference_logs", "current.parquet")
    failed = next(one for one in lakemon("run", code=3)["stages"] if one["status"] == "failed")
    assert "No column has times" in failed["detail"]["error"]
    assert "--at 2026-03-01" in failed["detail"]["error"]
    again = (
        "table",
        "import",
        "inference_logs",
        "current.parquet",
        "--at",
        "2026-03-01",
        "--mode",
        "replace",
    )
    assert lakemon(*again)["inserted"] == 88
    assert lakemon(*again)["inserted"] == 0
    told = lakemon("run")
    titles = [finding["title"] for finding in told["findings"]]
    assert (
        "column 'prediction' (prediction_col) is not there: the other columns are measured, and no quality"
        in titles
    )
    sql = "SELECT column_name, ks_test.statistic AS ks FROM c.monitoring.inference_logs_drift_metrics"
    found = {row["column_name"]: row["ks"] for row in lakemon("query", sql)["rows"]}
    assert set(found) == {":table", *wine.columns}
    expected = {name: ks_2samp(wine[name][:90], wine[name][90:]).statistic for name in wine.columns}
    assert {name: found[name] for name in expected} == pytest.approx(expected, rel=1e-9)
    versions = [table["version"] for table in lakemon("table", "list")["tables"]]
    lakemon("run")
    assert [table["version"] for table in lakemon("table", "list")["tables"]] == versions


def test_a_column_with_times_is_told_by_name(lakemon, wine, tmp_path):
    dated = wine.assign(bottled=pd.Timestamp("2026-03-01", tz="UTC"), p=np.int64(1))
    dated.to_parquet(tmp_path / "dated.parquet", index=False)
    lakemon("table", "import", "inference_logs", "dated.parquet")
    failed = next(one for one in lakemon("run", code=3)["stages"] if one["status"] == "failed")
    assert "`timestamp_col: bottled`" in failed["detail"]["error"]
    text = CONFIG.replace("classification", "classification, timestamp_col: bottled, prediction_col: P")
    (tmp_path / "monitoring_config.yml").write_text(text)
    failed = next(one for one in lakemon("run", code=3)["stages"] if one["status"] == "failed")
    assert "model.prediction_col names column 'P'" in failed["detail"]["error"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(("--at", "tomorrow"), "LM180"), (("--at", "2026-03-01"), "LM325")],
    ids=["no", "twice"],
)
def test_a_time_that_cannot_be_given_is_refused(lakemon, wine, tmp_path, arguments, code):
    wine.assign(timestamp=pd.Timestamp("2026-03-01", tz="UTC")).to_parquet(tmp_path / "dated.parquet")
    told = lakemon(
        "table", "import", "inference_logs", "dated.parquet", *arguments, code=2 if code == "LM180" else 3
    )
    assert told["error"]["code"] == code


ODD = {
    "prediction": ["a", "b", "a"],
    "😀": pa.array([0.5, -1.0, 2.0]),
    "it's; DROP TABLE t; --": pa.array([1, 2, 3], pa.uint64()),
    'a "b".`c`': pa.array(["u", None, "v"]).dictionary_encode(),
    "select": pa.array([Decimal("1.10"), None, Decimal("2.20")], pa.decimal128(12, 2)),
    "day": pa.array([date(2026, 1, 1)] * 3),
    "half": pa.array(np.array([0.5, 1.5, 2.5], "float16")),
    "nothing": pa.nulls(3),
    "large": pa.array(["q", "r", "q"], pa.large_string()),
    "infinite": pa.array([float("inf"), float("nan"), 1.0]),
    "list": pa.array([[1], [2], None]),
    "nested": pa.array([{"p": 1}] * 3),
    "bytes": pa.array([b"x"] * 3),
    "clock": pa.array([time(1)] * 3),
    "Half": pa.array([1, 2, 3]),
}
"""Columns of every kind; the last two cannot lie in a Delta table, and nulls alone have no type there."""


def test_columns_of_any_name_and_type_are_measured_or_left_out_with_a_reason(lakemon, tmp_path, capfd):
    pq.write_table(pa.table(ODD), tmp_path / "odd.parquet")
    arguments = ("table", "import", "inference_logs", "odd.parquet", "--at", "2026-03-01")
    for left_out in ("Half", "clock"):
        refused = lakemon(*arguments, code=3)["error"]
        assert left_out in refused["what"]
        assert "--leave-out" in refused["cure"]
        arguments = (*arguments, "--leave-out", left_out)
    assert lakemon(*arguments, "--leave-out", "halff", code=3)["error"]["code"] == "LM302"
    assert lakemon(*arguments)["inserted"] == 3
    (monitored,) = (one for one in lakemon("run")["stages"] if one["name"] == "monitor")
    skipped = monitored["detail"]["columns_skipped"]
    assert set(skipped) == {"list", "nested", "bytes"}
    assert all("are not measured" in reason for reason in skipped.values())
    sql = "SELECT column_name FROM c.monitoring.inference_logs_profile_metrics WHERE log_type = 'INPUT'"
    measured = {row["column_name"] for row in lakemon("query", sql)["rows"]}
    assert measured == {":table", *ODD} - {"Half", "clock", "nothing", *skipped}
    (tmp_path / "more.csv").write_text("timestamp,day\n2026-03-02T00:00:00Z,2026-01-02\n")
    lakemon("table", "import", "inference_logs", "more.csv")
    assert call(["run"]) == 0
    assert "columns skipped 3 (list, nested, bytes)" in " ".join(capfd.readouterr().out.split())


@pytest.mark.parametrize("kind", [pa.int64(), pa.uint8(), pa.float64()])
def test_flags_are_compared_whether_they_come_as_numbers_or_as_booleans(lakemon, tmp_path, kind):
    then, now = pa.array([True, False, False, None] * 30), pa.array([True, True, False, None] * 20)
    of_then = {"prediction": ["a"] * 120, "flag": then, "number": then.cast(kind), "level": [0, 1, 2] * 40}
    of_now = {"prediction": ["a"] * 80, "flag": now, "number": now, "level": now}
    pq.write_table(pa.table(of_then), tmp_path / "then.parquet")
    pq.write_table(pa.table(of_now), tmp_path / "now.parquet")
    lakemon("table", "import", "baseline", "then.parquet", "--mode", "replace")
    lakemon("table", "import", "inference_logs", "now.parquet", "--at", "2026-03-01")
    lakemon("run")
    sql = "SELECT * FROM c.monitoring.inference_logs_drift_metrics WHERE drift_type = 'BASELINE'"
    rows = {row.pop("column_name"): row for row in lakemon("query", sql)["rows"] if row["model_id"] == "*"}
    assert rows["number"] == rows["flag"]
    expected = chi2_contingency([[30, 60], [40, 20]])
    assert rows["flag"]["chi_squared_test"]["pvalue"] == pytest.approx(expected.pvalue)
    assert rows["level"]["js_distance"] == 1
