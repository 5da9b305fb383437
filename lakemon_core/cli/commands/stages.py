"""`lakemon run` and its five stages as commands of their own: one set of options, one way to run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import typer

from lakemon_core.cli.lazy import COMMANDS
from lakemon_core.cli.options import (
    ConfigArgument,
    ConfigOption,
    DryRun,
    Environment,
    FailOn,
    NoPlugins,
    Output,
    Quiet,
    Stages,
    TraceHooks,
    Verbose,
    Workspace,
    config_path,
    set_logging,
    stages_of,
)
from lakemon_core.cli.output import Format, answer
from lakemon_core.cli.progress import DISPLAY, showing
from lakemon_core.cli.summary import show_outcome, show_plan, show_run
from lakemon_core.domain.run import Finding, Severity, Stage
from lakemon_core.pipeline.result import RunRequest


def stage_command(default: tuple[Stage, ...]) -> Callable[..., int]:
    """Returns the function of a command that runs `default` unless `--stages` says otherwise."""

    def command(
        config: ConfigArgument = None,
        *,
        config_option: ConfigOption = None,
        environment: Environment = None,
        stages: Stages = None,
        workspace: Workspace = None,
        output: Output = Format.TEXT,
        verbose: Verbose = 0,
        quiet: Quiet = False,
        dry_run: DryRun = False,
        fail_on: FailOn = None,
        no_plugins: NoPlugins = False,
        trace_hooks: TraceHooks = False,
    ) -> int:
        set_logging(verbose, quiet=quiet)
        request = RunRequest(
            config=config_path(config, config_option),
            environment=environment,
            stages=stages_of(stages, default),
            workspace=workspace,
            fail_on=Severity(fail_on) if fail_on else None,
            no_plugins=no_plugins,
        )
        if dry_run:
            return plan_request(request, output)
        return run_request(request, output, quiet=quiet, trace_hooks=trace_hooks)

    return command


def run_request(
    request: RunRequest,
    output: Format,
    *,
    quiet: bool = False,
    trace_hooks: bool = False,
    days: int | None = None,
) -> int:
    """Runs, shows the progress and prints the result; `days` leaves older findings out."""
    from lakemon_core.cli.allocator import share_one_arena
    from lakemon_core.pipeline.run import run_session
    from lakemon_core.pipeline.session import open_session

    share_one_arena()
    trace = show_outcome if trace_hooks else None
    with showing(quiet=quiet) as display, open_session(request, progress=display, trace=trace) as session:
        session.hooks.register(display, DISPLAY)
        result = run_session(session, request)
    if days is not None:
        result = replace(result, findings=recent(result.findings, datetime.now(UTC) - timedelta(days=days)))
    answer(output, result.document(), lambda console: show_run(console, result))
    return int(result.exit_code)


def recent(findings: Sequence[Finding], since: datetime) -> tuple[Finding, ...]:
    """Returns the findings whose window begins at `since` or later, and those without a window."""
    first = f"{since:%Y-%m-%d}"
    return tuple(one for one in findings if str(one.evidence.get("window") or first) >= first)


def plan_request(request: RunRequest, output: Format) -> int:
    """Prints what a run would do."""
    from lakemon_core.pipeline.plan import plan

    planned = plan(request)
    answer(output, planned.document(), lambda console: show_plan(console, planned))
    return 0


def _app(name: str, *stages: Stage) -> typer.Typer:
    app = typer.Typer(add_completion=False)
    app.command(name, help=COMMANDS[name][2])(stage_command(stages))
    return app


run = _app("run", *Stage)
deploy = _app("deploy", Stage.DEPLOY)
validate = _app("validate", Stage.VALIDATE)
monitor = _app("monitor", Stage.MONITOR)
analyze = _app("analyze", Stage.ANALYZE)
