"""`lakemon config`: check, show and describe config files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lakemon_core.cli.lazy import COMMANDS
from lakemon_core.cli.options import (
    ConfigArgument,
    ConfigOption,
    Environment,
    Output,
    Verbose,
    config_path,
    set_logging,
)
from lakemon_core.cli.output import Format, answer

if TYPE_CHECKING:
    from rich.console import Console

app = typer.Typer(add_completion=False, help=COMMANDS["config"][2], no_args_is_help=True)

File = Annotated[
    Path | None, typer.Option("--file", metavar="FILE", help="Write it into a file instead of to stdout.")
]


@app.command("check")
def check_config(
    config: ConfigArgument = None,
    *,
    config_option: ConfigOption = None,
    environment: Environment = None,
    output: Output = Format.TEXT,
    verbose: Verbose = 0,
) -> int:
    """Say everything that is wrong with a config, for one environment or for all.

    The settings of the plugins that it names are checked too. Places of templates that still say UPDATE are
    listed, those of the project's other files as well.
    """
    from lakemon_core.config import load, load_all, project_places
    from lakemon_core.pipeline.feasible import check_feasible
    from lakemon_core.pipeline.result import RunRequest
    from lakemon_core.pipeline.session import open_session

    set_logging(verbose, quiet=False)
    path = config_path(config, config_option)
    names = list(load_all(path)) if environment is None else [environment]
    for name in names:
        with open_session(RunRequest(load(path, name), name)) as session:
            if session.model_type is not None:
                check_feasible(session.context("check"), session.loaded, reach=False)
    places = project_places(path)
    document = {"config": str(path), "environments": names, "open": places}

    def show(console: Console) -> None:
        console.print(f"{path} is fine for {', '.join(names)}")
        if places:
            console.print(f"{len(places)} places still say UPDATE:")
        for place in places:
            console.print(f"  {place}", style="yellow", soft_wrap=True)

    answer(output, document, show)
    return 0


@app.command("show")
def show_config(
    config: ConfigArgument = None,
    *,
    config_option: ConfigOption = None,
    environment: Environment = None,
    output: Output = Format.TEXT,
    verbose: Verbose = 0,
) -> int:
    """Show the config of one environment as lakemon sees it, with defaults filled in and secrets hidden."""
    from lakemon_core.config import load, resolved, show

    set_logging(verbose, quiet=False)
    monitor = load(config_path(config, config_option), environment).monitor
    answer(output, resolved(monitor), lambda console: console.print(show(monitor), end="", soft_wrap=True))
    return 0


@app.command("schema")
def write_schema(*, file: File = None, output: Output = Format.TEXT, verbose: Verbose = 0) -> int:
    """Write the JSON Schema of the config, with what the installed plugins add, for editors."""
    from lakemon_core.config.schema import json_schema
    from lakemon_core.pipeline.plugins import discover

    set_logging(verbose, quiet=False)
    plugins = discover()
    schema = json_schema(
        model_types=plugins.configs("lakemon.model_types"),
        sinks=plugins.configs("lakemon.alert_sinks"),
        backends=plugins.configs("lakemon.backends"),
    )
    text = json.dumps(schema, ensure_ascii=False, indent=2)
    if file is not None:
        file.write_text(text + "\n", encoding="utf-8")
        answer(output, {"file": str(file)}, lambda console: console.print(f"wrote {file}"))
        return 0
    answer(output, schema, lambda console: console.print(text, soft_wrap=True))
    return 0
