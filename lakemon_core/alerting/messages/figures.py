"""The figures of an incident, as every channel gets them. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, cast

from lakemon_core.domain.figures import Contributor, Evidence
from lakemon_core.domain.incident import Incident, IncidentEvent
from lakemon_core.domain.rule import Rule


def evidence_of(event: IncidentEvent, rule: Rule | None) -> Evidence:
    """Returns what a message rests on for one incident.

    Args:
        event: the transition, with the state after it.
        rule: as it was judged; None when it is gone from the config.
    """
    incident = event.incident
    known: Mapping[str, Any] = incident.evidence
    return Evidence(
        incident=incident_id(incident),
        transition=event.transition,
        kind=incident.kind,
        severity=incident.severity,
        title=incident.title,
        what=str(known.get("what", incident.rule)),
        rule=incident.rule,
        column=incident.column,
        slice=incident.slice,
        model_id=incident.model_id,
        value=incident.value,
        limit=incident.limit,
        lower=known.get("lower"),
        upper=known.get("upper"),
        baseline=known.get("baseline"),
        chance_level=known.get("chance_level"),
        n=known.get("n"),
        window_start=_moment(known.get("window_start")),
        window_end=_moment(known.get("window_end")),
        since=incident.opened_at,
        windows=known.get("breaches", 0),
        contributors=tuple(_contributors(known)),
        owner=rule.owner if rule else "",
        runbook=rule.runbook if rule else "",
        reason=event.reason or str(known.get("reason", "")),
    )


def incident_id(incident: Incident) -> str:
    """Returns what channels know one episode by: the same from its opening to its end."""
    return f"{incident.fingerprint}.{incident.episode}"


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _contributors(known: Mapping[str, object]) -> Iterator[Contributor]:
    for one in cast("list[Mapping[str, Any]]", known.get("contributors") or []):
        yield Contributor(str(one["column"]), str(one["statistic"]), float(one["value"]))
