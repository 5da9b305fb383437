"""A notification as title and text in which no service that Apprise knows finds a mention or a link. Pure."""

from __future__ import annotations

import re

from lakemon_core.domain.incident import Notification
from lakemon_core.domain.message_parts import commands_of, facts_of, heading_of, lines_of

LONGEST_TITLE, MOST_LINES = 250, 12
_TAG = re.compile(r"<(?=\S)")
_BREAK = "\u200b"


def title_of(notification: Notification) -> str:
    """Returns one line that is enough on a phone."""
    return inert(heading_of(notification, LONGEST_TITLE))


def body_of(notification: Notification) -> str:
    """Returns the message below its title, the evidence first: some services cut the end off."""
    lines = [f"- {line}" for line in lines_of(notification, 500, MOST_LINES)]
    facts = [f"{label}: {value}" for label, value in facts_of(notification, 500, MOST_LINES)]
    commands = [f"$ {command}" for command in commands_of(notification, most=2)]
    return "\n".join([inert(text) for text in (*lines, *facts, *commands)] or ["lakemon"])


def inert(text: str) -> str:
    """Breaks what services act on, `@everyone`, `<!channel>`, `<at>`, `[text](url)`; it looks the same."""
    return _TAG.sub(f"<{_BREAK}", text).replace("@", f"@{_BREAK}").replace("](", f"]{_BREAK}(")
