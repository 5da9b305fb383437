"""Where references lie, for every length of windows."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakemon_core.domain.lookback import LAST_WEEK, LAST_YEAR, Lookback
from lakemon_core.domain.window import GRANULARITIES, Granularity, Window

LENGTHS = st.sampled_from([Granularity(text) for text in GRANULARITIES])
MOMENTS = st.datetimes(datetime(1990, 1, 1), datetime(2060, 1, 1)).map(lambda one: one.replace(tzinfo=UTC))  # noqa: DTZ001 - hypothesis wants naive bounds


@given(length=LENGTHS, moment=MOMENTS, steps=st.integers(-50, 50))
def test_shifting_goes_from_window_to_window(length, moment, steps):
    window = length.window(moment)
    walked = window
    for _ in range(abs(steps)):
        walked = length.following(walked) if steps > 0 else length.previous(walked)
    assert length.shift(window, steps) == walked


@given(length=LENGTHS, moment=MOMENTS, windows=st.integers(1, 5), offset=st.integers(1, 9))
def test_dependents_are_just_the_windows_whose_span_holds_this_one(length, moment, windows, offset):
    lookback, window = Lookback("x", windows, offset), length.window(moment)
    near = [length.shift(window, steps) for steps in range(20)]

    def looks_at(other: Window) -> bool:
        span = lookback.span(other, length)
        return span is not None and span.start <= window.start and window.end <= span.end

    assert sorted(lookback.dependents(window, length)) == [other for other in near if looks_at(other)]


@pytest.mark.parametrize(
    ("text", "week", "year"),
    [
        ("5 minutes", 7, 364),
        ("1 day", 7, 364),
        ("1 week", 7, 364),
        ("2 weeks", None, 364),
        ("3 weeks", None, None),
    ],
)
def test_the_calendar_needs_windows_that_fit_into_it(text, week, year):
    length = Granularity(text)
    window = length.window(datetime(2026, 3, 4, 12, tzinfo=UTC))
    for lookback, days in ((LAST_WEEK, week), (LAST_YEAR, year)):
        span = lookback.span(window, length)
        expected = None if days is None else window.start - timedelta(days=days)
        assert (span.start if span else None) == expected


def test_months_look_at_the_same_month_of_the_year_before():
    length = Granularity("1 month")
    span = LAST_YEAR.span(length.window(datetime(2025, 2, 9, tzinfo=UTC)), length)
    assert span == Window(datetime(2024, 2, 1, tzinfo=UTC), datetime(2024, 3, 1, tzinfo=UTC))
    assert LAST_WEEK.span(span, length) is None


def test_beyond_the_calendar_there_is_nothing():
    length = Granularity("1 year")
    window = length.window(datetime(2026, 1, 1, tzinfo=UTC))
    assert Lookback("x", 1, 9000).span(window, length) is None
    assert list(Lookback("x", 1, 9000).dependents(window, length)) == []
