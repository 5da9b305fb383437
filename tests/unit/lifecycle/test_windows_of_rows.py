"""Windows of so many rows: bounds, late rows, references, retention, and a stop amid writing."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakemon_core.domain.figures import Transition
from lakemon_core.domain.rule import Status
from lakemon_core.domain.window import FILLING, Window
from lakemon_core.profiling.row_windows import Cutter, sorted_ticks

CONFIG = """\
model: {name: m, type: classification, prediction_col: p, label_col: y, features: [x]}
environments:
  dev:
    catalog: c
    schema: s
    inference_table: {name: logs, key: [order], MORE}
    monitoring:
      baseline_table: training
      granularities: ["10 rows", "1 day"]
      references: [{name: two_before, windows: 2}]
      slicing_exprs: ["x > 0"]
      alerts:
        - {metric: feature_drift, threshold: 0.5, min_samples: 1}
        - {metric: duplicates, threshold: 0, min_samples: 1}
"""
FIRST = datetime(2026, 3, 2, tzinfo=UTC)
SECOND = timedelta(seconds=1)
EXACT = timedelta(microseconds=1)


def rows(seconds: list[int], *, shift: float = 0.0, order: int = 0) -> pa.Table:
    """Rows at these seconds; the same seconds give the same rows."""
    xs = [np.random.default_rng(second).normal(shift, 1) for second in seconds]
    return pa.table(
        {
            "timestamp": pa.array([FIRST + second * SECOND for second in seconds], pa.timestamp("us", "UTC")),
            "p": ["yes" if second % 2 else "no" for second in seconds],
            "y": ["yes" if second % 3 else "no" for second in seconds],
            "x": xs,
            "order": list(range(order, order + len(seconds))),
        }
    )


TRAINING = rows(list(range(200))).drop(["timestamp"])


def bounds(seconds: list[int], size: int) -> list[tuple[Window, int]]:
    """Windows of seconds by the plainest loop there is, with their rows."""
    found, held = [], []
    for second, following in pairwise([*sorted(seconds), None]):
        held.append(second)
        if len(held) >= size and following != second:
            found.append((Window(FIRST + held[0] * SECOND, FIRST + second * SECOND + EXACT), len(held)))
            held = []
    return [*found, (Window(FIRST + held[0] * SECOND, FILLING), len(held))] if held else found


@given(st.lists(st.integers(0, 60), max_size=80), st.integers(1, 12), st.integers(1, 30))
def test_rows_of_one_moment_are_never_torn_apart(seconds, size, pieces):
    moments = sorted_ticks(rows(seconds).column("timestamp"))
    cutter = Cutter(size)
    for edge in range(0, 61, pieces):  # pieces of time, as they are read
        start, end = (int((FIRST + one * SECOND).timestamp()) * 10**6 for one in (edge, edge + pieces))
        cutter.take(moments[(moments >= start) & (moments < end)])
    assert list(cutter.windows().items()) == bounds(seconds, size)


def measured(lake) -> dict[Window, int]:
    """Windows of rows in the profile table, in order, with their rows."""
    found = {
        Window(row["window"]["start"], row["window"]["end"]): row["count"]
        for row in lake.rows("logs_profile_metrics")
        if (row["granularity"], row["column_name"], row["model_id"]) == ("10 rows", ":table", "*")
        and row["slice_key"] is None
    }
    return dict(sorted(found.items()))


def everything(lake) -> list[list[tuple]]:
    """The rows of all metric tables, without what tells when they were measured."""
    unstable = {"table_version"}
    return [
        sorted(
            tuple((key, str(value)) for key, value in sorted(row.items()) if key not in unstable)
            for row in lake.rows(table)
        )
        for table in ("logs_profile_metrics", "logs_drift_metrics", "logs_signals")
    ]


def test_windows_have_bounds_of_their_own_and_the_last_one_waits(lake):
    seconds = [*range(0, 36, 4), *[40] * 5, *range(41, 50)]
    made = lake(CONFIG.replace(", MORE", ""), logs=rows(seconds), training=TRAINING)
    made.refresh()
    assert measured(made) == dict(bounds(seconds, 10))
    assert list(measured(made).values()) == [14, 9]
    assert max(measured(made)).end == FILLING


BATCHES = {
    "in order": [range(25), range(25, 47), range(47, 80)],
    "a late row in the first window": [range(0, 60, 2), [3], range(60, 70)],
    "late rows between two windows, with ties": [range(0, 100, 5), [46, 46, 47], [45, 45]],
    "before all others": [range(100, 150), range(30)],
    "a filling window is filled exactly": [range(15), range(15, 20)],
}


@pytest.mark.parametrize("batches", BATCHES.values(), ids=BATCHES)
def test_rows_in_any_order_end_in_the_same_tables_as_all_at_once(lake, batches):
    config = CONFIG.replace(", MORE", "")
    tables = [rows(list(batch), order=number * 1000) for number, batch in enumerate(batches)]
    by_and_by, at_once = (lake(config, training=TRAINING) for _ in range(2))
    for table in tables:
        by_and_by.append("logs", table)
        by_and_by.refresh()
    at_once.append("logs", pa.concat_tables(tables))
    at_once.refresh()
    assert measured(by_and_by) == dict(bounds([second for batch in batches for second in batch], 10))
    assert everything(by_and_by) == everything(at_once)
    versions = by_and_by.versions()
    by_and_by.refresh()
    assert by_and_by.versions() == versions


def test_only_what_a_row_changes_is_measured_again(lake):
    made = lake(CONFIG.replace(", MORE", ""), logs=rows(list(range(200))), training=TRAINING)
    made.refresh()
    made.append("logs", rows([150]))
    monitored, _ = made.refresh()
    touched = {window.start for window in monitored.windows["10 rows"]}
    after = {window.start for window in measured(made) if window.end > FIRST + 150 * SECOND}
    assert after <= touched
    assert min(touched) == FIRST + 150 * SECOND
    made.append("logs", rows([250]))  # fills the last one further: nothing before it moves
    monitored, _ = made.refresh()
    assert len(monitored.windows["10 rows"]) == 1


def compared(lake, drift_type: str) -> dict[datetime, tuple[datetime, datetime]]:
    return {
        row["window"]["start"]: (row["window_cmp"]["start"], row["window_cmp"]["end"])
        for row in lake.rows("logs_drift_metrics")
        if (row["granularity"], row["drift_type"], row["column_name"]) == ("10 rows", drift_type, "x")
        and row["model_id"] == "*"
        and row["slice_key"] is None
    }


def test_a_window_is_compared_with_the_ones_before_it_however_long_ago_they_were(lake):
    seconds = [*range(20), *range(5000, 5020), *range(90_000, 90_005)]
    made = lake(CONFIG.replace(", MORE", ""), logs=rows(seconds), training=TRAINING)
    made.refresh()
    windows = list(measured(made))
    assert compared(made, "CONSECUTIVE") == {
        window.start: (before.start, before.end) for before, window in pairwise(windows)
    }
    trailing = {windows[1].start: (windows[0].start, windows[0].end)} | {
        windows[number].start: (windows[number - 2].start, windows[number - 1].end) for number in (2, 3, 4)
    }
    assert compared(made, "TWO_BEFORE") == trailing


def opened(lake, analyzed) -> int:
    """Raises incidents; returns how many are new."""
    return sum(event.transition is Transition.OPENED for event in lake.alert(analyzed).events)


def test_rules_judge_full_windows_and_wait_for_the_last_one(lake):
    logs = pa.concat_tables([rows(list(range(30))), rows(list(range(30, 40)), shift=9.0)])
    made = lake(CONFIG.replace(", MORE", ""), logs=logs, training=TRAINING)
    _, analyzed = made.refresh()
    drift = {one.window: one.status for one in analyzed.verdicts if one.rule.metric == "feature_drift"}
    assert list(drift.values()) == [Status.OK] * 3 + [Status.BREACHED]
    assert opened(made, analyzed) == 1
    made.append("logs", rows(list(range(40, 45)), shift=9.0, order=100))
    _, analyzed = made.refresh()
    assert len({one.window for one in analyzed.verdicts if one.rule.metric == "feature_drift"}) == 4
    made.append("logs", rows(list(range(45, 50)), order=200))
    made.append("logs", rows([12], order=300))  # late: all bounds after it move, and old windows page nobody
    _, analyzed = made.refresh()
    assert opened(made, analyzed) == 0


def test_duplicates_are_counted_within_each_window(lake):
    logs = pa.concat_tables([rows(list(range(10))), rows(list(range(10, 20)), order=100)])
    logs = pa.concat_tables([logs, rows([20, 21], order=0), rows([22, 23], order=0)])
    made = lake(CONFIG.replace(", MORE", ""), logs=logs, training=TRAINING)
    made.refresh()
    found = {start: value for (start, _), value in made.signals("duplicates").items() if start != FIRST}
    assert found == {FIRST + 10 * SECOND: 0, FIRST + 20 * SECOND: 0.5}


def test_what_was_measured_of_rows_that_retention_deleted_stays(lake):
    day = 86_400
    old = [*range(23), *range(day, day + 24), *range(2 * day, 2 * day + 15)]
    made = lake(CONFIG.replace("MORE", "retention_days: 2"), training=TRAINING)
    made.append("logs", rows(old[:47]))
    made.refresh()
    before = measured(made)
    made.append("logs", rows(old[47:]))
    made.refresh()
    assert measured(made) == dict(bounds(old, 10))
    assert [one for one in before if one.end != FILLING] == list(measured(made))[:4]
    made.append("logs", rows([day + 30]))  # within a window that began before what is kept
    made.refresh()
    assert list(measured(made))[:4] == [one for one in before if one.end != FILLING]


@pytest.mark.parametrize("table", ["logs_profile_metrics", "logs_drift_metrics"])
def test_a_stop_amid_writing_leaves_no_window_of_old(lake, monkeypatch, table):
    config = CONFIG.replace(", MORE", "")
    logs, late, later = rows(list(range(0, 80, 2))), rows([3], order=500), rows([5], order=600)
    made = lake(config, logs=logs, training=TRAINING)
    afresh = lake(config, logs=pa.concat_tables([logs, late, later]), training=TRAINING)
    made.refresh()
    made.append("logs", late)
    replace = made.session.backend.tables.replace

    def stops(name, *arguments, **named):
        if name.table == table:
            raise OSError("no space left")
        return replace(name, *arguments, **named)

    with monkeypatch.context() as patch:
        patch.setattr(made.session.backend.tables, "replace", stops)
        with pytest.raises(OSError, match="no space"):
            made.refresh()
    made.append("logs", later)
    made.refresh()
    afresh.refresh()
    assert everything(made) == everything(afresh)


def test_dates_make_windows_of_whole_days(lake):
    config = CONFIG.replace(", MORE", "").replace("prediction_col: p", "prediction_col: p, timestamp_col: on")
    days = [FIRST.date() + timedelta(days=number // 4) for number in range(30)]
    made = lake(config, logs=rows(list(range(30))).append_column("on", pa.array(days)), training=TRAINING)
    made.refresh()
    assert list(measured(made).values()) == [12, 12, 6]
