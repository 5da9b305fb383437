"""Columns or config change between two runs: the tables end as if all had been measured at once."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

CONFIG = """\
model: {name: m, type: regression, label_col: y}
environments:
  dev:
    catalog: c
    schema: s
    inference_table: {name: logs}
    monitoring:
      baseline_table: base
      granularities: ["1 day", "1 week", "15 rows"]
      alerts: [{metric: row_count, threshold: 1}]
"""
FIRST = datetime(2026, 3, 5, tzinfo=UTC)
CHANGES = {
    "a slice": ("baseline_table: base", 'baseline_table: base\n      slicing_exprs: ["x > 9"]'),
    "a length of windows": ('"15 rows"]', '"15 rows", "5 minutes", "1 month"]'),
    "a reference": ("alerts:", "references: [{name: two, windows: 2}]\n      alerts:"),
    "no baseline": ("      baseline_table: base\n", ""),
    "fewer features": ("label_col: y", "label_col: y, features: [g]"),
    "a type": ("label_col: y", "label_col: y, categorical: [x]"),
    "another label": ("label_col: y", "label_col: g"),
}
OF_THE_RUN = {"table_version", "config_hash"}
MORE = {
    "a feature": {"z": pa.array(np.arange(20.0))},
    "the label": {"y": pa.array(np.arange(20.0) + 1)},
    "the model id": {"model_id": ["1", "2"] * 10},
}


def rows(*days: int, **more: pa.Array) -> pa.Table:
    at = [FIRST + timedelta(days=day, minutes=minute) for day in days for minute in range(20)]
    x = np.arange(len(at), dtype=float)
    return pa.table({"timestamp": pa.array(at, pa.timestamp("us", "UTC")), "x": x, "prediction": x, **more})


def metrics(made) -> list[str]:
    """All rows of the three tables in one order, without what names the run."""
    kinds = ("profile_metrics", "drift_metrics", "signals")
    found = [row for kind in kinds for row in made.rows(f"logs_{kind}")]
    return sorted(
        str({name: value for name, value in row.items() if name not in OF_THE_RUN}) for row in found
    )


@pytest.mark.parametrize("more", MORE.values(), ids=MORE)
def test_a_column_that_comes_later_is_measured_in_the_windows_before_too(lake, more):
    made = lake(CONFIG, logs=rows(0, 1, 3), base=rows(0))
    made.refresh()
    made.append("logs", rows(8, **more))
    made.refresh()
    whole = lake(CONFIG, logs=rows(0, 1, 3), base=rows(0))
    whole.append("logs", rows(8, **more))
    whole.refresh()
    assert metrics(made) == metrics(whole)
    before = made.versions()
    made.refresh()
    assert made.versions() == before


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_config_that_changes_holds_for_the_windows_before_too(lake, change):
    logs = rows(0, 1, 8, y=np.ones(60), g=np.arange(60.0))
    base = logs.slice(0, 20)
    made = lake(CONFIG, logs=logs, base=base)
    made.refresh()
    assert CONFIG.replace(*change) != CONFIG
    made = lake(CONFIG.replace(*change), before=made)
    made.refresh()
    whole = lake(CONFIG.replace(*change), logs=logs, base=base)
    whole.refresh()
    assert metrics(made) == metrics(whole)
