"""`lakemon explain`: what an incident or a finding rests on, window by window."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from lakemon_core.cli.opening import opened
from lakemon_core.cli.options import ConfigOption, Environment, Output, Verbose, Workspace, set_logging
from lakemon_core.cli.output import Format, answer, table

if TYPE_CHECKING:
    from rich.console import Console

app = typer.Typer(add_completion=False)
Finding = Annotated[
    str, typer.Argument(metavar="FINDING", help="Id of an incident or a finding, or its beginning.")
]


@app.command()
def explain(
    finding: Finding,
    *,
    config_option: ConfigOption = None,
    environment: Environment = None,
    workspace: Workspace = None,
    output: Output = Format.TEXT,
    verbose: Verbose = 0,
) -> int:
    """Show what an incident or finding rests on: rule, limits, every window, what drifted with it."""
    from lakemon_core.pipeline.explanation import explanation

    set_logging(verbose, quiet=False)
    with opened(config_option, environment, workspace) as session:
        told = explanation(session, finding)

    def show(console: Console) -> None:
        console.print(told.title, style="bold", markup=False)
        for name, value in told.facts.items():
            console.print(f"  {name}: {value}", soft_wrap=True, markup=False)
        if told.windows:
            console.print(table(list(told.windows[0]), [tuple(row.values()) for row in told.windows]))

    answer(output, {"title": told.title, **told.facts, "windows": told.windows}, show)
    return 0
