"""`lakemon alert`: the stage, and what stands around it: test a sink, list incidents, send what is due."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from lakemon_core.cli.commands.attention import acknowledge_alert, silence_alerts, silence_row
from lakemon_core.cli.commands.messages import flush_messages, replay_messages, send_test_message
from lakemon_core.cli.commands.stages import stage_command
from lakemon_core.cli.lazy import COMMANDS
from lakemon_core.cli.opening import opened
from lakemon_core.cli.options import ConfigOption, Environment, Output, Verbose, Workspace, set_logging
from lakemon_core.cli.output import Format, answer, table
from lakemon_core.domain.incident import IncidentStatus
from lakemon_core.domain.run import Stage

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from rich.console import Console

    from lakemon_core.domain.incident import Incident
    from lakemon_core.domain.silence import Silence
    from lakemon_core.pipeline.session import Session


class StageOrCommand(TyperGroup):
    """Runs the stage when no command of the group is named: `lakemon alert -e prod`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Puts `run` in front of anything that is no command."""
        if not args or args[0] not in {*self.commands, "--help"}:
            args = ["run", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(add_completion=False, cls=StageOrCommand, help=COMMANDS["alert"][2])
app.command("run", help="Run the alert stage; the default.")(stage_command((Stage.ALERT,)))

app.command("test")(send_test_message)
app.command("ack")(acknowledge_alert)
app.command("silence")(silence_alerts)
app.command("flush")(flush_messages)
app.command("replay")(replay_messages)

Limit = Annotated[int, typer.Option("--limit", min=1, help="How many transitions and messages.")]


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
    if not incident.is_open:
        return incident.status.value
    if any(one.covers(incident, now) for one in running):
        return f"{incident.status.value}, silenced"
    return incident.status.value if incident.told_at else f"{incident.status.value}, held back"
