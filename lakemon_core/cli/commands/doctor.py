"""`lakemon doctor`: whether everything that lakemon needs is there."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from lakemon_core.cli.lazy import COMMANDS
from lakemon_core.cli.options import (
    ConfigArgument,
    ConfigOption,
    Environment,
    Output,
    Verbose,
    Workspace,
    config_path,
    set_logging,
)
from lakemon_core.cli.output import Format, answer
from lakemon_core.domain.run import ExitCode

if TYPE_CHECKING:
    from rich.console import Console

app = typer.Typer(add_completion=False)


@app.command(help=COMMANDS["doctor"][2])
def doctor(
    config: ConfigArgument = None,
    *,
    config_option: ConfigOption = None,
    environment: Environment = None,
    workspace: Workspace = None,
    output: Output = Format.TEXT,
    verbose: Verbose = 0,
) -> int:
    """Prints one line a check."""
    from lakemon_core.pipeline.doctor import examine
    from lakemon_core.pipeline.result import RunRequest

    set_logging(verbose, quiet=False)
    request = RunRequest(config_path(config, config_option), environment, workspace=workspace)
    checks = examine(request)

    def show(console: Console) -> None:
        for check in checks:
            mark, style = ("✓", "") if check.ok else ("✗", "bold red")
            console.print(f"{mark} {check.name:<14} {check.detail}", style=style, soft_wrap=True)

    answer(output, {"checks": [asdict(check) for check in checks]}, show)
    return ExitCode.DONE if all(check.ok for check in checks) else ExitCode.INCOMPLETE
