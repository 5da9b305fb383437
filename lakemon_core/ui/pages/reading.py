"""What several pages read out of the ledgers: incidents, silences and runs of all environments."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from lakemon_core.alerting.life.silencing import silences
from lakemon_core.domain.errors import LakemonError
from lakemon_core.domain.incident import Incident, IncidentEvent, IncidentStatus
from lakemon_core.domain.names import plain
from lakemon_core.domain.run import RunRecord
from lakemon_core.domain.silence import Silence
from lakemon_core.ui.dashboard import Dashboard
from lakemon_core.ui.render import problems_of

MOST_EVENTS, MOST_RUNS = 2000, 200


@dataclass(frozen=True, slots=True)
class Told:
    """One incident as people see it.

    Attributes:
        incident: its newest state.
        slug: of the environment that can act on it; empty where its config is not open here.
        standing: its status, and whether people hear of it, as `lakemon alert list` says it.
        story: its transitions, newest first.
    """

    incident: Incident
    slug: str
    standing: str
    story: Sequence[IncidentEvent] = ()

    @property
    def can_act(self) -> bool:
        """Whether it can be acknowledged or silenced here."""
        return self.incident.is_open and bool(self.slug)


@dataclass(frozen=True, slots=True)
class Quiet:
    """A silence that is running, and the environment through which it can be ended."""

    silence: Silence
    slug: str


@dataclass(frozen=True, slots=True)
class Ledgers:
    """What the ledgers of all environments say.

    Attributes:
        told: incidents, the worst and newest first.
        quiet: silences that are running.
        runs: newest first.
        now: when it was read.
        problems: of environments that could not be read: slug and what is wrong.
    """

    told: Sequence[Told]
    quiet: Sequence[Quiet]
    runs: Sequence[RunRecord]
    now: datetime | None
    problems: Sequence[tuple[str, list[dict[str, str]]]]

    def mark(self, *more: object) -> str:
        """Returns a short text that changes with what is shown."""
        parts = (
            [(one.incident.fingerprint, one.incident.version, one.standing) for one in self.told],
            [(one.silence.id, one.silence.until) for one in self.quiet],
            [(run.run_id, run.status, len(run.stages)) for run in self.runs],
            [name for name, _ in self.problems],
            more,
        )
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def read_ledgers(dashboard: Dashboard) -> Ledgers:
    """Reads incidents, silences and runs; an environment that cannot be read hides no other one."""
    incidents: dict[str, tuple[Incident, str]] = {}
    events: dict[str, IncidentEvent] = {}
    quiet: dict[str, Quiet] = {}
    runs: dict[str, RunRecord] = {}
    problems: list[tuple[str, list[dict[str, str]]]] = []
    now: datetime | None = None
    for watched in dashboard.all():
        slug = watched.place.slug
        try:
            session = watched.session()
            monitor, ledger, now = session.monitor, session.backend.ledger, session.clock.now()
            for one in ledger.incidents().values():
                mine = (one.model, one.environment) == (monitor.model_name, monitor.environment)
                if mine or one.fingerprint not in incidents:
                    incidents[one.fingerprint] = (one, slug if mine else "")
            events |= {event.key: event for event in ledger.events(MOST_EVENTS)}
            quiet |= {one.id: Quiet(one, slug) for one in silences(ledger) if one.until > now}
            runs |= {run.run_id: run for run in ledger.runs(MOST_RUNS)}
        except LakemonError as error:
            problems.append((slug, problems_of(error)))
    told = [
        _told(one, slug, events.values(), quiet.values(), now)
        for one, slug in incidents.values()
        if one.status not in {IncidentStatus.OK, IncidentStatus.PENDING}
    ]
    newest = sorted(runs.values(), key=lambda run: (run.started_at, run.run_id), reverse=True)
    return Ledgers(sorted(told, key=_worst_first), list(quiet.values()), newest, now, problems)


def strangers(dashboard: Dashboard) -> Sequence[tuple[str, str, int]]:
    """Returns models of the ledgers whose config is not open here: model, environment, open incidents."""
    found: dict[tuple[str, str], int] = {}
    for one in read_ledgers(dashboard).told:
        if not one.slug:
            place = (plain(one.incident.model), plain(one.incident.environment))
            found[place] = found.get(place, 0) + one.incident.is_open
    return [(*place, count) for place, count in sorted(found.items())]


def _told(
    incident: Incident,
    slug: str,
    events: Iterable[IncidentEvent],
    quiet: Iterable[Quiet],
    now: datetime | None,
) -> Told:
    standing = incident.status.value
    if incident.is_open and now is not None:
        if any(one.silence.covers(incident, now) for one in quiet):
            standing += ", silenced"
        elif not incident.told_at:
            standing += ", held back"
    story = [event for event in events if event.incident.fingerprint == incident.fingerprint]
    return Told(incident, slug, standing, sorted(story, key=lambda event: event.at, reverse=True))


def _worst_first(one: Told) -> tuple[bool, int, float, str]:
    incident = one.incident
    order = {"critical": 0, "warning": 1, "info": 2}
    raised = incident.raised_at.timestamp() if incident.raised_at else 0.0
    severity = order[incident.severity.value] if incident.is_open else 0
    return (not incident.is_open, severity, -raised, incident.title)
