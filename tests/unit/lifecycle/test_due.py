"""Which windows are due, and how they are read together."""

from datetime import UTC, datetime, timedelta

import pytest

from lakemon_core.domain.window import Granularity, Window
from lakemon_core.lifecycle import table_windows
from lakemon_core.lifecycle.due import Watermark
from lakemon_core.lifecycle.table_windows import WindowRows, chunks, due_windows, span_of

DAY = Granularity("1 day")
MIDNIGHT = datetime(2026, 3, 1, tzinfo=UTC)


def day(number: int) -> Window:
    return DAY.window(MIDNIGHT + timedelta(days=number))


def test_everything_is_due_when_the_table_cannot_tell_what_changed():
    existing = {day(0): 5, day(3): 7}
    assert due_windows(None, existing, DAY) == [day(0), day(3)]


def test_a_changed_window_makes_its_successor_due():
    existing = {day(number): 1 for number in range(5)}
    assert due_windows({day(2)}, existing, DAY) == [day(2), day(3)]


def test_a_window_without_rows_is_not_due():
    assert due_windows({day(2)}, {day(0): 1, day(4): 1}, DAY) == []


@pytest.mark.parametrize("text", ["5 minutes", "1 day", "2 weeks", "1 month", "1 year"])
def test_the_span_reaches_one_window_beyond_both_ends(text):
    granularity = Granularity(text)
    window = granularity.window(datetime(2026, 2, 28, 12, tzinfo=UTC))
    span = span_of({window}, granularity)
    assert span.start == granularity.previous(window).start
    assert span.end == granularity.following(window).end


def test_windows_are_read_together_up_to_the_limit(monkeypatch):
    monkeypatch.setattr(table_windows, "CHUNK_ROWS", 10)
    sizes = {day(0): 4, day(1): 6, day(2): 1, day(3): 50, day(4): 2}
    assert list(chunks(list(sizes), sizes)) == [[day(0), day(1)], [day(2)], [day(3)], [day(4)]]


def test_windows_that_are_not_due_are_read_only_where_it_is_cheaper_than_reading_twice(monkeypatch):
    monkeypatch.setattr(table_windows, "CHUNK_ROWS", 10)
    sizes = {day(0): 2, day(1): 3, day(2): 4, day(3): 50, day(4): 2}
    assert list(chunks([day(0), day(2), day(4)], sizes)) == [[day(0), day(2)], [day(4)]]


def test_windows_whose_rows_lie_scattered_are_read_in_larger_groups(monkeypatch):
    monkeypatch.setattr(table_windows, "CHUNK_ROWS", 10)
    sizes = WindowRows({day(0): 8, day(1): 8, day(2): 8})
    assert len(list(chunks(list(sizes), sizes))) == 3
    sizes.scattered = True
    assert list(chunks(list(sizes), sizes)) == [[day(0), day(1), day(2)]]


def test_a_watermark_reads_back_as_it_was_written():
    mark = Watermark("0a1b2c", 17)
    assert Watermark.read(mark.text()) == mark
    assert Watermark.read(None) is None
