"""A notification as Block Kit. Pure.

Every text that may come from data stands in `plain_text` or in a rich text element: Slack parses neither, so
a column named `<!channel>` wakes nobody up and `*bold*` stays what it is. Only `text`, the line for
notifications and screen readers, is escaped instead.
"""

from __future__ import annotations

import json

from lakemon_core.domain.incident import Notification, Transition
from lakemon_core.domain.message_parts import (
    commands_of,
    facts_of,
    heading_of,
    is_link,
    lines_of,
    links_of,
    within,
)
from lakemon_core.domain.names import plain

MOST_CHARACTERS = 10_000
"""Of all blocks together; beyond some 13,000 Slack answers `msg_blocks_too_long`, documented nowhere."""

LONGEST_HEADER, LONGEST_SECTION, LONGEST_URL = 150, 3000, 1000
MOST_FIELDS, MOST_LINKS, MOST_COMMANDS = 10, 3, 2
_MOST_LINES = 12
_MARKS = {"critical": "🔴", "warning": "🟠", "info": "🔵", "resolved": "🟢", "acknowledged": "👀"}

Block = dict[str, object]


def blocks_of(notification: Notification) -> tuple[list[Block], bool]:
    """Returns the blocks, and whether something was left out."""
    blocks, was_cut = within(
        lambda count: _blocks(notification, count),
        _MOST_LINES,
        lambda blocks: len(json.dumps(blocks, ensure_ascii=False)) <= MOST_CHARACTERS,
    )
    return blocks, was_cut or len(notification.lines) > _MOST_LINES


def text_of(notification: Notification) -> str:
    """Returns the begin of the message as text, for notifications, which show no blocks; at most 4,000."""
    return escaped("\n".join([heading_of(notification, 200), *lines_of(notification, 190, 3)]))


def escaped(text: str) -> str:
    """Returns a text in which Slack finds no mention, channel or link."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _blocks(notification: Notification, count: int) -> list[Block]:
    heading = f"{_MARKS.get(notification.state, '⚪')} {heading_of(notification)}"
    lines = [] if len(heading) <= LONGEST_HEADER else [heading]
    lines += [f"• {line}" for line in lines_of(notification, 500, count)]
    fields = [(label, value) for label, value in facts_of(notification, most=count) if not is_link(value)]
    blocks: list[Block] = [{"type": "header", "text": _plain_text(heading, LONGEST_HEADER)}]
    if lines:
        blocks.append({"type": "section", "text": _plain_text("\n".join(lines), LONGEST_SECTION)})
    if fields[:count]:
        told = [_plain_text(f"{label}\n{value}", 300) for label, value in fields[: min(count, MOST_FIELDS)]]
        blocks.append({"type": "section", "fields": told})
    blocks += _ways(notification)
    blocks.append({"type": "context", "elements": [_plain_text(_footer(notification, count), 300)]})
    return blocks


def _ways(notification: Notification) -> list[Block]:
    """Returns links and commands as rich text."""
    elements: list[Block] = []
    links = [
        {"type": "link", "url": url, "text": label or "Link"}
        for label, url in links_of(notification)
        if len(url) <= LONGEST_URL
    ]
    if links:
        gap: Block = {"type": "text", "text": "   "}
        spaced = [part for link in links[:MOST_LINKS] for part in (link, gap)][:-1]
        elements.append({"type": "rich_text_section", "elements": spaced})
    commands = commands_of(notification, 500, MOST_COMMANDS)
    if commands:
        shown: Block = {"type": "text", "text": "\n".join(commands)}
        elements.append({"type": "rich_text_preformatted", "elements": [shown]})
    return [{"type": "rich_text", "elements": elements}] if elements else []


def _footer(notification: Notification, count: int) -> str:
    words = f"lakemon, {notification.transition.value}, message {plain(notification.key)}"
    if len(notification.lines) > count:
        return f"{words}; shortened, `lakemon alert list` shows all of it"
    if notification.transition is Transition.TEST:
        return f"{words}; nothing is wrong"
    return words


def _plain_text(text: str, limit: int) -> Block:
    cut = text if len(text) <= limit else text[: limit - 1] + "…"
    return {"type": "plain_text", "text": cut, "emoji": False}
