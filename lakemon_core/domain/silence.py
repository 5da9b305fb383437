"""Silences: incidents that people need not hear of for a while."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from lakemon_core.domain.incident import Incident

MATCHABLE = ("incident", "rule", "column", "slice", "model", "model_version", "severity")
"""What a silence may name of an incident."""


@dataclass(frozen=True, slots=True)
class Silence:
    """Keeps the openings of some incidents quiet until it ends; whatever stands open then is told.

    Attributes:
        id: short and unique in its workspace.
        matches: name → value; all must fit. Names are those of `MATCHABLE`; never empty.
        until: its end, UTC. There is no silence without one.
        reason: why.
        author: who.
        created_at: UTC.
    """

    id: str
    until: datetime
    reason: str
    author: str
    created_at: datetime
    matches: Mapping[str, str] = field(default_factory=dict[str, str])

    def covers(self, incident: Incident, now: datetime) -> bool:
        """Whether it keeps this incident quiet now."""
        if now >= self.until or not self.matches:
            return False
        told = {
            "incident": incident.fingerprint,
            "rule": incident.rule,
            "column": incident.column,
            "slice": incident.slice,
            "model": incident.model,
            "model_version": incident.model_id,
            "severity": incident.severity.value,
        }
        return all(told[name] == value for name, value in self.matches.items())
