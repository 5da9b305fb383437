"""The parts of a notification, cleaned and capped, as every channel shows them. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import fields
from datetime import datetime
from enum import StrEnum
from math import isfinite
from typing import TypeVar, cast

from lakemon_core.domain.incident import Contributor, Evidence, Notification
from lakemon_core.domain.names import plain

LINE_LIMIT = 1000
"""Characters of one line; what is longer ends in `…`."""

LONGEST_LINK = 2000
"""Characters of a URL that is shown as a link."""

_LINK = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?([/?#][\w!#-&(-;=?@\[\]~]*)?", re.ASCII)
_T = TypeVar("_T")


def lines_of(notification: Notification, limit: int = LINE_LIMIT, most: int | None = None) -> list[str]:
    """Returns the evidence, one sentence each, the first `most` of them."""
    return [cut for line in notification.lines[:most] if (cut := plain(line, limit)).strip()]


def facts_of(
    notification: Notification, limit: int = LINE_LIMIT, most: int | None = None
) -> list[tuple[str, str]]:
    """Returns label and value of everything that is a fact, not a sentence; links are facts too.

    Of the notification's own facts and of its links the first `most`.
    """
    facts = dict(list(notification.facts.items())[:most])
    facts |= {"Owner": notification.owner, "Runbook": notification.runbook, "Report": notification.report}
    facts |= dict(list(notification.links.items())[:most])
    return [(plain(name), plain(value, limit)) for name, value in facts.items() if value]


def commands_of(notification: Notification, limit: int = LINE_LIMIT, most: int | None = None) -> list[str]:
    """Returns the commands that show it again, the first `most` of them."""
    commands = notification.command.splitlines()[:most]
    return [cut for command in commands if (cut := plain(command, limit)).strip()]


def heading_of(notification: Notification, limit: int = LINE_LIMIT) -> str:
    """Returns `[critical] flight_delays dev: PSI of temp 3.24 > 0.2`, one line, enough on a phone."""
    return plain(f"[{notification.state}] {notification.title}", limit)


def links_of(notification: Notification) -> list[tuple[str, str]]:
    """Returns label and URL of everything that can be followed: what is no plain URL is left out."""
    links = {"Report": notification.report, "Runbook": notification.runbook, **notification.links}
    return [(plain(label), url) for label, url in links.items() if is_link(url)]


def is_link(text: str) -> bool:
    """Whether a text can be shown as a link: a plain http(s) URL without user, quotes or spaces."""
    return len(text) <= LONGEST_LINK and _LINK.fullmatch(text) is not None


def figures_of(evidence: Evidence) -> dict[str, object]:
    """Returns the figures of one incident as plain JSON values; what is not known is left out."""
    return {
        field.name: value
        for field in fields(evidence)
        if (value := _plain_json(getattr(evidence, field.name))) not in (None, "", [])
    }


def within(make: Callable[[int], _T], most: int, fits: Callable[[_T], bool]) -> tuple[_T, bool]:
    """Makes a message with as many parts as fit.

    Args:
        make: makes it with so many parts; with 0 it fits.
        most: how many there are.
        fits: whether a message stays within the channel's limits.

    Returns:
        the message, and whether parts were left out.
    """
    count = most
    while count and not fits(make(count)):
        count = count * 2 // 3
    return make(count), count < most


def _plain_json(value: object) -> object:
    match value:
        case StrEnum():
            return value.value
        case str():
            return plain(value, 200)
        case float():
            return value if isfinite(value) else str(value)
        case datetime():
            return value.isoformat()
        case tuple():
            parts = cast("tuple[object, ...]", value)
            return [_plain_json(part) for part in parts]
        case Contributor():
            return {
                "column": plain(value.column),
                "statistic": value.statistic,
                "value": _plain_json(value.value),
            }
        case _:
            return value
