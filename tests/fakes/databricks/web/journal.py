"""What was called: every request with its answer, in order, for tests to look at."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from .messages import Request


@dataclass(frozen=True, slots=True)
class Call:
    """One call and what it was answered.

    Attributes:
        request: as it came in.
        status: HTTP status of the answer; 0 when the line was cut instead.
        fault: name of the scripted fault that hit it; empty without.
    """

    request: Request
    status: int
    fault: str = ""

    @property
    def json(self) -> Any:
        """The body as JSON; None when there is none."""
        return json.loads(self.request.body) if self.request.body else None

    def __str__(self) -> str:
        return f"{self.request.method} {self.request.path} -> {self.status} {self.fault}".rstrip()


@dataclass(slots=True)
class Journal:
    """All calls, and those that nothing answers.

    Attributes:
        calls: in order of arrival of their answers.
        unknown: calls without a route; the fixture fails the test when there are any.
    """

    calls: list[Call] = field(default_factory=list[Call])
    unknown: list[Call] = field(default_factory=list[Call])

    def to(self, method: str, path: str) -> list[Call]:
        """Returns the calls of a method (`*` for any) to a path, where `*` stands for any text."""
        return [
            call
            for call in self.calls
            if fnmatchcase(call.request.method, method) and fnmatchcase(call.request.path, path)
        ]

    def clear(self) -> None:
        """Forgets all calls."""
        self.calls.clear()
        self.unknown.clear()
