"""A change of quality, split over slices: the parts add up, and say what rows say."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakemon_core.domain.rule import Signal
from lakemon_core.domain.window import Granularity
from lakemon_core.lifecycle.mix_and_rate import OTHERS, splits_of
from lakemon_core.pipeline.explanation import explanation

DAY = Granularity("1 day")
FIRST = datetime(2026, 3, 2, tzinfo=UTC)
WINDOWS = [DAY.window(FIRST + timedelta(days=day)) for day in range(2)]
VALUES = st.floats(-1e6, 1e6)


def signal(day: int, value: float | None, n: int, region: str | None = None) -> Signal:
    return Signal(
        window=WINDOWS[day],
        granularity="1 day",
        model_id="*",
        slice_key="region" if region else None,
        slice_value=region,
        column=":table",
        name="mae",
        statistic="mae",
        compare=None,
        value=value,
        n=n,
        method="mae:1",
    )


def sliced(
    day: int, cells: dict[str, tuple[int, float]], others: tuple[int, float] = (0, 0.0)
) -> list[Signal]:
    """The whole, then its slices; some rows may be in none."""
    every = [*cells.values(), others]
    n = sum(count for count, _ in every)
    whole = sum(count * value for count, value in every) / n
    return [
        signal(day, whole, n),
        *(signal(day, value, count, name) for name, (count, value) in cells.items()),
    ]


def test_golden_numbers():
    before = sliced(0, {"north": (50, 10.0), "south": (50, 20.0)})
    now = sliced(1, {"north": (20, 10.0), "south": (80, 25.0)})
    (split,) = splits_of(before[0], now[0], [*before, *now])
    assert (split.key, split.change) == ("region", pytest.approx(7.0))
    # shares: north .5 to .2, south .5 to .8; the middle of both wholes is 18.5
    parts = {part.value: (part.mix, part.rate) for part in split.parts}
    assert parts["south"] == (pytest.approx(0.3 * (22.5 - 18.5)), pytest.approx(5 * 0.65))
    assert parts["north"] == (pytest.approx(-0.3 * (10 - 18.5)), 0)
    assert split.parts[0].value == "south"


CELLS = st.dictionaries(st.sampled_from("abcd"), st.tuples(st.integers(1, 500), VALUES), max_size=4)
REST = st.tuples(st.integers(1, 500), VALUES)


@given(CELLS, REST, CELLS, REST)
def test_parts_add_up_to_the_change_whatever_slices_come_and_go(before, rest_before, now, rest_now):
    old, new = sliced(0, before, rest_before), sliced(1, now, rest_now)
    splits = splits_of(old[0], new[0], [*old, *new])
    assert len(splits) == bool(before or now)
    for split in splits:
        size = 1 + sum(abs(value) for _, value in (*before.values(), *now.values(), rest_before, rest_now))
        assert split.mix + split.rate == pytest.approx(split.change, abs=1e-9 * size)
        assert {part.value for part in split.parts} == {*before, *now, OTHERS}


def test_nothing_is_split_where_nothing_is_known():
    before, now = sliced(0, {"a": (5, 1.0)}), sliced(1, {"a": (5, 2.0)})
    assert splits_of(before[0], now[0], [before[0], now[0]]) == []
    assert splits_of(signal(0, None, 5), now[0], [*before, *now]) == []


CONFIG = """\
model: {name: m, type: regression, prediction_col: p, label_col: y}
environments:
  dev:
    catalog: c
    schema: s
    inference_table: {name: logs}
    monitoring:
      slicing_exprs: [region, "x > 0"]
      alerts:
        - {metric: rmse, threshold: 3, min_samples: 1, id: error}
        - {metric: r2, threshold: 1, min_samples: 1, id: fit}
"""


def rows(day: int, north: int, south: int, missed: float) -> pa.Table:
    """Rows of two regions, of which the south misses more."""
    rng = np.random.default_rng(day)
    region = ["north"] * north + ["south"] * south + [None] * 3
    y = rng.normal(50, 5, len(region))
    error = np.where(np.array(region) == "south", missed, 1.0) * rng.choice([-1, 1], len(region))
    at = [FIRST + timedelta(days=day, minutes=minute) for minute in range(len(region))]
    return pa.table({"timestamp": at, "p": y + error, "y": y, "region": region, "x": rng.normal(size=len(y))})


def test_explain_tells_which_slices_moved_a_metric(lake):
    logs = pa.concat_tables([rows(0, 60, 20, 2.0), rows(1, 60, 20, 2.0), rows(2, 20, 60, 4.0)])
    made = lake(CONFIG, logs=logs)
    _, analyzed = made.refresh()
    newest = {one.rule.name: one for one in analyzed.verdicts}
    told = explanation(made.session, newest["error"].fingerprint)
    by_region = next(split for split in told.splits if split["slices"] == "region")
    assert (by_region["metric"], by_region["from"], by_region["to"]) == ("mse", "2026-03-03", "2026-03-04")
    frame = logs.to_pandas().assign(square=lambda one: (one["p"] - one["y"]) ** 2)
    squares = frame.groupby(frame["timestamp"].dt.day)["square"].mean()
    assert by_region["change"] == pytest.approx(squares[4] - squares[3], rel=1e-9)
    assert by_region["mix"] + by_region["rate"] == pytest.approx(by_region["change"], rel=1e-9)
    parts = {part["value"]: part for part in by_region["parts"]}
    assert set(parts) == {"north", "south", OTHERS}
    assert parts["south"]["rate"] == pytest.approx(12 * (20 / 83 + 60 / 83) / 2, rel=1e-9)
    assert {split["slices"] for split in told.splits} == {"region", "x > 0"}
    assert explanation(made.session, newest["fit"].fingerprint).splits == []
