"""Verdicts move incidents: a pure state machine, driven by windows in the order of their time."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from typing import cast

from lakemon_core.alerting.judging.shelf import slice_text
from lakemon_core.alerting.life.hush import Hush
from lakemon_core.alerting.life.streams import asks_for, streams
from lakemon_core.alerting.life.telling import RANK, RULE_CHANGED, RULE_REMOVED, Teller, event_key
from lakemon_core.alerting.rules import named
from lakemon_core.alerting.wording import subject_of, title_of
from lakemon_core.domain.figures import Kind
from lakemon_core.domain.incident import Incident, IncidentEvent, IncidentStatus, Transition
from lakemon_core.domain.rule import Rule, Status, Verdict
from lakemon_core.domain.silence import Silence

_BREACH, _FINE = "b", "o"
_ENDLESS = datetime.max.replace(tzinfo=UTC)

Moved = tuple[Incident | None, tuple[IncidentEvent, ...]]


@dataclass(frozen=True, slots=True)
class Watch:
    """What a run knows beside its verdicts: whose incidents it looks after, and who keeps them quiet.

    Attributes:
        model: registered name of the model.
        environment: environment of the config.
        rules: of the run.
        silences: that were made.
    """

    model: str = ""
    environment: str = ""
    rules: Sequence[Rule] = ()
    silences: Sequence[Silence] = ()

    def owns(self, state: Incident) -> bool:
        """Whether this incident is looked after, even when no verdict moved it."""
        return (state.model, state.environment) == (self.model, self.environment)


def advance(
    states: Mapping[str, Incident],
    verdicts: Sequence[Verdict],
    run_id: str,
    now: datetime,
    watch: Watch | None = None,
) -> tuple[list[Incident], list[IncidentEvent]]:
    """Walks every series through its new windows, oldest first.

    People hear what is true at the end of the run, not what passed by on the way: of an incident that stands
    open its opening (or its escalation, when they knew it open), and the end of an episode that they knew.
    Everything else is recorded with `notify=False`. An event that is told carries the newest state. What is
    silenced, or explained by another incident, is told when that ends, if it still stands open.

    Args:
        states: newest state of every incident by fingerprint, as the ledger has it.
        verdicts: of one or more runs of `judge`, in any order.
        run_id: the run that asks.
        now: the present moment, aware, UTC.
        watch: rules, silences, and whose incidents are reminded of; None takes the rules of the verdicts.

    Returns:
        the states that changed and the transitions on the way. The same windows again give neither;
        signals without a window, e.g. `freshness`, are judged anew in every run.
    """
    watch = watch or Watch()
    moved = _walked(states, verdicts, run_id, now)
    moved |= {name: (one, ()) for name, one in states.items() if name not in moved and watch.owns(one)}
    rules = {verdict.rule.name: verdict.rule for verdict in verdicts}
    rules |= {rule.name: rule for rule in named(watch.rules)}
    others = [one for name, one in states.items() if name not in moved]
    standing = [one for one in (*others, *(after for after, _ in moved.values())) if one.is_open]
    hush, teller = Hush.of(watch.silences, rules, standing, now), Teller(run_id, now)
    changed: list[Incident] = []
    events: list[IncidentEvent] = []
    for fingerprint, (after, seen) in moved.items():
        before = states.get(fingerprint)
        why = hush.why(after) if after.is_open else ""
        told, more = teller.tell(before, after, seen, rule=rules.get(after.rule), hush=why)
        events += more
        if told != before:
            changed.append(told)
    return changed, events


def _walked(
    states: Mapping[str, Incident], verdicts: Sequence[Verdict], run_id: str, now: datetime
) -> dict[str, tuple[Incident, Sequence[IncidentEvent]]]:
    """Steps every series through its windows; returns those that moved, with what happened."""
    moved: dict[str, tuple[Incident, Sequence[IncidentEvent]]] = {}
    for fingerprint, series in _by_series(verdicts, states).items():
        before = states.get(fingerprint)
        after, seen = before, list[IncidentEvent]()
        for verdict in series:
            after, more = step(after, verdict, run_id=run_id, now=now)
            seen += more
        if after is not None and after is not before:
            moved[fingerprint] = after, seen
    return moved


def step(state: Incident | None, verdict: Verdict, *, run_id: str, now: datetime) -> Moved:
    """Moves one incident by one verdict.

    Windows at or before the head change nothing, but for the head itself when the rule has been edited, or
    when it lacked data that has come since.
    Unknown changes nothing, unless the rule says `on_no_data: ok` (counts as a healthy window); it never
    resolves. What is wrong with the data itself moves incidents of other kinds, see `streams`.

    Returns:
        the state after it, the same object when nothing changed, and the transitions it made.
    """
    letter = _letter(verdict)
    known = state or _fresh(verdict)
    edited = known.head is not None and known.rule_hash != _hash(verdict.rule)
    is_newest = verdict.window is not None and verdict.window.end == known.head
    revisited = is_newest and (edited or _came_late(known, letter))
    if letter is None or (_is_old(known, verdict) and not revisited):
        return state, ()
    past = known.recent[:-1] if revisited else known.recent
    counted = verdict.rule.for_windows[1]
    recent = (past + letter)[-counted:]
    transition = _transition(known, verdict, recent)
    is_pending = _BREACH in (recent[1:] if len(recent) == counted else recent)
    after = _moved(_looked_at(known, verdict, recent, now), transition, now, is_pending=is_pending)
    if after == state:
        return state, ()
    if transition is None:
        return after, ()
    key, reason = event_key(after, transition), RULE_CHANGED if revisited and edited else ""
    return after, (IncidentEvent(key, transition, after, verdict.window, run_id, now, reason),)


def close_removed(
    states: Mapping[str, Incident],
    rules: Collection[Rule],
    *,
    model: str,
    environment: str,
    run_id: str,
    now: datetime,
) -> tuple[list[Incident], list[IncidentEvent]]:
    """Closes the open incidents of this model that no rule of the config asks for any more.

    Of those that people know, only channels that keep a state hear.
    """
    by_name = {rule.name: rule for rule in named(rules)}
    closed = [
        replace(state, status=IncidentStatus.RESOLVED, recent="")
        for state in states.values()
        if state.is_open
        and (state.model, state.environment) == (model, environment)
        and not (state.rule in by_name and asks_for(by_name[state.rule], state.kind))
    ]
    events = [
        IncidentEvent(
            key=event_key(state, Transition.RESOLVED),
            transition=Transition.RESOLVED,
            incident=state,
            window=None,
            run_id=run_id,
            at=now,
            reason=RULE_REMOVED,
            notify=state.told_at is not None,
        )
        for state in closed
    ]
    return closed, events


def _by_series(verdicts: Sequence[Verdict], known: Mapping[str, Incident]) -> dict[str, list[Verdict]]:
    """Returns the verdicts of every incident in window order.

    Incidents about the data itself begin with a window where something was wrong.
    """
    series: dict[str, list[Verdict]] = {}
    for verdict in sorted(verdicts, key=lambda one: one.window.end if one.window else _ENDLESS):
        for one in streams(verdict):
            begun = one.kind is Kind.BREACH or one.status is not Status.OK
            if begun or one.fingerprint in known or one.fingerprint in series:
                series.setdefault(one.fingerprint, []).append(one)
    return series


def _letter(verdict: Verdict) -> str | None:
    """Returns how a verdict counts; None when it does not."""
    if verdict.status is Status.UNKNOWN:
        return _FINE if verdict.rule.on_no_data == "ok" else None
    return _BREACH if verdict.status is Status.BREACHED else _FINE


def _is_old(state: Incident, verdict: Verdict) -> bool:
    return verdict.window is not None and state.head is not None and verdict.window.end <= state.head


def _came_late(state: Incident, letter: str | None) -> bool:
    """Whether the window that lacked data, or could not be computed, can be judged now."""
    return state.kind is not Kind.BREACH and state.recent.endswith(_BREACH) and letter == _FINE


def _transition(state: Incident, verdict: Verdict, recent: str) -> Transition | None:
    """Returns what this window does to the incident.

    It holds while m of the last n windows breach. It opens with a breach, and resolves with a window that is
    past the recover limit.
    """
    breach = recent[-1] == _BREACH
    holds = recent.count(_BREACH) >= verdict.rule.for_windows[0]
    if not state.is_open:
        if breach and holds:
            return Transition.REOPENED if state.episode else Transition.OPENED
        return None
    if breach:
        return Transition.ESCALATED if RANK[verdict.severity] > RANK[state.severity] else None
    return Transition.RESOLVED if verdict.recovered and not holds else None


def _looked_at(state: Incident, verdict: Verdict, recent: str, now: datetime) -> Incident:
    """Returns the state with what this window showed, its status as before."""
    breach, goes_on = recent[-1] == _BREACH, state.is_open or _BREACH in recent[:-1]
    severity, opened_at, breaches = state.severity, state.opened_at, state.evidence.get("breaches", 0)
    if breach and goes_on:
        severity = max(severity, verdict.severity, key=RANK.__getitem__)
        breaches = cast("int", breaches) + 1
    elif breach:
        severity, breaches = verdict.severity, 1
        opened_at = verdict.window.start if verdict.window else now
    return replace(
        state,
        rule_hash=_hash(verdict.rule),
        severity=severity,
        opened_at=opened_at,
        head=verdict.window.end if verdict.window else now,
        recent=recent,
        value=verdict.signal.value,
        limit=verdict.limit,
        title=title_of(verdict),
        evidence=_evidence(verdict) | {"breaches": breaches},
    )


def _moved(seen: Incident, transition: Transition | None, now: datetime, *, is_pending: bool) -> Incident:
    match transition:
        case Transition.OPENED | Transition.REOPENED:
            return replace(
                seen,
                status=IncidentStatus.OPEN,
                episode=seen.episode + 1,
                raised_at=now,
                told_at=None,
                told_severity=None,
                acknowledged_by="",
            )
        case Transition.ESCALATED:
            return replace(seen, status=IncidentStatus.OPEN, acknowledged_by="")
        case Transition.RESOLVED:
            return replace(seen, status=IncidentStatus.RESOLVED, recent="")
        case _ if seen.is_open:
            return seen
        case _ if is_pending:
            return replace(seen, status=IncidentStatus.PENDING)
        case _:
            return replace(seen, status=IncidentStatus.RESOLVED if seen.episode else IncidentStatus.OK)


def _fresh(verdict: Verdict) -> Incident:
    return Incident(
        fingerprint=verdict.fingerprint,
        status=IncidentStatus.OK,
        episode=0,
        rule=verdict.rule.name,
        rule_hash=_hash(verdict.rule),
        model=verdict.model,
        environment=verdict.environment,
        column=verdict.signal.column,
        slice=slice_text(verdict.signal),
        model_id=verdict.signal.model_id,
        severity=verdict.severity,
        kind=verdict.kind if verdict.status is not Status.UNKNOWN else Kind.BREACH,
    )


def _evidence(verdict: Verdict) -> dict[str, object]:
    """Returns what the newest window showed, as plain JSON values; what is not known is left out."""
    signal, window = verdict.signal, verdict.window
    facts: dict[str, object] = {
        "what": subject_of(signal),
        "metric": signal.name,
        "statistic": signal.statistic,
        "compare": str(signal.compare) if signal.compare else None,
        "granularity": signal.granularity,
        "window_start": window.start.isoformat() if window else None,
        "window_end": window.end.isoformat() if window else None,
        "n": signal.n,
        "baseline": signal.baseline,
        "lower": signal.lower,
        "upper": signal.upper,
        "p_value": signal.p_value,
        "chance_level": signal.chance_level,
        "table_version": signal.table_version,
        "method": signal.method,
        "reason": verdict.reason,
        "contributors": [dict(one) for one in verdict.contributors],
    }
    return {name: fact for name, fact in facts.items() if fact not in (None, "", [])}


@cache
def _hash(rule: Rule) -> str:
    return rule.hash
