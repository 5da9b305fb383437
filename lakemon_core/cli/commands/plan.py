"""`lakemon plan`: what a run would do, without doing it."""

from __future__ import annotations

import typer

from lakemon_core.cli.commands.stages import plan_request
from lakemon_core.cli.lazy import COMMANDS
from lakemon_core.cli.options import (
    ConfigArgument,
    ConfigOption,
    Environment,
    NoPlugins,
    Output,
    Quiet,
    Stages,
    Verbose,
    Workspace,
    config_path,
    set_logging,
    stages_of,
)
from lakemon_core.cli.output import Format
from lakemon_core.domain.run import Stage
from lakemon_core.pipeline.result import RunRequest

app = typer.Typer(add_completion=False)


@app.command(help=COMMANDS["plan"][2])
def plan(
    config: ConfigArgument = None,
    *,
    config_option: ConfigOption = None,
    environment: Environment = None,
    stages: Stages = None,
    workspace: Workspace = None,
    output: Output = Format.TEXT,
    verbose: Verbose = 0,
    quiet: Quiet = False,
    no_plugins: NoPlugins = False,
) -> int:
    """Prints the plan of a run."""
    set_logging(verbose, quiet=quiet)
    request = RunRequest(
        config=config_path(config, config_option),
        environment=environment,
        stages=stages_of(stages, tuple(Stage)),
        workspace=workspace,
        no_plugins=no_plugins,
    )
    return plan_request(request, output)
