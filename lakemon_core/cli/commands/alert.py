"""`lakemon alert`: the stage, and what stands around it: test a sink, list incidents, send what is due."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from lakemon_core.cli.commands.attention import acknowledge_alert, silence_alerts, silence_row
from lakemon_core.cli.commands.stages import stage_command
from lakemon_core.cli.lazy import COMMANDS
from lakemon_core.cli.opening import opened
from lakemon_core.cli.options import ConfigOption, Environment, Output, Verbose, Workspace, set_logging
from lakemon_core.cli.output import Format, answer, table
from lakemon_core.domain.incident import IncidentStatus
from lakemon_core.domain.run import ExitCode, Stage

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from rich.console import Console

    from lakemon_core.domain.incident import Incident
    from lakemon_core.domain.silence import Silence
    from lakemon_core.pipeline.session import Session

ARRIVED = {"delivered", "accepted"}
"""Statuses of a message that reached its sink."""


class StageOrCommand(TyperGroup):
    """Runs the stage when no command of the group is named: `lakemon alert -e prod`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Puts `run` in front of anything that is no command."""
        if not args or args[0] not in {*self.commands, "--help"}:
            args = ["run", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(add_completion=False, cls=StageOrCommand, help=COMMANDS["alert"][2])
app.command("run", help="Run the alert stage; the default.")(stage_command((Stage.ALERT,)))

app.command("ack")(acknowledge_alert)
app.command("silence")(silence_alerts)

Sink = Annotated[str, typer.Argument(metavar="SINK", help="Name of a sink in the config.")]
Limit = Annotated[int, typer.Option("--limit", min=1, help="How many transitions and messages.")]


@app.command("test")
def send_test_message(
    sink: Sink,
    *,
    config_option: ConfigOption = None,
    environment: Environment = None,
    workspace: Workspace = None,
    output: Output = Format.TEXT,
    verbose: Verbose = 0,
) -> int:
    """Send one test message through a sink and say what came of it."""
    from lakemon_core.pipeline.delivery import send_test

    set_logging(verbose, quiet=False)
    with opened(config_option, environment, workspace) as session:
        result = send_test(session, sink)
    arrived = result.status.value in ARRIVED
    document = {"sink": sink, "status": result.status.value, "code": result.code, "detail": result.detail}
    told = f"{sink}: {result.status.value} {result.code} {result.detail}"
    answer(output, document, lambda console: console.print(told.rstrip(), soft_wrap=True))
    return ExitCode.DONE if arrived else ExitCode.UNDELIVERED


@app.command("list")
def list_alerts(
    *,
    limit: Limit = 20,
    config_option: ConfigOption = None,
    environment: Environment = None,
    workspace: Workspace = None,
    output: Output = Format.TEXT,
    verbose: Verbose = 0,
) -> int:
    """List incidents, their newest transitions, and messages."""
    set_logging(verbose, quiet=False)
    with opened(config_option, environment, workspace) as session:
        document = _listed(session, limit)

    def show(console: Console) -> None:
        for part, rows in document.items():
            console.print(part, style="bold")
            columns = list(rows[0]) if rows else ["none"]
            console.print(table(columns, [tuple(row.values()) for row in rows]))

    answer(output, document, show)
    return 0


@app.command("flush")
def flush_messages(
    *,
    config_option: ConfigOption = None,
    environment: Environment = None,
    workspace: Workspace = None,
    output: Output = Format.TEXT,
    verbose: Verbose = 0,
) -> int:
    """Send the messages that are due now, e.g. after a mail server was down."""
    from lakemon_core.pipeline.delivery import flush

    set_logging(verbose, quiet=False)
    with opened(config_option, environment, workspace) as session:
        items = flush(session)
    rows = [
        {"sink": item.sink, "status": item.status, "title": item.notification.title, "detail": item.detail}
        for item in items
    ]

    def show(console: Console) -> None:
        for row in rows:
            console.print(f"{row['status']} by {row['sink']}: {row['title']} {row['detail']}", soft_wrap=True)
        if not rows:
            console.print("nothing is due")

    answer(output, {"deliveries": rows}, show)
    arrived = all(item.status in ARRIVED for item in items)
    return ExitCode.DONE if arrived else ExitCode.UNDELIVERED


def _listed(session: Session, limit: int) -> dict[str, list[dict[str, object]]]:
    from lakemon_core.alerting.life.silencing import silences

    ledger, now = session.backend.ledger, session.clock.now()
    running = [one for one in silences(ledger) if one.until > now]
    return {
        "incidents": [
            {
                "id": one.fingerprint,
                "status": _standing(one, running, now),
                "severity": one.severity.value,
                "title": one.title,
                "since": one.opened_at,
                "acknowledged_by": one.acknowledged_by,
            }
            for one in ledger.incidents().values()
            if one.status is not IncidentStatus.OK
        ],
        "silences": [silence_row(one) for one in running],
        "events": [
            {"at": event.at, "transition": event.transition.value, "title": event.incident.title}
            for event in ledger.events(limit)
        ],
        "messages": [
            {
                "key": item.key,
                "sink": item.sink,
                "status": item.status,
                "attempts": item.attempts,
                "title": item.notification.title,
                "detail": item.detail,
            }
            for item in list(ledger.outbox())[-limit:]
        ],
    }


def _standing(incident: Incident, running: Sequence[Silence], now: datetime) -> str:
    """Returns the status, and whether people hear of it."""
    is_quiet = incident.is_open and any(one.covers(incident, now) for one in running)
    return f"{incident.status.value}, silenced" if is_quiet else incident.status.value
