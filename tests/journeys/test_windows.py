"""Every granularity, several at once, through the command line."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import partial

import pyarrow as pa
import pytest

CONFIG = """\
model: {name: churn, type: classification, prediction_col: predicted, features: [x]}
environments:
  dev:
    catalog: c
    schema: s
    monitoring:
      granularities:
        [5 minutes, 30 minutes, 1 hour, 1 day, 1 week, 2 weeks, 3 weeks, 4 weeks, 1 month, 1 year]
      alerts: [{metric: row_count, threshold: 1}]
"""
utc = partial(datetime, tzinfo=UTC)
MOMENTS = [
    utc(1900, 2, 28, 23, 59, 59),
    utc(1969, 12, 31, 23, 59, 59, 999999),
    utc(1970, 1, 1),
    utc(2024, 2, 29, 23, 59, 59, 999999),
    utc(2024, 3, 1),
    utc(2024, 12, 29, 23, 59, 59),
    utc(2024, 12, 30),
    utc(2024, 12, 31, 23, 55),
    utc(2025, 1, 1),
    utc(2025, 1, 1, 0, 4, 59),
    utc(2025, 1, 1, 0, 5),
    utc(2025, 3, 30, 2, 30),
    utc(2025, 10, 26, 1, 29, 59),
]
LENGTHS = {
    "5 minutes": timedelta(minutes=5),
    "30 minutes": timedelta(minutes=30),
    "1 hour": timedelta(hours=1),
    "1 day": timedelta(days=1),
    **{f"{n} week{'s' * (n > 1)}": timedelta(weeks=n) for n in (1, 2, 3, 4)},
}
MONDAY = utc(1970, 1, 5)


def window_of(moment: datetime, granularity: str) -> tuple[datetime, datetime]:
    """Start and end by the plainest arithmetic there is."""
    if granularity in LENGTHS:
        start = MONDAY
        length = LENGTHS[granularity]
        start += (moment - MONDAY) // length * length
        return start, start + length
    if granularity == "1 month":
        following = divmod(moment.year * 12 + moment.month, 12)
        return utc(moment.year, moment.month, 1), utc(following[0], following[1] + 1, 1)
    return utc(moment.year, 1, 1), utc(moment.year + 1, 1, 1)


@pytest.fixture(scope="module")
def measured(project):
    columns = {
        "timestamp": pa.array(MOMENTS, pa.timestamp("us", "UTC")),
        "predicted": ["yes"] * len(MOMENTS),
        "x": pa.array(range(len(MOMENTS)), pa.float64()),
    }
    made = project("windows", CONFIG, {"c.s.inference_logs": pa.table(columns)})
    made.json("run")
    rows = made.table("c.monitoring.inference_logs_profile_metrics").to_pylist()
    return [row for row in rows if row["column_name"] == ":table" and row["model_id"] == "*"]


@pytest.mark.parametrize("granularity", [*LENGTHS, "1 month", "1 year"])
def test_windows_are_half_open_in_utc_and_empty_ones_are_holes(measured, granularity):
    found = {
        (row["window"]["start"], row["window"]["end"]): row["count"]
        for row in measured
        if row["granularity"] == granularity
    }
    assert found == Counter(window_of(moment, granularity) for moment in MOMENTS)
