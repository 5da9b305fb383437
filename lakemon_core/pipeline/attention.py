"""What people do about incidents: they take one on, or keep some quiet for a while."""

from __future__ import annotations

import getpass
import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from lakemon_core.alerting.life.silencing import add_silence, end_silence, find_incident
from lakemon_core.config.shape.fields import duration_of, is_duration
from lakemon_core.domain.errors import UsageError, WorkspaceBusy
from lakemon_core.domain.incident import Incident, OutboxItem
from lakemon_core.domain.silence import Silence
from lakemon_core.lifecycle.alert import acknowledge_incident
from lakemon_core.pipeline.delivery import flush
from lakemon_core.pipeline.session import Session, new_run_id


def acknowledge(
    session: Session, incident: str, *, author: str, reason: str
) -> tuple[Incident, Sequence[OutboxItem]]:
    """Takes an open incident on and tells those who heard of it.

    Returns:
        the incident, and what became of the messages; none while a run holds the workspace, which then sends
        them.

    Raises:
        UsageError: LM126 when there is no such open incident.
    """
    context = session.context(new_run_id(session.clock))
    who = author or somebody()
    state = acknowledge_incident(context, session.sinks, incident, author=who, reason=reason)
    try:
        return state, flush(session)
    except WorkspaceBusy:
        return state, ()


def silence(
    session: Session,
    matches: Mapping[str, str],
    *,
    until: datetime,
    reason: str,
    author: str,
) -> Silence:
    """Keeps incidents quiet until a moment.

    Args:
        matches: what they must have, by the names of `MATCHABLE`; an incident may be named by the beginning
            of its id.
        until: the end, aware.
        reason: why; needed.
        author: who; empty takes the user of this process.

    Raises:
        UsageError: LM127 when nothing is named, there is no reason or the end is past, LM126
            when there is no such open incident.
    """
    ledger, now = session.backend.ledger, session.clock.now()
    if not matches:
        raise UsageError(
            "LM127", "nothing says what to silence;", cure="name an incident, or e.g. --rule or --column."
        )
    if not reason.strip():
        raise UsageError("LM127", "a silence needs a reason;", cure='add e.g. --reason "backfill of May".')
    if until <= now:
        raise UsageError("LM127", f"{until:%Y-%m-%d %H:%M} UTC is past;", cure="name an end that is to come.")
    named = dict(matches)
    if "incident" in named:
        named["incident"] = find_incident(ledger.incidents(), named["incident"]).fingerprint
    made = Silence(secrets.token_hex(3), until, reason, author or somebody(), now, named)
    add_silence(ledger, made)
    return made


def unsilence(session: Session, silence_id: str) -> Silence:
    """Ends a silence now; the next run tells what still stands open.

    Raises:
        UsageError: LM126 when no such silence is running.
    """
    return end_silence(session.backend.ledger, silence_id, session.clock.now())


def end_of(length: str | None, until: str | None, now: datetime) -> datetime:
    """Reads `--for` and `--until`, of which one is needed.

    Raises:
        UsageError: LM127 when it is none of both, or cannot be read.
    """
    if length is not None and until is None and is_duration(length):
        return now + duration_of(length)
    if until is not None and length is None:
        try:
            moment = datetime.fromisoformat(until)
        except ValueError:
            pass
        else:
            return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    raise UsageError(
        "LM127",
        "a silence needs an end;",
        cure='write --for "2 days", or --until 2026-12-01 (UTC, or with an offset).',
    )


def somebody() -> str:
    """Returns the user of this process, who is the author where none is named; a container may have none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
