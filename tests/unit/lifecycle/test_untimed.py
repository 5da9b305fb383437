"""Rows without a timestamp: they are in no window, and a run says how many they are."""

from datetime import UTC, datetime

import pyarrow as pa
import pytest

CONFIG = """\
model: {name: m, type: classification, prediction_col: p, features: [x]}
environments:
  dev:
    catalog: c
    schema: s
    inference_table: {name: logs}
    monitoring:
      granularities: ["1 day", "2 rows"]
      alerts: [{metric: row_count, threshold: 1}]
"""
DAY = datetime(2026, 3, 2, tzinfo=UTC)


def rows(*moments: datetime | None) -> pa.Table:
    at = pa.array(moments, pa.timestamp("us", "UTC"))
    return pa.table({"timestamp": at, "p": ["yes"] * len(at), "x": [float(n) for n in range(len(at))]})


def told(made) -> tuple[object, list[str]]:
    monitored, analyzed = made.refresh()
    titles = [one.title for one in analyzed.findings if one.id == "monitor/untimed"]
    return monitored.detail.get("rows_without_time"), titles


def test_rows_without_a_timestamp_are_counted_and_told_by_every_run(lake):
    made = lake(CONFIG, logs=rows(DAY, None, DAY, None))
    without = "2 rows of c.s.logs have no timestamp ('timestamp' is null)"
    sentence = f"{without}: they are in no window and not measured"
    assert told(made) == (2, [sentence])
    counts = [row["count"] for row in made.rows("logs_profile_metrics") if row["column_name"] == ":table"]
    assert counts == [2, 2]
    before = made.versions()
    assert told(made) == (2, [sentence])
    assert made.versions() == before
    made.append("logs", rows(None))
    assert told(made)[0] == 3


def test_one_row_is_told_as_one(lake):
    (title,) = told(lake(CONFIG, logs=rows(None)))[1]
    assert title.startswith("1 row of c.s.logs has no timestamp")
    assert "it is in no window" in title


@pytest.mark.parametrize("moments", [(), (DAY,)], ids=["no rows", "all have one"])
def test_where_none_is_without_one_nothing_is_told(lake, moments):
    assert told(lake(CONFIG, logs=rows(*moments))) == (None, [])
