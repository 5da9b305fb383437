"""`lakemon alert ack` and `lakemon alert silence`: what people do about incidents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from lakemon_core.cli.opening import opened
from lakemon_core.cli.options import ConfigOption, Environment, Output, Verbose, Workspace, set_logging
from lakemon_core.cli.output import Format, answer

if TYPE_CHECKING:
    from lakemon_core.domain.silence import Silence

IncidentId = Annotated[
    str, typer.Argument(metavar="INCIDENT", help="Id of an open incident, or its beginning.")
]
SomeIncident = Annotated[
    str | None, typer.Argument(metavar="INCIDENT", help="Only this incident: its id, or its beginning.")
]
Reason = Annotated[str, typer.Option("--reason", help="Why; stands in messages and lists.")]
Author = Annotated[str, typer.Option("--author", help="Who; default: the user of this process.")]
Rule = Annotated[str | None, typer.Option("--rule", help="Only incidents of this rule.")]
Column = Annotated[str | None, typer.Option("--column", help="Only incidents of this column.")]
Slice = Annotated[str | None, typer.Option("--slice", help="Only incidents of this slice, key=value.")]
Version = Annotated[str | None, typer.Option("--model-version", help="Only incidents of this version.")]
Severity = Annotated[str | None, typer.Option("--severity", help="Only incidents of this severity.")]
Length = Annotated[str | None, typer.Option("--for", help='How long, e.g. "2 days".')]
Until = Annotated[str | None, typer.Option("--until", help="Until when, e.g. 2026-12-01T06:00 (UTC).")]
End = Annotated[str | None, typer.Option("--end", metavar="ID", help="End this silence now.")]


def acknowledge_alert(
    incident: IncidentId,
    *,
    reason: Reason = "",
    author: Author = "",
    config_option: ConfigOption = None,
    environment: Environment = None,
    workspace: Workspace = None,
    output: Output = Format.TEXT,
    verbose: Verbose = 0,
) -> int:
    """Take an open incident on: it is not told again until it gets worse or ends."""
    from lakemon_core.pipeline.attention import acknowledge

    set_logging(verbose, quiet=False)
    with opened(config_option, environment, workspace) as session:
        state, sent = acknowledge(session, incident, author=author, reason=reason)
    document = {
        "incident": state.fingerprint,
        "title": state.title,
        "status": state.status.value,
        "acknowledged_by": state.acknowledged_by,
        "deliveries": [{"sink": item.sink, "status": item.status} for item in sent],
    }
    told = f"{state.title}: acknowledged by {state.acknowledged_by}"
    answer(output, document, lambda console: console.print(told, soft_wrap=True, markup=False))
    return 0


def silence_alerts(
    incident: SomeIncident = None,
    *,
    rule: Rule = None,
    column: Column = None,
    slice_: Slice = None,
    model_version: Version = None,
    severity: Severity = None,
    length: Length = None,
    until: Until = None,
    reason: Reason = "",
    author: Author = "",
    end: End = None,
    config_option: ConfigOption = None,
    environment: Environment = None,
    workspace: Workspace = None,
    output: Output = Format.TEXT,
    verbose: Verbose = 0,
) -> int:
    """Keep incidents quiet until a moment; what stands open then is told."""
    from lakemon_core.pipeline.attention import end_of, silence, unsilence

    set_logging(verbose, quiet=False)
    wanted = {
        "incident": incident,
        "rule": rule,
        "column": column,
        "slice": slice_,
        "model_version": model_version,
        "severity": severity,
    }
    with opened(config_option, environment, workspace) as session:
        if end is not None:
            made = unsilence(session, end)
        else:
            matches = {name: value for name, value in wanted.items() if value is not None}
            until_when = end_of(length, until, session.clock.now())
            made = silence(session, matches, until=until_when, reason=reason, author=author)
    answer(
        output,
        silence_row(made),
        lambda console: console.print(_sentence(made), soft_wrap=True, markup=False),
    )
    return 0


def silence_row(silence: Silence) -> dict[str, object]:
    """Returns a silence as one line of a list."""
    return {
        "id": silence.id,
        "matches": ", ".join(f"{name}={value}" for name, value in silence.matches.items()),
        "until": silence.until,
        "author": silence.author,
        "reason": silence.reason,
    }


def _sentence(silence: Silence) -> str:
    row = silence_row(silence)
    return f"{row['matches']} is silent until {silence.until:%Y-%m-%d %H:%M} UTC (silence {silence.id})"
