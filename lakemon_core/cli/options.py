"""The options that commands share."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from lakemon_core.cli.output import Format
from lakemon_core.cli.redaction import redact_logs
from lakemon_core.domain.errors import UsageError, did_you_mean
from lakemon_core.domain.run import Stage

DEFAULT_CONFIG = Path("monitoring_config.yml")

ConfigArgument = Annotated[
    Path | None, typer.Argument(metavar="CONFIG", help=f"The config file; default: {DEFAULT_CONFIG}.")
]
ConfigOption = Annotated[
    Path | None, typer.Option("--config", "-c", metavar="CONFIG", help="The config file, as an option.")
]
Environment = Annotated[
    str | None,
    typer.Option("--environment", "-e", help="Environment of the config; default: the only one, or dev."),
]
Stages = Annotated[
    str | None, typer.Option("--stages", metavar="A,B", help="Only these stages, e.g. monitor,analyze.")
]
Workspace = Annotated[
    Path | None,
    typer.Option("--workspace", metavar="DIR", help="Folder for state; default: .lakemon beside the config."),
]
Output = Annotated[Format, typer.Option("--output", help="Text for people, or one JSON document.")]
Verbose = Annotated[int, typer.Option("--verbose", "-v", count=True, help="Log more; -vv shows tracebacks.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be done, like `lakemon plan`.")]
Force = Annotated[bool, typer.Option("--force", help="Overwrite files that are there.")]
Keep = Annotated[bool, typer.Option("--keep", help="Keep files that are there, write the others.")]
FailOn = Annotated[
    Literal["warning", "critical"] | None,
    typer.Option("--fail-on", help="Exit with 1 when an incident of this severity or worse is open."),
]
NoPlugins = Annotated[bool, typer.Option("--no-plugins", help="Leave all hook plugins out.")]
TraceHooks = Annotated[
    bool, typer.Option("--trace-hooks", help="Print every call of a plugin's hook to stderr.")
]


def config_path(argument: Path | None, option: Path | None) -> Path:
    """Returns the config of a command line.

    Raises:
        UsageError: LM181 when it is given twice and differently.
    """
    if argument and option and argument != option:
        raise UsageError("LM181", f"two configs are named, {argument} and {option};", cure="name one.")
    return argument or option or DEFAULT_CONFIG


def stages_of(text: str | None, default: tuple[Stage, ...]) -> tuple[Stage, ...]:
    """Reads `--stages`.

    Raises:
        UsageError: LM182 for a stage that does not exist.
    """
    if text is None:
        return default
    names = [name.strip() for name in text.split(",") if name.strip()]
    known = [stage.value for stage in Stage]
    for name in names:
        if name not in known:
            raise UsageError("LM182", f"{name!r} is not a stage.", cure=did_you_mean(name, known))
    return tuple(stage for stage in Stage if stage in names) or default


def set_logging(verbose: int, *, quiet: bool) -> None:
    """Logs to stderr: warnings, or with `-v` what is going on, or with `-vv` everything."""
    level = logging.ERROR if quiet else (logging.WARNING, logging.INFO, logging.DEBUG)[min(verbose, 2)]
    logging.basicConfig(stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("lakemon_core").setLevel(level)
    redact_logs()
