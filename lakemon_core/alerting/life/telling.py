"""Who hears what of an incident at the end of a run: what is true then, once, and again where asked. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from lakemon_core.domain.incident import Incident, IncidentEvent, IncidentStatus, Transition
from lakemon_core.domain.rule import Rule
from lakemon_core.domain.run import Severity

RULE_CHANGED = "rule_changed"
RULE_REMOVED = "rule_removed"
BY_CONFIG = frozenset({RULE_CHANGED, RULE_REMOVED})
"""Reasons of an ending that says nothing of the data: only channels that keep a state hear of it."""

RANK = {severity: rank for rank, severity in enumerate(Severity)}

Told = tuple[Incident, list[IncidentEvent]]


def event_key(state: Incident, transition: Transition, mark: str = "") -> str:
    """Returns the idempotency key: the same transition of the same episode has the same one in every run."""
    step = f".{state.severity.value}" if transition is Transition.ESCALATED else ""
    return f"{state.fingerprint}.{state.episode}.{transition.value}{step}{mark}"


@dataclass(frozen=True, slots=True)
class Teller:
    """Marks which of the transitions of one series people hear, and adds what time alone brings.

    Attributes:
        run_id: the run that asks.
        now: the present moment.
    """

    run_id: str
    now: datetime

    def tell(
        self,
        before: Incident | None,
        after: Incident,
        events: Sequence[IncidentEvent],
        *,
        rule: Rule | None,
        hush: str,
    ) -> Told:
        """Decides what is told of one incident.

        Args:
            before: as it stood before the run.
            after: as it stands now.
            events: what happened in between; an event that is told carries the newest state, but for a
                resolution.
            rule: as it was judged; None leaves out what it asks for.
            hush: why people need not hear of it; empty when they shall.

        Returns:
            the state, which knows what was told, and the events with what time alone brought.
        """
        aged, more = self._aged(after, rule)
        happened = [self._ended(before, event) for event in (*events, *more)]
        if not aged.is_open:
            return aged, happened
        if hush:
            return aged, [replace(one, reason=one.reason or hush) for one in happened]
        wanted = self._wanted(aged, rule)
        if wanted is None:
            return aged, happened
        told = replace(aged, told_at=self.now, told_severity=aged.severity)
        return told, self._with(told, happened, wanted, told_before=aged.told_at)

    def _aged(self, state: Incident, rule: Rule | None) -> Told:
        """Makes an incident critical that stood open too long without anybody caring."""
        since = state.raised_at
        patience = rule.escalate_after if rule else None
        unattended = state.status is IncidentStatus.OPEN and state.severity is not Severity.CRITICAL
        if patience is None or since is None or not unattended or self.now - since < patience:
            return state, []
        worse = replace(state, severity=Severity.CRITICAL)
        return worse, [self._event(worse, Transition.ESCALATED, reason="nobody_acknowledged_it")]

    def _ended(self, before: Incident | None, event: IncidentEvent) -> IncidentEvent:
        """Leaves a resolution loud when people knew of its episode; everything else is quiet at first."""
        known = before.episode if before and before.is_open and before.told_at else None
        is_known = event.incident.episode == known
        return replace(event, notify=event.transition is Transition.RESOLVED and is_known)

    def _wanted(self, state: Incident, rule: Rule | None) -> Transition | None:
        """Returns what people ought to hear of an open incident."""
        if state.told_at is None:
            return Transition.REOPENED if state.episode > 1 else Transition.OPENED
        if RANK[state.severity] > RANK[state.told_severity or state.severity]:
            return Transition.ESCALATED
        pause = rule.renotify_after if rule else None
        if pause and state.status is IncidentStatus.OPEN and self.now - state.told_at >= pause:
            return Transition.REMINDED
        return None

    def _with(
        self,
        state: Incident,
        happened: Sequence[IncidentEvent],
        wanted: Transition,
        *,
        told_before: datetime | None,
    ) -> list[IncidentEvent]:
        """Makes the wanted event loud; one that happened in an earlier run is told late, by a key of its own.

        An incident that was never told is opened to people, whatever happened to it since.
        """
        fitting = [
            one for one in happened if one.transition is wanted and one.incident.episode == state.episode
        ]
        if fitting:
            loud = fitting[-1]
            return [replace(one, incident=state, notify=True) if one is loud else one for one in happened]
        mark = f".after.{told_before:%Y%m%dT%H%M%S}" if told_before else ".late"
        return [*happened, self._event(state, wanted, mark=mark, notify=True)]

    def _event(
        self,
        state: Incident,
        transition: Transition,
        *,
        reason: str = "",
        mark: str = "",
        notify: bool = False,
    ) -> IncidentEvent:
        key = event_key(state, transition, mark)
        return IncidentEvent(key, transition, state, None, self.run_id, self.now, reason, notify)
