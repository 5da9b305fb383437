"""Six console scripts that people already have in their jobs: thin doors to the stages of `lakemon run`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from lakemon_core.cli.commands.stages import run_request
from lakemon_core.cli.main import call
from lakemon_core.cli.options import (
    DEFAULT_CONFIG,
    Environment,
    FailOn,
    Output,
    Quiet,
    Verbose,
    Workspace,
    set_logging,
)
from lakemon_core.cli.output import Format
from lakemon_core.domain.run import Severity, Stage
from lakemon_core.pipeline.result import RunRequest

SCRIPTS: dict[str, tuple[Stage, str]] = {
    "deploy_serving": (Stage.DEPLOY, "Put the model behind its endpoint, with its inference table on."),
    "validate_inference_table": (Stage.VALIDATE, "Prove that requests arrive in the inference table."),
    "setup_monitoring": (Stage.MONITOR, "Make the metric tables and measure what is there."),
    "refresh_all_monitors": (Stage.MONITOR, "Measure every window that changed."),
    "analyze_drift": (Stage.ANALYZE, "Turn metric tables into signals and findings."),
    "send_alerts": (Stage.ALERT, "Judge the rules and tell the people who should know."),
}
"""Script → its stage and what it does."""

Config = Annotated[Path, typer.Option("--config", "-c", metavar="CONFIG", help="The config file.")]
Catalog = Annotated[str | None, typer.Option("--catalog", help="Takes the place of the config's catalog.")]
Schema = Annotated[str | None, typer.Option("--schema", help="Takes the place of the config's schema.")]
GitSha = Annotated[str | None, typer.Option("--git-sha", help="The commit that is deployed.")]
Days = Annotated[
    int | None, typer.Option("--days", min=1, help="Report findings of the last so many days only.")
]


def app_of(name: str) -> typer.Typer:
    """Returns the options of a script and what it does."""
    stage, help_text = SCRIPTS[name]
    app = typer.Typer(add_completion=False)

    @app.command(name, help=help_text)
    def command(
        *,
        config: Config = DEFAULT_CONFIG,
        catalog: Catalog = None,
        schema: Schema = None,
        environment: Environment = None,
        git_sha: GitSha = None,
        days: Days = None,
        workspace: Workspace = None,
        fail_on: FailOn = None,
        output: Output = Format.TEXT,
        verbose: Verbose = 0,
        quiet: Quiet = False,
    ) -> int:
        set_logging(verbose, quiet=quiet)
        request = RunRequest(
            config=config,
            environment=environment,
            stages=(stage,),
            workspace=workspace,
            fail_on=Severity(fail_on) if fail_on else None,
            catalog=catalog,
            schema=schema,
            git_sha=git_sha,
        )
        return run_request(request, output, quiet=quiet, days=days)

    del command
    return app


def _script(name: str) -> Callable[[], None]:
    """Returns the entry point of a script."""
    return lambda: _end(call(sys.argv[1:], name, app_of(name)))


def _end(code: int) -> None:
    """Ends a script: by returning when all is well, so that a job's process is never asked to exit."""
    if code:
        sys.exit(code)


deploy_serving = _script("deploy_serving")
validate_inference_table = _script("validate_inference_table")
setup_monitoring = _script("setup_monitoring")
refresh_all_monitors = _script("refresh_all_monitors")
analyze_drift = _script("analyze_drift")
send_alerts = _script("send_alerts")
