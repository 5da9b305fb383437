"""Granularities and half-open windows, in UTC: of a length of time, or of so many rows."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from lakemon_core.domain.errors import UsageError

_FIXED = {"5 minutes": 300, "30 minutes": 1800, "1 hour": 3600, "1 day": 86400}
_WEEKS = re.compile(r"([1-4]) weeks?")
_ROWS = re.compile(r"([1-9]\d{0,8}) rows")
GRANULARITIES = (*_FIXED, "1 week", "2 weeks", "3 weeks", "4 weeks", "1 month", "1 year")
_MONDAY = datetime(1970, 1, 5, tzinfo=UTC)
FILLING = datetime(9998, 1, 1, tzinfo=UTC)
"""End of a window that waits for more rows: no row that is measured is so late."""


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """Half-open span of time, `start <= t < end`, both UTC."""

    start: datetime
    end: datetime

    def __str__(self) -> str:
        """The start's date, with the time unless it is midnight, as exact as it is given."""
        clock = self.start.time()
        if clock == time():
            return self.start.strftime("%Y-%m-%d")
        whole_minute = not (clock.second or clock.microsecond)
        return self.start.strftime("%Y-%m-%d %H:%M" if whole_minute else "%Y-%m-%d %H:%M:%S")


@dataclass(frozen=True, slots=True)
class Granularity:
    """The length of windows: one of the strings of Databricks data profiling, or so many rows.

    Weeks start on Monday; `n weeks` count from Monday 1970-01-05; months and years follow the calendar.
    Windows of rows follow the table, not the clock: they have neither a length in time nor neighbours that
    could be computed.

    Raises:
        UsageError: LM113 for any other string.
    """

    text: str

    def __post_init__(self) -> None:
        """Refuses what is neither a string of Databricks nor a number of rows."""
        known = self.text in _FIXED or self.text in {"1 month", "1 year"}
        if not (known or _WEEKS.fullmatch(self.text) or _ROWS.fullmatch(self.text)):
            raise UsageError(
                "LM113",
                f"{self.text!r} is not a granularity;",
                cure=f'use one of {", ".join(GRANULARITIES)}, or so many rows, as in "10000 rows".',
            )

    @property
    def rows(self) -> int | None:
        """So many rows fill a window; None for windows of a length of time."""
        found = _ROWS.fullmatch(self.text)
        return int(found[1]) if found else None

    @property
    def seconds(self) -> int | None:
        """Fixed length in seconds; None for months and years, and for windows of rows."""
        if self.text in _FIXED:
            return _FIXED[self.text]
        weeks = _WEEKS.fullmatch(self.text)
        return int(weeks[1]) * 7 * 86400 if weeks else None

    def window(self, moment: datetime) -> Window:
        """Returns the window that holds an aware moment.

        Raises:
            ValueError: windows of rows.
        """
        if self.rows is not None:
            raise ValueError(f"which window of {self} holds a moment depends on the rows")
        moment = moment.astimezone(UTC)
        seconds = self.seconds
        if seconds is not None:
            length = timedelta(seconds=seconds)
            start = _MONDAY + (moment - _MONDAY) // length * length
            return Window(start, start + length)
        first = moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        if self.text == "1 year":
            first = first.replace(month=1)
            return Window(first, first.replace(year=first.year + 1))
        return Window(first, (first + timedelta(days=32)).replace(day=1))

    @property
    def a_year(self) -> int | None:
        """How many windows a calendar year has; None for windows of fixed length."""
        return {"1 month": 12, "1 year": 1}.get(self.text)

    def shift(self, window: Window, steps: int) -> Window:
        """Returns the window so many steps later, or earlier where `steps` is negative.

        Raises:
            OverflowError, ValueError: beyond the years 1 to 9999; ValueError for windows of rows.
        """
        if self.seconds is not None:
            length = timedelta(seconds=self.seconds)
            return Window(window.start + steps * length, window.end + steps * length)
        months = steps * (12 // (self.a_year or 12))
        years, month = divmod(window.start.month - 1 + months, 12)
        return self.window(window.start.replace(year=window.start.year + years, month=month + 1))

    def previous(self, window: Window) -> Window:
        """Returns the window just before."""
        return self.window(window.start - timedelta(microseconds=1))

    def following(self, window: Window) -> Window:
        """Returns the window just after."""
        return self.window(window.end)

    def __str__(self) -> str:
        """The string of the config."""
        return self.text
