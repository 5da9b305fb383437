"""What a window is compared with: last week, last year, trailing windows, and a pinned baseline."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

FIRST = datetime(2025, 1, 6, tzinfo=UTC)
LOGS, TRAINING = "c.s.inference_logs", "c.s.training"
CONFIG = """\
model: {name: churn, type: classification, prediction_col: predicted, features: [x]}
environments:
  dev:
    catalog: c
    schema: s
    monitoring:
      baseline_table: training
      baseline_version: 0
      references: [{name: fortnight, windows: 4, offset: 7}]
      alerts:
        - {metric: feature_drift, threshold: 0.2, compare: last_week}
        - {metric: feature_drift, threshold: 0.2, compare: last_year}
        - {metric: feature_drift, threshold: 0.2, compare: fortnight}
"""


def day(number: int, *, rows: int = 60, shift: float = 0.0) -> pa.Table:
    """The rows of one day; the same number gives the same rows."""
    rng = np.random.default_rng(number)
    at = [FIRST + timedelta(days=number, seconds=int(second)) for second in rng.integers(0, 86_400, rows)]
    return pa.table(
        {
            "timestamp": pa.array(at, pa.timestamp("us", "UTC")),
            "predicted": rng.choice(["yes", "no"], rows),
            "x": rng.normal(shift, 1, rows),
        }
    )


DAYS = [*range(7), *range(8, 16), 364, 366]
"""Day 7 is a hole; day 364 looks back at day 0, and day 366 at day 2."""


@pytest.fixture(scope="module")
def shop(project):
    logs = pa.concat_tables([day(number, shift=2.0 * (number == 15)) for number in DAYS])
    made = project("references", CONFIG, {LOGS: logs, TRAINING: day(1000, rows=400).drop(["timestamp"])})
    made.first = made.json("run")
    return made


def compared(shop, drift_type: str) -> dict[int, tuple[int, int]]:
    """Day → first and last day of its reference."""
    rows = shop.table("c.monitoring.inference_logs_drift_metrics").to_pylist()
    own = [row for row in rows if row["drift_type"] == drift_type and row["column_name"] == "x"]

    def number(moment: datetime) -> int:
        return (moment - FIRST).days

    return {
        number(row["window"]["start"]): (
            number(row["window_cmp"]["start"]),
            number(row["window_cmp"]["end"]) - 1,
        )
        for row in own
        if row["model_id"] == "*"
    }


def test_last_week_is_the_same_window_seven_days_earlier_where_it_has_rows(shop):
    expected = {number: (number - 7, number - 7) for number in DAYS if number - 7 in DAYS}
    assert compared(shop, "LAST_WEEK") == expected
    assert 14 not in expected


def test_last_year_is_the_same_weekday_364_days_earlier(shop):
    assert compared(shop, "LAST_YEAR") == {364: (0, 0), 366: (2, 2)}


def test_a_trailing_reference_needs_half_of_its_windows(shop):
    found = compared(shop, "FORTNIGHT")
    assert found[8] == (-2, 1)
    assert found[14] == (4, 7)
    assert {number: span for number, span in found.items() if number < 8 or number > 16} == {}


def test_a_rule_finds_what_moved_since_last_week(shop):
    findings = [one for one in shop.first["findings"] if "week before" in one["title"]]
    rows = shop.table("c.monitoring.inference_logs_signals").to_pylist()
    psi = {
        row["window"]["start"]: row["value"]
        for row in rows
        if (row["compare"], row["statistic"], row["column"]) == ("last_week", "psi", "x")
        and row["model_id"] == "*"
    }
    assert psi[FIRST + timedelta(days=15)] > 1
    assert len(findings) == 1


def without_versions(rows: pa.Table, keys: Callable[[dict], tuple]) -> list[dict]:
    """Rows in order, without what tells when they were measured."""
    plain = [
        {name: value for name, value in row.items() if name != "table_version"} for row in rows.to_pylist()
    ]
    return sorted(plain, key=lambda row: str(keys(row)))


def test_a_changed_window_makes_all_that_look_back_at_it_due_and_nothing_else(shop, project):
    more = day(2000, rows=50, shift=3.0).set_column(
        0, "timestamp", pa.array([FIRST + timedelta(days=2, seconds=second) for second in range(50)])
    )
    logs = pa.concat_tables([day(number, shift=2.0 * (number == 15)) for number in DAYS])
    fresh = project(
        "afresh",
        CONFIG,
        {LOGS: pa.concat_tables([logs, more]), TRAINING: day(1000, rows=400).drop(["timestamp"])},
    )
    fresh.json("run")
    pq.write_table(more, shop.folder / "more.parquet")
    shop.lakemon("table", "import", LOGS, "more.parquet")
    monitored = next(one for one in shop.json("run")["stages"] if one["name"] == "monitor")
    looking = {2, 3, 9, 366, *(number for number in range(9, 13))}
    assert monitored["detail"]["windows"] == len(looking & set(DAYS))
    for kind in ("profile_metrics", "drift_metrics", "signals"):
        tables = [one.table(f"c.monitoring.inference_logs_{kind}") for one in (shop, fresh)]

        def place(row: dict) -> tuple:
            names = (
                "window",
                "model_id",
                "column_name",
                "drift_type",
                "column",
                "signal",
                "statistic",
                "compare",
            )
            return tuple(row.get(name) for name in names)

        mine, afresh = (without_versions(table, place) for table in tables)
        assert mine == afresh
    versions = shop.versions()
    assert shop.json("run")["status"] == "done"
    assert shop.versions() == versions


def test_a_pinned_baseline_stays_and_a_newer_one_is_told(fresh_pinned):
    rows = fresh_pinned.table("c.monitoring.inference_logs_profile_metrics").to_pylist()
    before = [row for row in rows if row["log_type"] == "BASELINE"]
    assert {row["table_version"] for row in before} == {0}
    pq.write_table(day(3000, rows=100).drop(["timestamp"]), fresh_pinned.folder / "newer.parquet")
    fresh_pinned.lakemon("table", "import", TRAINING, "newer.parquet")
    findings = {one["id"]: one["title"] for one in fresh_pinned.json("run")["findings"]}
    assert "pinned to version 0; the newest is 1" in findings["baseline/newer"]
    rows = fresh_pinned.table("c.monitoring.inference_logs_profile_metrics").to_pylist()
    assert [row for row in rows if row["log_type"] == "BASELINE"] == before


@pytest.fixture
def fresh_pinned(project):
    made = project("pinned", CONFIG, {LOGS: day(0), TRAINING: day(1000, rows=400).drop(["timestamp"])})
    made.json("run")
    return made


def test_a_version_that_is_not_there_is_named(project):
    config = CONFIG.replace("baseline_version: 0", "baseline_version: 7")
    made = project("unpinned", config, {LOGS: day(0), TRAINING: day(1).drop(["timestamp"])})
    failed = next(one for one in made.json("run", code=3)["stages"] if one["status"] == "failed")
    assert "LM314 monitoring.baseline_version c.s.training has no version 7" in failed["detail"]["error"]
