"""The parts of a notification, cleaned and capped, as every channel shows them. Pure."""

from __future__ import annotations

from lakemon_core.domain.incident import Notification
from lakemon_core.domain.names import plain

LINE_LIMIT = 1000
"""Characters of one line; what is longer ends in `…`."""


def lines_of(notification: Notification, limit: int = LINE_LIMIT) -> list[str]:
    """Returns the evidence, one sentence each."""
    return [cut for line in notification.lines if (cut := plain(line, limit))]


def facts_of(notification: Notification, limit: int = LINE_LIMIT) -> list[tuple[str, str]]:
    """Returns label and value of everything that is a fact, not a sentence; links are facts too."""
    facts = dict(notification.facts)
    facts |= {"Owner": notification.owner, "Runbook": notification.runbook, "Report": notification.report}
    facts |= dict(notification.links)
    return [(plain(name), plain(value, limit)) for name, value in facts.items() if value]


def commands_of(notification: Notification, limit: int = LINE_LIMIT) -> list[str]:
    """Returns the commands that show it again."""
    return [plain(command, limit) for command in notification.command.splitlines() if command]


def heading_of(notification: Notification, limit: int = LINE_LIMIT) -> str:
    """Returns `[critical] flight_delays dev: PSI of temp 3.24 > 0.2`, one line, enough on a phone."""
    return plain(f"[{notification.state}] {notification.title}", limit)
