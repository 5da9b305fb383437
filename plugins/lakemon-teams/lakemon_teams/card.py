"""A notification as an Adaptive Card 1.4, in the envelope that Workflows take. Pure.

All words stand in text runs, which know no Markdown, so brackets and stars of a column's name stay what they
are. A mention needs an entity beside the text; a card without entities mentions nobody.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from lakemon_core.domain.incident import Notification
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

LARGEST_CARD = 20_000
"""Bytes of the whole request; Teams states 28 KB, and answers 413 from some 21,000 on."""

_MOST_LINES, _MOST_LINKS, _MOST_COMMANDS = 12, 4, 2
_LONGEST_URL = 2000
_COLOURS = {"critical": "attention", "warning": "warning", "info": "accent", "resolved": "good"}

Element = dict[str, object]


def message_of(notification: Notification) -> tuple[bytes, bool]:
    """Returns the request's body, and whether something was left out."""
    body, was_cut = within(
        lambda count: _message(notification, count), _MOST_LINES, lambda body: len(body) <= LARGEST_CARD
    )
    return body, was_cut or len(notification.lines) > _MOST_LINES


def _message(notification: Notification, count: int) -> bytes:
    attachment = {
        "contentType": "application/vnd.microsoft.card.adaptive",
        "contentUrl": None,
        "content": _card(notification, count),
    }
    whole = {"type": "message", "attachments": [attachment]}
    return json.dumps(whole, ensure_ascii=False, separators=(",", ":")).encode()


def _card(notification: Notification, count: int) -> Element:
    actions = [
        {"type": "Action.OpenUrl", "title": label or "Link", "url": url}
        for label, url in links_of(notification)[:_MOST_LINKS]
        if len(url) <= _LONGEST_URL
    ]
    return {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "fallbackText": heading_of(notification, 300),
        "msteams": {"width": "Full"},
        "body": list(_body(notification, count)),
        **({"actions": actions} if actions else {}),
    }


def _body(notification: Notification, count: int) -> Iterator[Element]:
    colour = _COLOURS.get(notification.state, "default")
    yield _text(_run(heading_of(notification, 300), size="large", weight="bolder", color=colour))
    for line in lines_of(notification, 500, count):
        yield _text(_run(f"• {line}"), spacing="small")
    facts = [(label, value) for label, value in facts_of(notification, most=count) if not is_link(value)]
    for number, (label, value) in enumerate(facts[:count]):
        gap = "small" if number else "medium"
        yield _text(_run(f"{label}: ", isSubtle=True), _run(plain(value, 300)), spacing=gap)
    for command in commands_of(notification, 500, _MOST_COMMANDS):
        yield _text(_run(command, fontType="monospace", size="small"))
    words = f"lakemon, {notification.transition.value}, message {notification.key[:64]}"
    if len(notification.lines) > count:
        words = f"{words}; shortened, `lakemon alert list` shows all of it"
    yield _text(_run(words, isSubtle=True, size="small"))


def _text(*runs: Element, **how: str) -> Element:
    return {"type": "RichTextBlock", "inlines": list(runs), **how}


def _run(text: str, **how: object) -> Element:
    return {"type": "TextRun", "text": text or " ", **how}
