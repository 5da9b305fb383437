"""How results look on a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

from lakemon_core.cli.output import console as new_console
from lakemon_core.cli.output import table
from lakemon_core.cli.progress import DISPLAY, MARKS
from lakemon_core.domain.incident import Incident
from lakemon_core.domain.names import plain
from lakemon_core.domain.run import HookOutcome, StageOutcome

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from lakemon_core.pipeline.plan import Plan
    from lakemon_core.pipeline.result import RunResult

_MOST = 10
_NAMED = 3
_ARRIVED = frozenset({"delivered", "accepted"})
_COLOURS = {
    "critical": "bold red",
    "warning": "yellow",
    "info": "",
    "failed": "bold red",
    "pending": "yellow",
}


def show_run(console: Console, result: RunResult) -> None:
    """Prints what a run did: stages, incidents, findings without an incident, messages, tables."""
    console.print(_stages(result.stages))
    told = {incident.fingerprint for incident in result.incidents}
    findings = [finding for finding in result.findings if finding.id not in told]
    for finding in findings[:_MOST]:
        console.print(f"  {plain(finding.title, 300)}", style=_COLOURS[finding.severity.value])
    _more(console, len(findings), "findings")
    for incident in result.incidents[:_MOST]:
        console.print(f"  {_incident(incident)}", style=_COLOURS[incident.severity.value])
    _more(console, len(result.incidents), "incidents")
    for item in result.deliveries:
        told = f"  {item.status} by {item.sink}: {plain(item.notification.title, 200)}"
        why = "" if item.status in _ARRIVED or not item.detail else f"; {plain(item.detail, 300)}"
        console.print(told + why, style="" if item.status in _ARRIVED else "bold red")
    for note in result.notes:
        console.print(f"  {plain(note, 500)}", style="yellow")
    console.print()
    for kind, name in result.tables.items():
        console.print(f"  {kind:<16} {name}", soft_wrap=True)
    console.print(f"\n{result.status}, run {result.run_id} of {result.environment}")


def _stages(stages: Sequence[StageOutcome]) -> Table:
    rows = [
        (
            MARKS[one.status.value],
            one.name.value,
            one.status.value,
            f"{one.seconds:.1f} s",
            _detail(one.detail),
        )
        for one in stages
    ]
    return table(["", "stage", "status", "time", "what"], rows)


def _detail(detail: Mapping[str, object]) -> str:
    """Returns the detail of a stage in one line: its error, or its values that are not zero."""
    if "error" in detail:
        return plain(str(detail["error"]), 1000)
    shown = {key: _short(value) for key, value in detail.items() if value}
    return ", ".join(f"{key.replace('_', ' ')} {plain(text)}" for key, text in shown.items() if text)


def _short(value: object) -> str:
    """Returns a plain value, or how many names there are with the first few; nothing for anything else."""
    if isinstance(value, Mapping):
        names = [str(name) for name in cast("Mapping[str, object]", value)]
        rest = ", …" if len(names) > _NAMED else ""
        return f"{len(names)} ({', '.join(names[:_NAMED])}{rest})"
    return str(value) if isinstance(value, (str, int, float)) else ""


def _incident(incident: Incident) -> str:
    since = f" since {incident.opened_at:%Y-%m-%d} UTC" if incident.opened_at else ""
    return f"{incident.status.value}: {plain(incident.title, 300)}{since} ({incident.fingerprint[:8]})"


def _more(console: Console, count: int, what: str) -> None:
    if count > _MOST:
        console.print(f"  and {count - _MOST} more {what}; `--output json` lists all")


def show_plan(console: Console, planned: Plan) -> None:
    """Prints what a run would do."""
    console.print(
        f"environment {planned.environment}, backend {planned.backend}, workspace {planned.workspace}"
    )
    for stage in planned.stages:
        console.print(stage.name.value, style="bold")
        for step in stage.steps:
            console.print(f"  {plain(step, 1000)}", soft_wrap=True)
        for plugin in stage.plugins:
            console.print(f"  then {plugin}, at most {stage.deadline_seconds:g} s")


def show_outcome(outcome: HookOutcome) -> None:
    """Prints one call of a plugin's hook to stderr, for `--trace-hooks`; our own display is no plugin."""
    if outcome.plugin == DISPLAY:
        return
    took = f"{outcome.seconds * 1000:.0f} ms"
    told = f"{outcome.hook} {outcome.plugin} {outcome.status.value} {took} {outcome.error}"
    new_console(stderr=True).print(told.rstrip(), style="dim", soft_wrap=True)
