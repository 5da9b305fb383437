"""Missing data and failed computing are incidents of their own, beside the breach they may hide. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace

from lakemon_core.domain.figures import Kind
from lakemon_core.domain.rule import Rule, Status, Verdict
from lakemon_core.domain.run import Severity


def streams(verdict: Verdict) -> Iterator[Verdict]:
    """Splits a verdict into one for each incident it may move.

    The verdict itself comes first: it moves the incident of the breach, which an unknown one leaves as it is.
    Where the rule asks for it, one of kind no_data and one of kind error follow: breached by an unknown
    window of that kind, ok by one that could be judged, and left alone by one that waits for labels.
    """
    yield verdict
    if verdict.kind is not Kind.BREACH and verdict.status is not Status.UNKNOWN:
        return
    for kind in _watched(verdict.rule):
        if verdict.status is not Status.UNKNOWN:
            yield _as(verdict, kind, Status.OK)
        elif verdict.kind is kind:
            yield _as(verdict, kind, Status.BREACHED)


def asks_for(rule: Rule, kind: Kind) -> bool:
    """Whether a rule, as it is now, may have incidents of a kind."""
    return kind is Kind.BREACH or kind in _watched(rule) or (kind is Kind.NO_DATA and bool(rule.expect_every))


def _watched(rule: Rule) -> Iterator[Kind]:
    if rule.on_no_data == "alert":
        yield Kind.NO_DATA
    if rule.on_error == "alert":
        yield Kind.ERROR


def _as(verdict: Verdict, kind: Kind, status: Status) -> Verdict:
    """Returns the verdict for the incident of this kind: never worse than a warning."""
    identity = hashlib.sha256(f"{verdict.fingerprint}.{kind}".encode()).hexdigest()[:16]
    severity = Severity.INFO if verdict.rule.severity is Severity.INFO else Severity.WARNING
    return replace(
        verdict,
        fingerprint=identity,
        kind=kind,
        status=status,
        severity=severity,
        recovered=status is Status.OK,
    )
