"""Rows that are read from their files by Arrow are those that Delta's own engine reads."""

import math
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from lakemon_core.domain.errors import DataError
from lakemon_core.ports import Condition

DAY = timedelta(days=1)
START = datetime(2026, 1, 1, tzinfo=UTC)


def rows(first, count, *, step=timedelta(hours=1), **more):
    moments = [first + place * step for place in range(count)]
    columns = {
        "ts": pa.array(moments, pa.timestamp("us", "UTC")),
        "x": pa.array([math.nan if place % 5 == 0 else float(place) for place in range(count)]),
        "text": pa.array([None if place % 7 == 0 else f"level {place % 3}" for place in range(count)]),
        "id": pa.array([place if place % 4 else None for place in range(count)], pa.int64()),
    }
    return pa.table(columns | more)


def between(start, end):
    return [Condition("ts", ">=", start), Condition("ts", "<", end)]


def plain(table):
    texts = [repr(row) for row in table.to_pylist()]
    return sorted(texts)


@pytest.fixture
def days(tables, name, tmp_path):
    """Three days, a file each."""
    folder = tmp_path / "theirs"
    for day in range(3):
        write_deltalake(str(folder), rows(START + day * DAY, 24), mode="append")
    tables.register(name, folder)
    return folder


def both(tables, name, where=(), columns=None):
    """What all ways read; the cheap ones hand out text as it is encoded, together or column by column."""
    slow = tables.scan(name, columns=columns, where=where).read_all()
    fast = tables.scan(name, columns=columns, where=where, views=True).read_all()
    assert plain(fast) == plain(slow)
    opened = tables.by_column(name, columns=slow.schema.names, where=where)
    if opened is not None:
        with closing(opened):
            apart = pa.table({column: opened.column(column) for column in reversed(opened.column_names)})
        assert plain(apart.select(slow.schema.names)) == plain(slow)
    return fast


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (START, START + DAY, 24),
        (START + DAY, START + 3 * DAY, 48),
        (START + timedelta(hours=3), START + timedelta(hours=20), 17),
        (START - DAY, START + 9 * DAY, 72),
        (START + 9 * DAY, START + 10 * DAY, 0),
    ],
)
def test_rows_of_a_span_are_the_same_however_they_are_read(tables, name, days, start, end, expected):
    found = both(tables, name, between(start, end))
    assert len(found) == expected
    assert pa.types.is_dictionary(found.schema.field("text").type)


def test_columns_are_read_one_by_one_in_the_order_of_all_together(tables, name, days):
    where = between(START + timedelta(hours=3), START + timedelta(hours=44))
    together = tables.scan(name, where=where, views=True).read_all()
    with closing(tables.by_column(name, columns=["id", "text"], where=where)) as opened:
        assert opened.column_names == ["id", "text"]
        assert opened.column("text").to_pylist() == together.column("text").to_pylist()
        assert opened.column("id").to_pylist() == together.column("id").to_pylist()


def test_a_whole_table_is_read_as_it_is(tables, name, days):
    assert len(both(tables, name)) == 72
    assert both(tables, name, columns=["text"]).schema.names == ["text"]


def test_the_time_need_not_be_asked_for(tables, name, days):
    found = both(tables, name, between(START + timedelta(hours=1), START + DAY), ["x"])
    assert found.schema.names == ["x"]
    assert len(found) == 23


def test_a_column_that_came_later_is_null_before(tables, name, days):
    later = rows(START + 3 * DAY, 24, extra=pa.array(["new"] * 24))
    write_deltalake(str(days), later, mode="append", schema_mode="merge")
    found = both(tables, name, between(START + 2 * DAY, START + 4 * DAY))
    assert found.column("extra").to_pylist().count("new") == 24
    assert found.column("extra").null_count == 24


def test_rows_without_a_time_are_in_no_span(tables, name, tmp_path):
    table = rows(START, 24)
    times = table.column("ts").to_pylist()
    missing = pa.array(
        [None if place == 3 else time for place, time in enumerate(times)], table.schema[0].type
    )
    write_deltalake(str(tmp_path / "theirs"), table.set_column(0, "ts", missing))
    tables.register(name, tmp_path / "theirs")
    assert len(both(tables, name, between(START, START + DAY))) == 23


def test_rows_that_were_deleted_or_rewritten_are_read_once(tables, name, days):
    DeltaTable(str(days)).delete("id = 5")
    DeltaTable(str(days)).optimize.compact()
    assert len(both(tables, name)) == 69


def test_an_old_version_is_read_as_it_was(tables, name, days):
    old = tables.scan(name, version=0, views=True).read_all()
    assert len(old) == 24
    with pytest.raises(DataError, match="LM314"):
        tables.scan(name, version=9, views=True)


def test_files_of_many_days_are_left_to_the_engine_that_skips_rows(tables, name, tmp_path):
    write_deltalake(str(tmp_path / "theirs"), rows(START, 24 * 60))
    tables.register(name, tmp_path / "theirs")
    found = both(tables, name, between(START, START + DAY))
    assert len(found) == 24
    assert not pa.types.is_dictionary(found.schema.field("text").type)


def test_a_file_that_is_gone_is_an_error_and_not_fewer_rows(tables, name, days):
    next(days.glob("*.parquet")).unlink()
    with pytest.raises(DataError, match="LM309"):
        tables.scan(name, views=True).read_all()


FAR = datetime(9999, 12, 31, tzinfo=UTC)


@pytest.mark.parametrize(
    ("until", "nanoseconds", "how"),
    [
        ([FAR, datetime(1, 1, 1, tzinfo=UTC)], False, {"use_deprecated_int96_timestamps": True}),
        ([1_700_000_000_123_456_789, 1_001], True, {"use_deprecated_int96_timestamps": True}),
        ([1_700_000_000_123_456_789, -1], True, {}),
    ],
    ids=["Spark's 96 bits, far away", "Spark's 96 bits, nanoseconds", "nanoseconds"],
)
def test_moments_are_read_however_a_file_holds_them(
    tables, name, delta_folder, column, until, nanoseconds, how
):
    kind = pa.timestamp("ns") if nanoseconds else pa.timestamp("us", "UTC")
    held = pa.table(
        {"ts": pa.array([START, START], pa.timestamp("us", "UTC")), "until": pa.array(until, kind)}
    )
    fields = [column("ts", "timestamp"), column("until", "timestamp")]
    folder = delta_folder(fields, [("a.parquet", held, {})], written=how)
    tables.register(name, folder)
    assert both(tables, name).num_rows == 2
