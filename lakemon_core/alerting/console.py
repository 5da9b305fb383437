"""The sink `console`: shows messages on the terminal. Needs no server and no settings."""

from __future__ import annotations

import sys
from typing import ClassVar, cast

from lakemon_core.domain.incident import Attempt, DeliveryResult, DeliveryStatus, Notification, Rendered
from lakemon_core.domain.names import plain
from lakemon_core.ports import AlertSink, SinkCheck

_COLOURS = {
    "critical": "red",
    "warning": "yellow",
    "info": "blue",
    "resolved": "green",
}


class ConsoleSink(AlertSink):
    """Prints each message to standard error, so that standard output stays clean for results."""

    type: ClassVar[str] = "console"

    def render(self, notification: Notification) -> Rendered:
        """Returns plain text: `[state] title`, then one fact a line."""
        facts = {
            "owner": notification.owner,
            "runbook": notification.runbook,
            "report": notification.report,
        }
        lines = [
            f"[{notification.state}] {plain(notification.title, 200)}",
            *(f"  {plain(line, 300)}" for line in notification.lines),
            *(f"  {name}: {plain(value, 300)}" for name, value in facts.items() if value),
            *(f"  $ {plain(command, 1000)}" for command in notification.command.splitlines()),
        ]
        return Rendered("\n".join(lines), "text/plain")

    def deliver(self, rendered: Rendered, attempt: Attempt) -> DeliveryResult:
        """Prints it; the first line in the colour of its state where the terminal has colours."""
        from rich.console import Console
        from rich.text import Text

        del attempt
        title, _, rest = cast("str", rendered.body).partition("\n")
        state = title[1:].partition("]")[0]
        text = Text(title, style=f"bold {_COLOURS.get(state, 'cyan')}").append(
            f"\n{rest}", style="not bold default"
        )
        console = Console(stderr=True, highlight=False, soft_wrap=True)
        with console.capture() as printed:
            console.print(text)
        try:  # through sys.stderr, which a live progress display stands in for
            print(printed.get(), end="", file=sys.stderr, flush=True)
        except OSError as error:
            return DeliveryResult(DeliveryStatus.RETRY, type(error).__name__, str(error))
        return DeliveryResult(DeliveryStatus.DELIVERED)

    def check(self) -> SinkCheck:
        """There is always a standard error."""
        return SinkCheck(ok=True, detail="prints to standard error")
