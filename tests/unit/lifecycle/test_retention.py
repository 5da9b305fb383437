"""Rows leave by `retention_days`; what was measured of them stays, whatever changes later."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

CONFIG = """\
model: {name: m, type: regression, features: [x]}
environments:
  dev:
    catalog: c
    schema: s
    inference_table: {name: logs, retention_days: 3}
    monitoring:
      baseline_table: base
      granularities: ["1 day", "1 week", "10 rows"]
      alerts: [{metric: row_count, threshold: 1}]
"""
MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
DAY = timedelta(days=1)


def days(*numbers: int) -> pa.Table:
    at = [MONDAY + timedelta(days=day, minutes=minute) for day in numbers for minute in range(20)]
    x = np.arange(len(at), dtype=float)
    columns = {"timestamp": pa.array(at, pa.timestamp("us", "UTC")), "x": x, "prediction": x}
    return pa.table(columns)


def counts(made, table: str = "logs_profile_metrics") -> dict[str, list[tuple[datetime, int]]]:
    found: dict[str, list[tuple[datetime, int]]] = {"1 day": [], "1 week": [], "10 rows": []}
    for row in made.rows(table):
        if row["column_name"] == ":table" and row["window"] and row["model_id"] == "*":
            found[row["granularity"]].append((row["window"]["start"], row["count"]))
    return {length: sorted(rows) for length, rows in found.items()}


@pytest.fixture
def expired(lake):
    """Five days were measured; the rows of the first two have gone."""
    made = lake(CONFIG, logs=days(1, 2, 3), base=days(0))
    made.refresh()
    made.append("logs", days(4, 5))
    monitored, _ = made.refresh()
    assert monitored.detail["rows_expired"] == 40
    return made


def test_windows_whose_rows_went_stay_as_they_were_measured(expired):
    found = counts(expired)
    assert found["1 day"] == [(MONDAY + timedelta(days=day), 20) for day in range(1, 6)]
    assert [count for _, count in found["10 rows"]] == [10] * 10
    first = min(one["timestamp"] for one in expired.rows("logs", "s"))
    assert first == MONDAY + timedelta(days=3)
    before = expired.versions()
    expired.refresh()
    assert expired.versions() == before


def test_another_definition_measures_what_is_there_and_keeps_the_rest(expired):
    before = counts(expired)
    signals = {key: value for key, value in expired.signals("row_count").items() if key[0] < MONDAY + DAY}
    expired.append("base", days(1))
    monitored, _ = expired.refresh()
    measured = [str(window.start.date()) for window in monitored.windows["1 day"]]
    assert measured == ["2026-03-05", "2026-03-06", "2026-03-07"]
    assert counts(expired) == before
    now = expired.signals("row_count")
    assert {key: now[key] for key in signals} == signals
    untouched = expired.versions()
    expired.refresh()
    assert expired.versions() == untouched


def test_a_row_from_the_future_deletes_nothing_before_today(lake):
    made = lake(CONFIG, logs=days(1, 2, 3), base=days(0))
    made.append("logs", days(40_000))
    made.refresh(at=MONDAY + 4 * DAY)
    assert len(made.rows("logs", "s")) == 60
    assert counts(made)["1 day"][:2] == [(MONDAY + 2 * DAY, 20), (MONDAY + 3 * DAY, 20)]
