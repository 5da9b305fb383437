"""`lakemon serve`, `status` and `stop`: the local model server and what the workspace knows."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import typer

from lakemon_core.cli.lazy import COMMANDS
from lakemon_core.cli.opening import opened
from lakemon_core.cli.options import (
    ConfigArgument,
    ConfigOption,
    Environment,
    Output,
    Verbose,
    Workspace,
    set_logging,
)
from lakemon_core.cli.output import Format, answer, console, table
from lakemon_core.domain.errors import UsageError
from lakemon_core.domain.incident import IncidentStatus

if TYPE_CHECKING:
    from rich.console import Console

    from lakemon_core.pipeline.session import Session
    from lakemon_core.ports import EndpointState, ModelServer

serve = typer.Typer(add_completion=False)
status = typer.Typer(add_completion=False)
stop = typer.Typer(add_completion=False)

RUNS = 5
"""How many runs `status` shows."""
OPEN = {IncidentStatus.OPEN, IncidentStatus.ACKNOWLEDGED}


@serve.command("serve", help=COMMANDS["serve"][2])
def serve_models(
    config: ConfigArgument = None,
    *,
    config_option: ConfigOption = None,
    environment: Environment = None,
    workspace: Workspace = None,
    verbose: Verbose = 0,
) -> int:
    """Serves until Ctrl-C, which is the proper way to end it."""
    set_logging(verbose, quiet=False)
    with opened(config_option, environment, workspace, argument=config) as session:
        console(stderr=True).print(f"serving {session.workspace}; Ctrl-C stops", soft_wrap=True)
        with suppress(KeyboardInterrupt):
            _server(session).serve()
    return 0


@stop.command("stop", help=COMMANDS["stop"][2])
def stop_server(
    config: ConfigArgument = None,
    *,
    config_option: ConfigOption = None,
    environment: Environment = None,
    workspace: Workspace = None,
    output: Output = Format.TEXT,
    verbose: Verbose = 0,
) -> int:
    """Stops the background server; its requests are logged first."""
    set_logging(verbose, quiet=False)
    with opened(config_option, environment, workspace, argument=config) as session:
        stopped = _server(session).stop()
    told = "stopped" if stopped else "no model server was running"
    answer(output, {"stopped": stopped}, lambda console: console.print(told))
    return 0


@status.command("status", help=COMMANDS["status"][2])
def show_status(
    config: ConfigArgument = None,
    *,
    config_option: ConfigOption = None,
    environment: Environment = None,
    workspace: Workspace = None,
    output: Output = Format.TEXT,
    verbose: Verbose = 0,
) -> int:
    """Shows what the workspace knows."""
    set_logging(verbose, quiet=False)
    with opened(config_option, environment, workspace, argument=config) as session:
        document = status_document(session)
    answer(output, document, lambda console: _show(console, document))
    return 0


def status_document(session: Session) -> dict[str, Any]:
    """Returns server, endpoints, newest runs, open incidents and messages that are not delivered."""
    server = session.backend.server
    state = server.state() if server else None
    ledger = session.backend.ledger
    open_ones = [one for one in ledger.incidents().values() if one.status in OPEN]
    waiting = [item for item in ledger.outbox() if item.status not in {"delivered", "accepted"}]
    return {
        "workspace": str(session.workspace),
        "server": _fields(state, "url", "pid", "started_at", "log") if state else None,
        "endpoints": [
            _fields(one, "name", "ready", "version", "url", "detail") for one in _endpoints(session)
        ],
        "runs": [_fields(run, "run_id", "environment", "status", "started_at") for run in ledger.runs(RUNS)],
        "incidents": [_fields(one, "status", "severity", "title", "opened_at") for one in open_ones],
        "messages": [
            _fields(item, "sink", "status", "attempts", "detail") | {"title": item.notification.title}
            for item in waiting
        ],
    }


def _endpoints(session: Session) -> Sequence[EndpointState]:
    serving = session.monitor.serving
    if serving is not None:
        state = session.backend.serving.get(serving.endpoint_name)
        return [state] if state else []
    server = session.backend.server
    state = server.state() if server else None
    return state.endpoints if state else []


def _fields(value: object, *names: str) -> dict[str, Any]:
    return {name: getattr(value, name) for name in names}


def _show(console: Console, document: dict[str, Any]) -> None:
    console.print(f"workspace {document['workspace']}", soft_wrap=True)
    server = document["server"]
    running = f"at {server['url']}, pid {server['pid']}, log {server['log']}" if server else "not running"
    console.print(f"model server {running}", soft_wrap=True)
    for part in ("endpoints", "runs", "incidents", "messages"):
        rows: list[dict[str, Any]] = document[part]
        if rows:
            console.print(f"\n{part}", style="bold")
            console.print(
                table([name.replace("_", " ") for name in rows[0]], [tuple(row.values()) for row in rows])
            )
        else:
            console.print(f"no {part}")


def _server(session: Session) -> ModelServer:
    server = session.backend.server
    if server is None:
        what = f"backend {session.monitor.backend!r} has no model server of its own;"
        raise UsageError("LM184", what, cure="look at its endpoints where they run.")
    return server
