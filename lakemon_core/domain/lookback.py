"""References that a window finds in earlier windows of its own table."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil

from lakemon_core.domain.window import Granularity, Window

_WEEK, _YEAR = 7, 364


@dataclass(frozen=True, slots=True)
class Lookback:
    """Earlier windows, taken together, that a window is compared with.

    Attributes:
        name: what rules write after `compare:`; drift rows carry it in capitals.
        windows: how many windows are taken together.
        offset: how many windows back the newest of them lies; 1 is the window just before.
        days: the one window that lies so many days back, in place of `windows` and `offset`.
    """

    name: str
    windows: int = 1
    offset: int = 1
    days: int | None = None

    @property
    def drift_type(self) -> str:
        """As it stands in drift rows."""
        return self.name.upper()

    def span(self, window: Window, granularity: Granularity) -> Window | None:
        """Returns the time it looks back at; None where there is no such window of this length."""
        newest = self._newest(granularity)
        if newest is None:
            return None
        last = _shifted(window, -newest, granularity)
        first = _shifted(window, -(newest + self.windows - 1), granularity)
        return Window(first.start, last.end) if first and last else None

    def among(self, windows: Sequence[Window], window: Window) -> Window | None:
        """Returns the time it looks back at among windows of so many rows, the one that looks included.

        Args:
            windows: in order.
            window: one of them.

        Returns:
            None where less than half of its windows are there, and for windows of the calendar.
        """
        last = bisect_left(windows, window) - self.offset
        first = max(0, last - self.windows + 1)
        if self.days is not None or last - first + 1 < self.fewest:
            return None
        return Window(windows[first].start, windows[last].end)

    @property
    def fewest(self) -> int:
        """So many of its windows must hold rows: one that is missing is a hole, no lack of history."""
        return ceil(self.windows / 2)

    @property
    def steps(self) -> range:
        """How many windows back those lie that it takes together; none for the calendar's."""
        return range(0) if self.days is not None else range(self.offset, self.offset + self.windows)

    def dependents(self, window: Window, granularity: Granularity) -> Iterator[Window]:
        """Yields the windows that look back at this one."""
        newest = self._newest(granularity)
        if newest is not None:
            steps = range(newest, newest + self.windows)
            yield from filter(None, (_shifted(window, step, granularity) for step in steps))

    def _newest(self, granularity: Granularity) -> int | None:
        """How many windows back the newest one lies."""
        if self.days is None:
            return self.offset
        seconds = granularity.seconds
        if seconds is None:
            return granularity.a_year if self.days == _YEAR else None
        steps, rest = divmod(self.days * 86400, seconds)
        return None if rest else steps


def _shifted(window: Window, steps: int, granularity: Granularity) -> Window | None:
    try:
        return granularity.shift(window, steps)
    except (OverflowError, ValueError):  # beyond the years that a calendar has
        return None


LAST_WEEK = Lookback("last_week", days=_WEEK)
"""The same window seven days earlier; for windows up to a week."""
LAST_YEAR = Lookback("last_year", days=_YEAR)
"""The same window 364 days earlier, so that weekdays meet; months and years follow the calendar."""
CALENDAR = (LAST_WEEK, LAST_YEAR)
"""References that need no definition: a rule's `compare` asks for them."""
