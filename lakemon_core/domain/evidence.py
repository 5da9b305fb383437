"""The parts of a notification, cleaned and capped, as every channel shows them. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from lakemon_core.domain.incident import DeliveryResult, DeliveryStatus, Notification, TargetResult
from lakemon_core.domain.names import plain

LINE_LIMIT = 1000
"""Characters of one line; what is longer ends in `…`."""


def lines_of(notification: Notification, limit: int = LINE_LIMIT) -> list[str]:
    """Returns the evidence, one sentence each."""
    return [cut for line in notification.lines if (cut := plain(line, limit))]


def facts_of(notification: Notification, limit: int = LINE_LIMIT) -> list[tuple[str, str]]:
    """Returns label and value of everything that is a fact, not a sentence; links are facts too."""
    facts = dict(notification.facts)
    facts |= {"Owner": notification.owner, "Runbook": notification.runbook}
    facts |= dict(notification.links)
    return [(plain(name), plain(value, limit)) for name, value in facts.items() if value]


def commands_of(notification: Notification, limit: int = LINE_LIMIT) -> list[str]:
    """Returns the commands that show it again."""
    return [plain(command, limit) for command in notification.command.splitlines() if command]


def heading_of(notification: Notification, limit: int = LINE_LIMIT) -> str:
    """Returns `[critical] flight_delays dev: PSI of temp 3.24 > 0.2`, one line, enough on a phone."""
    return plain(f"[{notification.state}] {notification.title}", limit)


def together(results: Sequence[TargetResult]) -> DeliveryResult:
    """Sums up what became of the targets of one message: the worst one speaks, `partial` when some got it."""
    sent = {DeliveryStatus.DELIVERED, DeliveryStatus.ACCEPTED}
    statuses = {result.status for result in results}
    failed = [result for result in results if result.status not in sent]
    if failed and statuses & sent:
        status = DeliveryStatus.PARTIAL
    else:
        order = (
            DeliveryStatus.UNKNOWN,
            DeliveryStatus.RETRY,
            DeliveryStatus.REJECTED,
            DeliveryStatus.ACCEPTED,
        )
        status = next((one for one in order if one in statuses), DeliveryStatus.DELIVERED)
    worst = (failed or results)[0]
    return DeliveryResult(status, worst.code, worst.detail, targets=tuple(results))
