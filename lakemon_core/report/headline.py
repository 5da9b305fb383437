"""The one sentence at the top, and what changed since the last run. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from lakemon_core.domain.names import plain
from lakemon_core.domain.rule import Status, Verdict
from lakemon_core.domain.run import Severity
from lakemon_core.report.facts import Facts

MEASURED = "measured"
"""A change that is none of an incident."""


class State(StrEnum):
    """How the model stands. What could not be judged is never called healthy."""

    HEALTHY = "healthy"
    ATTENTION = "attention"
    INCIDENT = "incident"
    UNKNOWN = "not known"


@dataclass(frozen=True, slots=True)
class Headline:
    """The state, one sentence that says why, and further reasons."""

    state: State
    sentence: str
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that changed in the last run: what happened, and to what."""

    what: str
    title: str


def headline(facts: Facts) -> Headline:
    """Says how the model stands: open incidents first, then what could not be judged or done."""
    newest = list({one.fingerprint: one for one in facts.verdicts}.values())
    judged = [one for one in newest if one.status is not Status.UNKNOWN]
    critical = [one for one in facts.incidents if one.is_open and one.severity is Severity.CRITICAL]
    others = [one for one in facts.incidents if one.is_open and one.severity is not Severity.CRITICAL]
    doubts = tuple(_doubts(facts, newest))
    if critical:
        more = (f"{_count(len(others), 'lesser incident')} open.",) if others else ()
        return Headline(State.INCIDENT, f"{_count(len(critical), 'critical incident')} open.", more + doubts)
    if not judged:
        return Headline(State.UNKNOWN, _nothing_judged(facts, newest), doubts)
    breached = [one for one in judged if one.status is Status.BREACHED]
    if others or breached or doubts:
        first = [f"{_count(len(others), 'incident')} open."] if others else []
        if breached and not others:
            first = [f"{_count(len(breached), 'number')} beyond the limit, no incident open yet."]
        sentence, *rest = [*first, *doubts]
        return Headline(State.ATTENTION, sentence, tuple(rest))
    return Headline(State.HEALTHY, f"All {_count(len(judged), 'judged number')} within the limits.")


def changes(facts: Facts) -> list[Change]:
    """Returns what failed in the newest run, its transitions of incidents, and what it measured."""
    if not facts.runs:
        return []
    last = facts.runs[0]
    moved = [
        Change(event.transition.value, event.incident.title)
        for event in facts.events
        if event.run_id == last.run_id
    ]
    failed = [
        Change(f"{stage.name.value} failed", plain(str(stage.detail["error"]), 300))
        for stage in last.stages
        if "error" in stage.detail
    ]
    measured = [
        Change(MEASURED, f"{stage.detail['windows']} windows")
        for stage in last.stages
        if stage.detail.get("windows")
    ]
    return failed + moved + measured


def _doubts(facts: Facts, newest: list[Verdict]) -> Iterator[str]:
    """Yields why even a page without incidents is no all-clear."""
    unknown = [one for one in newest if one.status is Status.UNKNOWN]
    if unknown and len(unknown) < len(newest):
        yield f"{len(unknown)} of {_count(len(newest), 'number')} could not be judged."
    if facts.runs and facts.runs[0].status not in {"done", "running"}:
        yield f"The last run, {facts.runs[0].run_id}, ended {facts.runs[0].status}."


def _nothing_judged(facts: Facts, newest: list[Verdict]) -> str:
    if newest:
        return f"None of {_count(len(newest), 'number')} could be judged in its newest window."
    if facts.signals:
        return "No rule judges any of the numbers that were measured."
    return "Nothing has been measured yet."


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
