"""`lakemon explain`: what an incident or a finding rests on, window by window."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lakemon_core.cli.opening import opened
from lakemon_core.cli.options import ConfigOption, Environment, Output, Verbose, Workspace, set_logging
from lakemon_core.cli.output import Format, answer, table

if TYPE_CHECKING:
    from rich.console import Console

app = typer.Typer(add_completion=False)
_PARTS = 10
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
    """Show what an incident or finding rests on: rule, limits, every window, which slices moved it."""
    from lakemon_core.pipeline.explanation import explanation

    set_logging(verbose, quiet=False)
    with opened(config_option, environment, workspace) as session:
        told = explanation(session, finding)

    def show(console: Console) -> None:
        console.print(told.title, style="bold", markup=False)
        for name, value in told.facts.items():
            console.print(f"  {name}: {value}", soft_wrap=True, markup=False)
        if told.windows:
            console.print(table(list(told.windows[0]), list(map(_cells, told.windows))))
        for split in told.splits:
            _show_split(console, split)

    document = {"title": told.title, **told.facts, "windows": told.windows, "splits": told.splits}
    answer(output, document, show)
    return 0


def _cells(row: Mapping[str, Any]) -> tuple[object, ...]:
    """Returns the values of a row, numbers to four digits."""
    return tuple(f"{value:.4g}" if isinstance(value, float) else value for value in row.values())


def _show_split(console: Console, split: Mapping[str, Any]) -> None:
    """Prints how a change divides over slices: other shares of the rows, and other values within."""
    change, mix, rate = (f"{split[name]:+.3g}" for name in ("change", "mix", "rate"))
    console.print(
        f"\n{split['metric']} {change} from {split['from']} to {split['to']}, by {split['slices']}:"
        f" {mix} by other shares (mix), {rate} within slices (rate)",
        soft_wrap=True,
        markup=False,
    )
    parts = split["parts"]
    console.print(table([str(split["slices"]), *list(parts[0])[1:]], list(map(_cells, parts[:_PARTS]))))
    if len(parts) > _PARTS:
        console.print(f"  and {len(parts) - _PARTS} more; `--output json` lists all")
