"""Faults by script: what happens to the n-th call of a route instead of, or after, the work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase

from .messages import Answer, Refused, Request

LOGIN_PAGE = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body>Please sign in</body></html>"


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong. Make one with the functions below.

    Attributes:
        name: as the journal writes it.
        answer: sent instead of the true answer; None sends the true one.
        works: the work is done before the fault strikes.
        hangs_up: the line is closed without an answer.
        waits: seconds of silence before the answer; ends early when the server stops.
        drips: seconds between two bytes of the answer.
        cuts: bytes of the body that are announced but never sent.
        changes: turns the true answer into another.
    """

    name: str
    answer: Answer | None = None
    works: bool = False
    hangs_up: bool = False
    waits: float = 0.0
    drips: float = 0.0
    cuts: int = 0
    changes: Callable[[Answer], Answer] | None = None


def refuses(status: int, error_code: str = "", message: str = "scripted", *, works: bool = False) -> Fault:
    """Answers with a status and an error body, e.g. `refuses(503, "TEMPORARILY_UNAVAILABLE")`."""
    return Fault(f"refuses {status}", Refused(status, error_code or None, message).answer(), works)


def throttles(retry_after: str | None = None) -> Fault:
    """Answers 429; `retry_after` goes out as it is: seconds, an HTTP date, or junk."""
    answer = Refused(429, "REQUEST_LIMIT_EXCEEDED", "Too many requests").answer()
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    return Fault(f"throttles {retry_after}", replace(answer, headers=headers))


def loses_the_answer() -> Fault:
    """Does the work, then closes the line without a byte."""
    return Fault("loses the answer", works=True, hangs_up=True)


def hangs_up() -> Fault:
    """Closes the line before anything is done."""
    return Fault("hangs up", hangs_up=True)


def black_hole(seconds: float) -> Fault:
    """Does nothing and says nothing for a while, then closes the line."""
    return Fault("black hole", hangs_up=True, waits=seconds)


def delays(seconds: float) -> Fault:
    """Does the work at once and answers late."""
    return Fault("delays", works=True, waits=seconds)


def drips(seconds_a_byte: float) -> Fault:
    """Does the work and sends the true answer byte by byte."""
    return Fault("drips", works=True, drips=seconds_a_byte)


def cuts(missing_bytes: int = 1) -> Fault:
    """Does the work, announces the whole answer and sends less."""
    return Fault("cuts", works=True, cuts=missing_bytes)


def shows_a_page(status: int = 200) -> Fault:
    """Answers with an HTML login page, as a proxy or a private link does."""
    return Fault("shows a page", Answer(status, LOGIN_PAGE, content_type="text/html"))


def forgets_the_token() -> Fault:
    """Answers 401, as when a token expires in the middle."""
    return refuses(401, "UNAUTHENTICATED", "Token is expired or revoked")


def rewrites(change: Callable[[Answer], Answer]) -> Fault:
    """Does the work and changes the answer: fields missing or wrong, a value nobody knows."""
    return Fault("rewrites", works=True, changes=change)


@dataclass(slots=True)
class _Planned:
    method: str
    path: str
    fault: Fault
    after: int
    times: int | None


@dataclass(slots=True)
class Faults:
    """The script."""

    _planned: list[_Planned] = field(default_factory=list[_Planned])

    def on(self, method: str, path: str, fault: Fault, *, after: int = 0, times: int | None = 1) -> None:
        """Plans a fault.

        Args:
            method: HTTP method, `*` for any.
            path: where `*` stands for any text.
            fault: what happens.
            after: calls that are let through first.
            times: how often it strikes; None for ever.
        """
        self._planned.append(_Planned(method, path, fault, after, times))

    def clear(self) -> None:
        """Forgets what is planned."""
        self._planned.clear()

    def strike(self, request: Request) -> Fault | None:
        """Returns the fault that hits this call, if any, and counts it."""
        for planned in self._planned:
            if not (fnmatchcase(request.method, planned.method) and fnmatchcase(request.path, planned.path)):
                continue
            if planned.after > 0:
                planned.after -= 1
                continue
            if planned.times == 0:
                continue
            if planned.times is not None:
                planned.times -= 1
            return planned.fault
        return None
