"""The clock of the fake workspace, turned by tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class Clock:
    """Runs as the true clock does, from where a test sets it.

    Attributes:
        seconds_a_call: how far every call moves the clock, so that polling comes to an end without waiting.
    """

    def __init__(self) -> None:
        self._ahead = timedelta()
        self._stopped: datetime | None = None
        self.seconds_a_call = 0.0

    def now(self) -> datetime:
        """Returns the time of the workspace, UTC."""
        return (self._stopped or datetime.now(UTC)) + self._ahead

    def now_ms(self) -> int:
        """Returns the time of the workspace in milliseconds since 1970."""
        return int(self.now().timestamp() * 1000)

    def advance(self, seconds: float) -> None:
        """Turns the clock forward."""
        self._ahead += timedelta(seconds=seconds)

    def stop_at(self, moment: datetime) -> None:
        """Stops the clock at a moment (with time zone); from there only `advance` moves it."""
        self._stopped, self._ahead = moment, timedelta()

    def called(self) -> None:
        """Counts one call."""
        if self.seconds_a_call:
            self.advance(self.seconds_a_call)
