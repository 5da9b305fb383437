"""What every page works with, and how it reads a request."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from lakemon_core.domain.errors import UsageError
from lakemon_core.ui.dashboard import Dashboard
from lakemon_core.ui.questions import Questions
from lakemon_core.ui.render import Renderer

if TYPE_CHECKING:
    from starlette.requests import Request

    from lakemon_core.ui.door import Visitor

MOST_BYTES = 256 * 1024
"""Of a form."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What the pages share.

    Attributes:
        dashboard: what is watched.
        show: lays pages out.
        questions: SQL statements that are running.
        told: what a visitor is told once on the next page: visitor → sentence.
    """

    dashboard: Dashboard
    show: Renderer = field(default_factory=Renderer)
    questions: Questions = field(default_factory=Questions)
    told: dict[str, str] = field(default_factory=dict[str, str])

    def tell(self, request: Request, sentence: str) -> None:
        """Notes a sentence for the next page of this visitor."""
        if len(self.told) > 1000:
            self.told.clear()
        self.told[visitor(request).id] = sentence

    def take_told(self, request: Request) -> str:
        """Returns what this visitor has to be told, once."""
        return self.told.pop(visitor(request).id, "")


def desk_of(request: Request) -> Desk:
    """Returns the desk of the app that answers."""
    desk: Desk = request.app.state.desk
    return desk


def visitor(request: Request) -> Visitor:
    """Returns who asks."""
    found: Visitor = request.scope["lakemon_visitor"]
    return found


async def read_form(request: Request) -> Mapping[str, str]:
    """Returns the fields of a form that came from one of our pages.

    Raises:
        UsageError: LM193 when it does not carry the key of our forms, or is too large.
    """
    size = 0
    parts: list[bytes] = []
    async for part in request.stream():
        size += len(part)
        if size > MOST_BYTES:
            raise UsageError("LM193", "the form is too large;", cure="write less.")
        parts.append(part)
    text = b"".join(parts).decode("utf-8", "replace")
    fields = dict(parse_qsl(text, keep_blank_values=True, max_num_fields=50))
    given = request.headers.get("x-lakemon-form") or fields.pop("form_key", "")
    if not hmac.compare_digest(given.encode(), visitor(request).form_key.encode()):
        raise UsageError(
            "LM193", "the form was not made by this dashboard;", cure="load the page again and retry."
        )
    return {name: value.strip() for name, value in fields.items()}
