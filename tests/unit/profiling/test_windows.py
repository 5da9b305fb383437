from collections import Counter
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

from lakemon_core.domain.errors import DataError
from lakemon_core.domain.window import GRANULARITIES, Granularity
from lakemon_core.profiling.windows import count_by_window, split, window_numbers, window_starts

DAY = Granularity("1 day")
MOMENTS = [
    datetime(1969, 12, 28, 23, 59, 59, 999999, tzinfo=UTC),
    datetime(1970, 1, 1, tzinfo=UTC),
    datetime(1970, 1, 5, tzinfo=UTC),
    datetime(2024, 2, 29, 23, 59, 59, 999999, tzinfo=UTC),
    datetime(2024, 12, 31, 23, 35, tzinfo=UTC),
    datetime(2, 1, 1, tzinfo=UTC),
    datetime(9997, 12, 31, 23, tzinfo=UTC),
]


@pytest.mark.parametrize("text", [*GRANULARITIES, "2 weeks"])
def test_window_starts_are_those_of_the_granularity(text):
    granularity = Granularity(text)
    starts = window_starts(pa.array(MOMENTS, pa.timestamp("us", tz="UTC")), granularity)
    expected = [granularity.window(moment).start.replace(tzinfo=None) for moment in MOMENTS]
    assert starts.dtype == np.dtype("datetime64[us]")
    assert starts.tolist() == expected


@pytest.mark.parametrize(
    "arrow_type",
    [pa.timestamp("s"), pa.timestamp("ms", tz="Europe/Berlin"), pa.timestamp("us"),
     pa.timestamp("ns", tz="UTC"), pa.date32(), pa.date64()],
)  # fmt: skip
def test_every_time_type_is_read_in_utc_and_nulls_are_not_a_time(arrow_type):
    column = pa.array([datetime(2024, 3, 5, tzinfo=UTC), None]).cast(pa.timestamp("us"))
    starts = window_starts(pa.chunked_array([column.cast(arrow_type)]), Granularity("1 hour"))
    assert starts[0] == np.datetime64("2024-03-05T00:00")
    assert np.isnat(starts[1])


def test_nanoseconds_before_1970_are_rounded_down():
    starts = window_starts(pa.array([-1], pa.timestamp("ns")), DAY)
    assert starts[0] == np.datetime64("1969-12-31")


@pytest.mark.parametrize("order", ["ascending", "nearly", "none"])
@pytest.mark.parametrize("text", ["5 minutes", "1 day", "1 month"])
@pytest.mark.parametrize("missing", [0, 40])
def test_many_rows_have_the_windows_that_each_has_alone(order, text, missing):
    random = np.random.default_rng(8)
    minutes = np.sort(random.integers(-50_000, 50_000, 9_000))
    if order != "ascending":
        swapped = random.permutation(len(minutes))[: 20 if order == "nearly" else None]
        minutes[np.sort(swapped)] = minutes[swapped]
    moments = [datetime(2026, 2, 1, tzinfo=UTC) + timedelta(minutes=int(minute)) for minute in minutes]
    for place in random.integers(0, len(moments), missing):
        moments[place] = None
    granularity = Granularity(text)
    own = [granularity.window(moment) if moment else None for moment in moments]
    column = pa.chunked_array([moments[:5_000], moments[5_000:]])
    starts = window_starts(column, granularity)
    assert starts.tolist() == [window and window.start.replace(tzinfo=None) for window in own]
    assert count_by_window(column, granularity) == sorted(Counter(filter(None, own)).items())
    wanted = sorted(set(filter(None, own)))[::2]
    place_of = {window: place for place, window in enumerate(wanted)}
    assert window_numbers(column, wanted).tolist() == [place_of.get(window, -1) for window in own]


def test_other_types_are_no_times():
    with pytest.raises(DataError, match=r"LM304 .* int64"):
        window_starts(pa.array([1]), DAY)


@pytest.mark.parametrize(
    "column",
    [
        pa.array([datetime(9999, 12, 31, tzinfo=UTC)]),
        pa.array([datetime(1, 1, 1, tzinfo=UTC)]),
        pa.array([2**62], pa.timestamp("s")),
        pa.array([-(2**31)], pa.date32()),
    ],
)
def test_times_beyond_the_calendar_are_refused(column):
    with pytest.raises(DataError, match="LM350 1 timestamps lie outside"):
        window_starts(column, DAY)


@pytest.fixture(scope="module")
def rows():
    start = datetime(2024, 1, 1, tzinfo=UTC)
    hours = [30, 1, None, 2, 60, 29, 3]
    return pa.table({
        "ts": pa.array([None if hour is None else start + timedelta(hours=hour) for hour in hours]),
        "model": pa.array([10, 9, 9, 10, 9, None, 9]),
        "text": ["a", "b", "c", "d", "e", "f", "g"],
    })  # fmt: skip


def days(number):
    return [DAY.window(datetime(2024, 1, 1 + day, tzinfo=UTC)) for day in range(number)]


def texts(found):
    return [(window.start.day, part.column("text").to_pylist()) for window, part in found]


def test_a_table_is_split_by_window_in_order_of_time(rows):
    assert texts(split(rows, days(3), "ts")) == [(1, ["b", "d", "g"]), (2, ["a", "f"]), (3, ["e"])]
    assert texts(split(rows, days(3)[1:2], "ts")) == [(2, ["a", "f"])]


@pytest.mark.parametrize("rows_of", [lambda rows: rows.slice(0, 0), lambda rows: rows.slice(2, 1)])
def test_nothing_with_a_time_gives_no_windows(rows, rows_of):
    assert texts(split(rows_of(rows), days(1), "ts")) == [(1, [])]
    assert count_by_window(rows_of(rows).column("ts"), DAY) == []


def test_chunked_columns_are_split_alike(rows):
    chunked = pa.concat_tables([rows.slice(0, 3), rows.slice(3)])
    assert texts(split(chunked, days(3), "ts")) == texts(split(rows, days(3), "ts"))


def test_rows_are_numbered_by_the_windows_that_are_wanted(rows):
    first = datetime(2024, 1, 1, tzinfo=UTC)
    wanted = [DAY.window(first), DAY.window(first + timedelta(days=2))]
    assert window_numbers(rows.column("ts"), wanted).tolist() == [-1, 0, -1, 0, 1, -1, 0]
