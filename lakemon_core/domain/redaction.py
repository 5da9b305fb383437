"""Texts without secrets: what was revealed in this process is hidden, however it is written."""

from __future__ import annotations

import json
from collections.abc import Iterable
from urllib.parse import quote

_revealed: set[str] = set()


def remember(secret: str) -> None:
    """Notes a value that must not be shown from now on."""
    if secret:
        _revealed.add(secret)


def redacted(text: str) -> str:
    """Returns a text with every value hidden that this process revealed so far, whichever session did."""
    return hidden(text, _revealed)


def hidden(text: str, secrets: Iterable[str]) -> str:
    """Returns a text with these values hidden, also as URLs, JSON and Python write them."""
    forms = {form for secret in secrets for form in _forms(secret)}
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, "********")
    return text


def _forms(secret: str) -> set[str]:
    written = {json.dumps(secret), json.dumps(secret, ensure_ascii=False), repr(secret), ascii(secret)}
    return {secret, quote(secret, safe=""), quote(secret), *(text[1:-1] for text in written)}
