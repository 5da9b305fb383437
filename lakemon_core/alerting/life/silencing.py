"""Silences and acknowledgements: what people do with incidents, kept in the ledger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from lakemon_core.alerting.life.telling import event_key
from lakemon_core.domain.codec import decode, encode
from lakemon_core.domain.errors import UsageError, did_you_mean
from lakemon_core.domain.incident import Incident, IncidentEvent, IncidentStatus, Transition
from lakemon_core.domain.names import plain
from lakemon_core.domain.silence import Silence
from lakemon_core.ports import Ledger

NOTE = "alerts/silences"
"""Key of the ledger's note that holds them all."""

_KEPT = timedelta(days=30)
"""So long after its end a silence is still listed."""


@dataclass(frozen=True, slots=True)
class _Silences:
    entries: tuple[Silence, ...] = ()


def silences(ledger: Ledger) -> Sequence[Silence]:
    """Returns the silences, oldest first, those that ended lately too."""
    text = ledger.get(NOTE)
    return decode(_Silences, text).entries if text else ()


def add_silence(ledger: Ledger, silence: Silence) -> None:
    """Notes a silence, and forgets those that ended long ago."""
    kept = [one for one in silences(ledger) if one.until > silence.created_at - _KEPT]
    ledger.put(NOTE, encode(_Silences((*kept, silence))))


def end_silence(ledger: Ledger, silence_id: str, now: datetime) -> Silence:
    """Ends a silence now; returns it as it is then.

    Raises:
        UsageError: LM126 when no silence has this id, or it ended before.
    """
    known = silences(ledger)
    running = {one.id: one for one in known if one.until > now}
    if silence_id not in running:
        raise UsageError(
            "LM126",
            f"no silence {plain(silence_id)!r} is running.",
            cure=did_you_mean(silence_id, list(running)),
        )
    ended = replace(running[silence_id], until=now)
    ledger.put(NOTE, encode(_Silences(tuple(ended if one.id == silence_id else one for one in known))))
    return ended


def find_incident(states: Mapping[str, Incident], text: str) -> Incident:
    """Returns the open incident of this id: its fingerprint, the beginning of it, or `fingerprint.episode`.

    Raises:
        UsageError: LM126 when none or several fit, or it is not open.
    """
    wanted = text.partition(".")[0].lower()
    found = [state for name, state in states.items() if wanted and name.startswith(wanted)]
    if len(found) != 1:
        fit = f"{len(found)} incidents fit" if found else "no incident fits"
        raise UsageError("LM126", f"{fit} {plain(text)!r};", cure="`lakemon alert list` shows their ids.")
    if not found[0].is_open:
        raise UsageError("LM126", f"incident {found[0].fingerprint} is {found[0].status.value}, not open.")
    return found[0]


def acknowledge(
    state: Incident, author: str, reason: str, *, run_id: str, now: datetime
) -> tuple[Incident, IncidentEvent]:
    """Says that somebody cares for an open incident: it is not told again until it gets worse or ends.

    Returns:
        the state after it, and the event, which people hear.
    """
    by = f"{author}: {reason}" if reason else author
    after = replace(
        state,
        status=IncidentStatus.ACKNOWLEDGED,
        acknowledged_by=by,
        told_at=state.told_at or now,
        told_severity=state.told_severity or state.severity,
    )
    key = event_key(after, Transition.ACKNOWLEDGED, f".{after.severity.value}")
    return after, IncidentEvent(key, Transition.ACKNOWLEDGED, after, None, run_id, now, f"by {by}")
