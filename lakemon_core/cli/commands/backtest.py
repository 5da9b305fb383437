"""`lakemon backtest`: which alerts the rules would have sent, and how many of them were right."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

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
from lakemon_core.cli.output import Format, answer, table
from lakemon_core.domain.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from lakemon_core.alerting.backtest import PastAlert, Score

app = typer.Typer(add_completion=False)
RuleName = Annotated[str | None, typer.Option("--rule", help="Only this rule.")]
Sweep = Annotated[
    str | None,
    typer.Option("--sweep", metavar="VALUES", help="Try thresholds of the rule: 0.1,0.2, or auto."),
]
Known = Annotated[
    Path | None,
    typer.Option("--known", metavar="FILE", help="CSV of known incidents: start,end,rule,column."),
]


@app.command()
def backtest(
    config: ConfigArgument = None,
    *,
    rule: RuleName = None,
    sweep: Sweep = None,
    known: Known = None,
    config_option: ConfigOption = None,
    environment: Environment = None,
    workspace: Workspace = None,
    output: Output = Format.TEXT,
    verbose: Verbose = 0,
) -> int:
    """Replay the history: which alerts each rule would have sent."""
    from lakemon_core.pipeline.backtest import backtest as run
    from lakemon_core.pipeline.backtest import read_known

    set_logging(verbose, quiet=False)
    incidents = read_known(known) if known else []
    thresholds = None if sweep is None else _thresholds(sweep)
    with opened(config_option, environment, workspace, argument=config) as session:
        result = run(session, rule=rule, thresholds=thresholds, known=incidents)
    parts: dict[str, list[dict[str, object]]] = {
        "alerts": [_alert(alert) for alert in result.alerts],
        "rules": [{"rule": name, **_row(one)} for name, one in result.scores.items()],
        "sweep": [{"threshold": threshold, **_row(one)} for threshold, one in result.swept],
    }

    def show(console: Console) -> None:
        for part, lines in parts.items():
            if lines:
                console.print(part, style="bold")
                console.print(table(list(lines[0]), [tuple(line.values()) for line in lines]))
        console.print(_sentence(result.total))

    answer(output, {**parts, "total": _row(result.total)}, show)
    return 0


def _alert(alert: PastAlert) -> dict[str, object]:
    return {
        "told_at": alert.told_at,
        "until": alert.until,
        "severity": alert.severity.value,
        "rule": alert.rule,
        "column": alert.column,
        "slice": alert.slice,
        "title": alert.title,
    }


def _thresholds(text: str) -> list[float]:
    try:
        return [] if text == "auto" else [float(part) for part in text.split(",")]
    except ValueError:
        cure = "write numbers with commas between them, or auto."
        raise UsageError("LM128", f"--sweep is {text!r};", cure=cure) from None


def _row(score: Score) -> dict[str, object]:
    return {
        "alerts": score.alerts,
        "right": score.right,
        "precision": score.precision,
        "known": score.known,
        "found": score.found,
        "recall": score.recall,
    }


def _sentence(score: Score) -> str:
    told = f"{score.alerts} alerts"
    if not score.known:
        return f"{told}; name known incidents with --known to see precision and recall"
    return f"{told}, {score.right} of them right; {score.found} of {score.known} known incidents found"
