"""Measuring keeps to a size of memory: what does not fit is measured some columns at a time."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

from lakemon_core.domain.errors import DataError
from lakemon_core.hookspecs import RunContext
from lakemon_core.lifecycle.measuring.memory import LIBRARIES, Load, Room, Turn
from lakemon_core.lifecycle.measuring.reading import Reading
from lakemon_core.lifecycle.monitor import monitor
from lakemon_core.profiling.kinds import Kind
from lakemon_core.profiling.measure import PlannedColumn

FIRST_DAY = datetime(2026, 3, 2, tzinfo=UTC)
CONFIG = """\
model: {name: delays, type: classification, model_id_col: version, prediction_proba_col: proba,
        label_col: late}
environments:
  dev:
    catalog: c
    schema: s
    inference_table: {name: logs}
    monitoring:
      baseline_table: training
      references: [{name: trailing, windows: 2, offset: 2}]
      slicing_exprs: [city, "age > 30"]
      custom_metrics:
        - {type: aggregate, name: squared_avg, input_columns: [miles, age, ":table"],
           definition: "avg(age * age)"}
        - {type: derived, name: rms, input_columns: [miles, age], definition: sqrt(squared_avg)}
        - {type: drift, name: rms_ratio, input_columns: [age],
           definition: "{{current_df}}.rms / {{base_df}}.rms"}
        - {type: drift, name: accuracy_delta, input_columns: [":table"],
           definition: "{{current_df}}.accuracy_score - {{base_df}}.accuracy_score"}
"""


def trips(seed: int, rows: int, day: int | None = None) -> pa.Table:
    """Rows of one day, or of the baseline; `gone` has no values from day 2 on, and the baseline lacks it."""
    rng = np.random.default_rng(seed)
    late = rng.random(rows) < 0.5
    columns = {
        "miles": pa.array(rng.normal(100, 20, rows), mask=rng.random(rows) < 0.1),
        "age": pa.array(rng.integers(20, 40, rows)),
        "city": pa.array(rng.choice(["Rome", "Oslo"], rows)),
        "version": pa.array(rng.choice(["1", "2"], rows)),
        "prediction": pa.array(np.where(rng.random(rows) < 0.8, late, ~late)),
        "proba": pa.array(rng.random(rows)),
        "late": pa.array(late, mask=rng.random(rows) < 0.2),
        "shipped": pa.array([FIRST_DAY - timedelta(hours=int(h)) for h in rng.integers(1, 99, rows)]),
    }
    if day is None:
        return pa.table(columns)
    moments = [FIRST_DAY + timedelta(days=day, seconds=second) for second in range(rows)]
    gone = pa.array(rng.random(rows), mask=np.full(rows, day >= 2))
    return pa.table({"timestamp": pa.array(moments, pa.timestamp("us", "UTC")), "gone": gone, **columns})


DAYS = [trips(day, 120 + 10 * day, day) for day in range(5)]


class Windows:
    """Progress that remembers how many windows were counted, each once a turn."""

    total = 0

    def update(self, what: str, done: int | None = None, total: int | None = None) -> None:
        if what.startswith("measuring windows"):
            self.total = total or 0


def bounded(context: RunContext, rows_take: int) -> RunContext:
    """Returns the run with so many bytes for rows."""
    monitoring = replace(context.monitor.monitoring, memory=LIBRARIES + rows_take)
    monitor = replace(context.monitor, monitoring=monitoring)
    return replace(context, monitor=monitor, progress=Windows())


def metric_rows(lake) -> dict[str, dict[tuple, dict]]:
    """The rows of both metric tables by what they are about."""
    about = ("granularity", "log_type", "drift_type", "version", "slice_key", "slice_value", "column_name")

    def key(row: dict) -> tuple:
        window = row["window"]["start"] if row["window"] else None
        return window, *(row.get(name) for name in about)

    kinds = ("profile_metrics", "drift_metrics")
    found = {kind: [(key(row), row) for row in lake.rows(f"logs_{kind}")] for kind in kinds}
    assert all(len(dict(rows)) == len(rows) for rows in found.values())
    return {kind: dict(rows) for kind, rows in found.items()}


def test_columns_in_turns_give_the_same_rows_bit_for_bit(lake):
    tables = {"logs": pa.concat_tables(DAYS), "training": trips(99, 300)}
    free, tight = lake(CONFIG, **tables), lake(CONFIG, **tables)
    monitor(free.context)
    context = bounded(tight.context, 295_000)
    assert monitor(context).detail["windows"] == 5
    assert context.progress.total == 5 * 5
    assert_same(metric_rows(free), metric_rows(tight))

    for one in (free, tight):
        one.append("logs", trips(50, 150, 5))
    monitor(free.context)
    assert monitor(bounded(tight.context, 295_000)).detail["windows"] == 1
    assert_same(metric_rows(free), metric_rows(tight))


def test_windows_that_are_measured_ahead_give_the_same_rows_bit_for_bit(lake, monkeypatch):
    tables = {"logs": pa.concat_tables(DAYS), "training": trips(99, 300)}
    one_by_one, ahead = lake(CONFIG, **tables), lake(CONFIG, **tables)
    monitor(one_by_one.context)
    monkeypatch.setattr(Reading, "_goes_ahead", lambda self, largest: True)
    assert monitor(bounded(ahead.context, 295_000)).detail["windows"] == 5
    assert_same(metric_rows(one_by_one), metric_rows(ahead))


def assert_same(wanted: dict[str, dict[tuple, dict]], found: dict[str, dict[tuple, dict]]) -> None:
    for kind, rows in wanted.items():
        assert len(rows) > 300
        assert rows.keys() == found[kind].keys()
        assert [key for key, row in rows.items() if repr(row) != repr(found[kind][key])] == []


def test_what_not_even_one_column_fits_into_is_refused_with_the_size_it_needs(lake):
    tight = lake(CONFIG, logs=pa.concat_tables(DAYS), training=trips(99, 300))
    with pytest.raises(DataError, match=r"LM351 monitoring.memory .* set it to "):
        monitor(bounded(tight.context, 100_000))
    assert tight.rows("logs_profile_metrics") == []


COLUMNS = [PlannedColumn(f"x{number}", Kind.NUMERIC, "double") for number in range(20)]
LOAD = Load(window=1_000_000, references=0, baseline=500_000)


def turns_in(megabytes: int) -> list[Turn]:
    room = Room(LIBRARIES + megabytes * 10**6, models=True, slices=0, others=2, of_quality=3)
    return room.turns(COLUMNS, "x7", LOAD)


def test_what_fits_is_measured_in_one_turn():
    (turn,) = turns_in(3_500)
    assert turn.columns == tuple(COLUMNS)
    assert turn.whole
    assert turn.rows > LOAD.window


def test_turns_share_out_the_columns_and_the_last_one_measures_the_table_and_the_prediction():
    turns = turns_in(700)
    assert len(turns) > 2
    assert sorted(column for turn in turns for column in turn.columns) == sorted(COLUMNS)
    assert [turn.whole for turn in turns] == [False] * (len(turns) - 1) + [True]
    assert COLUMNS[7] in turns[-1].columns
    assert min(turn.rows for turn in turns) >= LOAD.window


def test_more_memory_never_takes_more_turns():
    numbers = [len(turns_in(megabytes)) for megabytes in range(550, 3_500, 50)]
    assert numbers == sorted(numbers, reverse=True)
