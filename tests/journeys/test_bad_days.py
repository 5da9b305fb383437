"""Bad input and bad days: each has a clear error or a value with its reason, and nothing is half-written."""

import fcntl
import signal
import time
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

METRICS = ["profile_metrics", "drift_metrics", "signals"]


def rows(shop, kind):
    """The rows of a metric table without what differs from run to run, in one order."""
    table = shop.table(f"mlops_dev.monitoring.inference_logs_{kind}")
    return sorted(map(repr, table.to_pylist()))


def edit(shop, before, after):
    config = shop.folder / "monitoring_config.yml"
    text = config.read_text()
    assert before in text
    config.write_text(text.replace(before, after))


def failed(shop, code=3):
    document = shop.json("run", code=code)
    if "error" in document:
        return document["error"]["what"] + document["error"].get("cure", "")
    return next(stage["detail"]["error"] for stage in document["stages"] if stage["status"] == "failed")


def test_a_killed_run_is_finished_by_the_next(fresh_shop, shop):
    for pause in (0.45, 0.7, 0.95, 1.2):
        run = fresh_shop.start("run")
        time.sleep(pause)
        run.send_signal(signal.SIGKILL)
        run.communicate()
    document = fresh_shop.json("run")
    assert document["status"] == "done"
    for kind in METRICS:
        assert rows(fresh_shop, kind) == rows(shop, kind)
    mails = [path.read_text() for path in fresh_shop.mails()]
    assert len({text.split("X-Lakemon-Key: ")[1].split()[0] for text in mails}) == len(mails) == 1


def test_ctrl_c_ends_the_run_and_the_next_one_finishes(fresh_shop, shop):
    run = fresh_shop.start("run", "-v")
    for line in run.stderr:
        if "monitor" in line:
            break
    run.send_signal(signal.SIGINT)
    run.communicate(timeout=120)
    assert run.returncode == 130
    assert fresh_shop.json("run")["status"] == "done"
    for kind in METRICS:
        assert rows(fresh_shop, kind) == rows(shop, kind)


def test_a_workspace_that_another_run_holds_is_named_with_pid(fresh_shop):
    lock = fresh_shop.folder / ".lakemon" / "run.lock"
    fresh_shop.lakemon("run")
    with lock.open("r+") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        document = fresh_shop.json("run", code=75)
    assert document["error"]["code"] == "LM601"


def test_a_wrong_column_name_is_answered_with_the_right_one(fresh_shop):
    edit(fresh_shop, "prediction_col: predicted", "prediction_col: predicte")
    error = failed(fresh_shop)
    assert "LM302" in error
    assert 'Did you mean "predicted"?' in error


def test_a_missing_table_says_how_to_make_it(fresh_shop):
    edit(fresh_shop, "baseline_table: training", "baseline_table: trainig")
    error = failed(fresh_shop)
    assert "LM301" in error
    assert "training" in error


def test_an_inference_table_that_is_not_there_says_how_to_import_it(tmp_path, fresh_shop):
    document = fresh_shop.json("run", "--workspace", str(tmp_path / "elsewhere"), code=3)
    error = document["stages"][1]["detail"]["error"]
    assert "lakemon table import mlops_dev.shop.inference_logs" in error


def test_a_mistake_in_the_config_names_line_and_column(fresh_shop):
    edit(fresh_shop, "granularities: [", "granularites: [")
    error = fresh_shop.json("run", code=2)["error"]
    assert error["code"].startswith("LM1")
    problem = error["problems"][0]
    assert (problem["line"], problem["column"]) == (16, 7)
    assert "granularities" in problem["cure"]


def test_columns_that_cannot_be_measured_leave_a_reason_and_no_number(tmp_path, fresh_shop):
    """All null, constant, NaN, infinities, one class only: none of them stops a run."""
    n = 60
    at = [datetime(2026, 4, 1, tzinfo=UTC) + timedelta(minutes=20 * i) for i in range(n)]
    odd = pa.table(
        {
            "at": pa.array(at, pa.timestamp("us", "UTC")),
            "version": ["1"] * n,
            "predicted": ["no"] * n,
            "proba": np.full(n, 0.2),
            "churned": ["no"] * n,
            "nan": np.full(n, np.nan),
            "infinite": np.where(np.arange(n) % 2, np.inf, -np.inf),
            "null": pa.array([None] * n, pa.string()),
            "same": np.ones(n),
            "quote\"'; DROP TABLE x; --": np.arange(n),
            "😀": ["a", "b"] * (n // 2),
            "list": pa.array([[1, 2]] * n),
        }
    )
    pq.write_table(odd, tmp_path / "odd.parquet")
    fresh_shop.lakemon("table", "import", "mlops_dev.shop.odd", str(tmp_path / "odd.parquet"))
    edit(fresh_shop, "    monitoring:\n", "    inference_table: {name: odd}\n    monitoring:\n")
    document = fresh_shop.json("run")
    assert document["status"] == "done"
    profile = [
        row
        for row in fresh_shop.table("mlops_dev.monitoring.odd_profile_metrics").to_pylist()
        if row["log_type"] == "INPUT" and row["version"] == "*"
    ]
    by_name = {row["column_name"]: row for row in profile}
    assert by_name["nan"]["num_nan"] == n
    assert by_name["nan"]["avg"] is None
    assert dict(by_name["infinite"]["reasons"])["avg"]
    assert by_name["null"]["percent_null"] == 100.0
    assert by_name["same"]["stddev"] == 0.0
    assert by_name["quote\"'; DROP TABLE x; --"]["distinct_count"] == n
    assert {item["item"] for item in by_name["😀"]["frequent_items"]} == {"a", "b"}
    assert "list" not in by_name
    monitor = next(stage for stage in document["stages"] if stage["name"] == "monitor")
    assert "list" in monitor["detail"]["columns_skipped"]
    assert by_name[":table"]["roc_auc_score"] is None
    assert dict(by_name[":table"]["reasons"])["roc_auc_score"]
    signals = fresh_shop.table("mlops_dev.monitoring.odd_signals").to_pylist()
    assert all(row["value"] is not None or row["reason"] for row in signals)
    assert not any(isinstance(row["value"], float) and np.isnan(row["value"]) for row in signals)


def test_fail_on_turns_open_incidents_into_exit_code_1(shop):
    document = shop.json("run", "--fail-on", "critical", code=1)
    assert document["status"] == "done"
    assert any(one["status"] == "open" for one in document["incidents"])


def test_recovery_sends_one_resolved(fresh_shop, shop_data):
    """A quiet day after the drift: the incident is resolved, and people hear it once."""
    fresh_shop.lakemon("run")
    before = len(fresh_shop.mails())
    calm = shop_data["logs"].slice(0, 900)
    later = pc.add(calm["at"], pa.scalar(timedelta(days=6)))
    calm = calm.set_column(0, "at", later)
    pq.write_table(calm, fresh_shop.folder / "calm.parquet")
    fresh_shop.lakemon("table", "import", "mlops_dev.shop.inference_logs", "calm.parquet")
    document = fresh_shop.json("run")
    assert {one["status"] for one in document["incidents"]} == {"resolved"}
    assert [path.read_text().count("resolved") > 0 for path in fresh_shop.mails()[before:]] == [True]
    assert fresh_shop.json("run")["deliveries"] == []


def test_a_workspace_that_is_no_folder_is_named(fresh_shop):
    target = fresh_shop.folder / "file"
    target.write_text("not a folder")
    error = fresh_shop.json("run", "--workspace", str(target), code=3)["error"]
    assert error["code"] == "LM605"
    assert str(target) in error["where"]
