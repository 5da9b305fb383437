"""Which function answers which call."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from .messages import Answer, Refused, Request

Handler = Callable[[Request], Answer | dict[str, Any]]
_PART = re.compile(r"\{(\w+)(:path)?\}")


class UnknownCall(Refused):
    """A call that nothing here answers: the test fails loudly."""

    def __init__(self, request: Request) -> None:
        super().__init__(404, "ENDPOINT_NOT_FOUND", f"No API found for '{request.method} {request.path}'")


@dataclass(frozen=True, slots=True)
class _Route:
    method: str
    pattern: re.Pattern[str]
    handler: Handler
    is_open: bool


@dataclass(slots=True)
class Routes:
    """All routes; the first that fits answers."""

    _routes: list[_Route] = field(default_factory=list[_Route])

    def add(self, method: str, path: str, handler: Handler, *, is_open: bool = False) -> None:
        """Adds a route.

        Args:
            method: HTTP method.
            path: with `{name}` for one part and `{name:path}` for all that follows.
            handler: returns an answer, or a dict that becomes a JSON answer.
            is_open: answered without credentials.
        """
        self._routes.append(_Route(method, _pattern(path), handler, is_open))

    def find(self, request: Request) -> tuple[Request, Handler, bool]:
        """Returns the request with its parts named, its handler, and whether it needs no credentials.

        Raises:
            UnknownCall: when no route fits.
        """
        for route in self._routes:
            found = route.pattern.fullmatch(request.path)
            if found and route.method == request.method:
                params: Mapping[str, str] = found.groupdict()
                return replace(request, params=params), route.handler, route.is_open
        raise UnknownCall(request)


def _pattern(path: str) -> re.Pattern[str]:
    """Returns the expression of `/a/{name}/b`."""
    written, end = "", 0
    for part in _PART.finditer(path):
        written += re.escape(path[end : part.start()])
        written += f"(?P<{part[1]}>{'.+' if part[2] else '[^/]+'})"
        end = part.end()
    return re.compile(written + re.escape(path[end:]))
