"""Shows what a run is doing: a live line on a terminal, plain lines elsewhere; always on stderr."""

from __future__ import annotations

import os
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from lakemon_core.domain.names import plain
from lakemon_core.hookspecs import StageContext, hookimpl

if TYPE_CHECKING:
    from rich.console import RenderableType

DISPLAY = "lakemon.cli:display"
"""Name under which the display listens to the stages."""

FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
MARKS = {"done": "✓", "nothing to do": "✓", "pending": "…", "failed": "✗", "skipped": "-"}
"""Status of a stage → the mark before its name."""


class _StageDisplay(ABC):
    """Tells the beginning and the end of every stage; it listens through the hooks, as any plugin may."""

    def __init__(self) -> None:
        self._start = time.monotonic()

    @hookimpl
    def lakemon_before_stage(self, context: StageContext) -> None:
        self.update(context.stage.value)

    @hookimpl
    def lakemon_after_stage(self, context: StageContext) -> None:
        self._tell_end(context)

    @hookimpl
    def lakemon_on_stage_error(self, context: StageContext) -> None:
        self._tell_end(context)

    @abstractmethod
    def update(self, what: str, done: int | None = None, total: int | None = None) -> None:
        """Says what is being done now and how far it is."""

    @abstractmethod
    def line(self, text: str) -> None:
        """Prints one line that stays."""

    def _tell_end(self, context: StageContext) -> None:
        outcome = context.outcome
        if outcome is not None:
            mark = MARKS[outcome.status.value]
            self.line(f"{mark} {outcome.name.value:<9}{outcome.seconds:7.1f} s  {outcome.status.value}")

    @property
    def _elapsed(self) -> float:
        return time.monotonic() - self._start


class SilentDisplay(_StageDisplay):
    """Shows nothing."""

    def update(self, what: str, done: int | None = None, total: int | None = None) -> None:
        """Does nothing."""

    def line(self, text: str) -> None:
        """Does nothing."""


class PlainDisplay(_StageDisplay):
    """Prints a line when something new begins; for logs and CI."""

    def __init__(self) -> None:
        super().__init__()
        self._last = ""

    def update(self, what: str, done: int | None = None, total: int | None = None) -> None:
        """Prints `what` with the seconds since the start, once."""
        del done, total
        if what != self._last:
            self._last = what
            self.line(f"{self._elapsed:8.1f} s  {plain(what, 200)}")

    def line(self, text: str) -> None:
        """Prints one line."""
        print(text, file=sys.stderr, flush=True)


class LiveDisplay(_StageDisplay):
    """Keeps one line alive: a spinner, what is being done, how far it is, the seconds so far."""

    def __init__(self) -> None:
        from rich.live import Live

        from lakemon_core.cli.output import console

        super().__init__()
        self._now = ""
        self._console = console(stderr=True)
        self.live = Live(get_renderable=self._render, console=self._console, transient=True)

    def update(self, what: str, done: int | None = None, total: int | None = None) -> None:
        """Shows `what`, and how far it is, until the next call."""
        far = "" if done is None else f"  {done:,}" if total is None else f"  {done:,} of {total:,}"
        self._now = plain(what) + far

    def line(self, text: str) -> None:
        """Prints one line above the live one."""
        self._console.print(text)

    def _render(self) -> RenderableType:
        from rich.text import Text

        turning = FRAMES[int(self._elapsed * 8) % len(FRAMES)]
        line = f"{turning} {self._elapsed:.0f} s  {self._now}"
        return Text(line, no_wrap=True, overflow="ellipsis")


@contextmanager
def showing(*, quiet: bool = False) -> Generator[SilentDisplay | PlainDisplay | LiveDisplay]:
    """Opens the display that fits where stderr goes."""
    if quiet:
        yield SilentDisplay()
    elif sys.stderr.isatty() and not os.environ.get("CI") and os.environ.get("TERM") != "dumb":
        display = LiveDisplay()
        with display.live:
            yield display
    else:
        yield PlainDisplay()
