"""Granularities and half-open windows, in UTC."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from lakemon_core.domain.errors import UsageError

_FIXED = {"5 minutes": 300, "30 minutes": 1800, "1 hour": 3600, "1 day": 86400}
_WEEKS = re.compile(r"([1-4]) weeks?")
GRANULARITIES = (*_FIXED, "1 week", "2 weeks", "3 weeks", "4 weeks", "1 month", "1 year")
_MONDAY = datetime(1970, 1, 5, tzinfo=UTC)


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """Half-open span of time, `start <= t < end`, both UTC."""

    start: datetime
    end: datetime

    def __str__(self) -> str:
        """The start's date, with the time unless it is midnight."""
        midnight = (self.start.hour, self.start.minute, self.start.second) == (0, 0, 0)
        return self.start.strftime("%Y-%m-%d" if midnight else "%Y-%m-%d %H:%M")


@dataclass(frozen=True, slots=True)
class Granularity:
    """The length of windows: one of the strings of Databricks data profiling.

    Weeks start on Monday; `n weeks` count from Monday 1970-01-05; months and years follow the calendar.

    Raises:
        UsageError: LM113 for any other string.
    """

    text: str

    def __post_init__(self) -> None:
        """Refuses what Databricks would refuse."""
        if (
            self.text not in _FIXED
            and not _WEEKS.fullmatch(self.text)
            and self.text not in {"1 month", "1 year"}
        ):
            raise UsageError(
                "LM113",
                f"{self.text!r} is not a granularity;",
                cure=f"use one of {', '.join(GRANULARITIES)}.",
            )

    @property
    def seconds(self) -> int | None:
        """Fixed length in seconds; None for months and years."""
        if self.text in _FIXED:
            return _FIXED[self.text]
        weeks = _WEEKS.fullmatch(self.text)
        return int(weeks[1]) * 7 * 86400 if weeks else None

    def window(self, moment: datetime) -> Window:
        """Returns the window that holds an aware moment."""
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
            OverflowError, ValueError: beyond the years 1 to 9999.
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
