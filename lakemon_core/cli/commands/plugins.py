"""`lakemon plugins`: what is installed, what works, why not, and a start for a new one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from lakemon_core.cli.lazy import COMMANDS
from lakemon_core.cli.options import ConfigOption, Environment, Force, Keep, Output, Verbose, set_logging
from lakemon_core.cli.output import Format, answer, table
from lakemon_core.domain.errors import PluginError, UsageError, did_you_mean

if TYPE_CHECKING:
    from rich.console import Console

    from lakemon_core.pipeline.plugins import PluginRow

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")

app = typer.Typer(add_completion=False, help=COMMANDS["plugins"][2], no_args_is_help=True)

DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be written.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of a plugin or of a distribution.")]
NewName = Annotated[str, typer.Argument(metavar="NAME", help="Its name: small letters, digits and -.")]
Kind = Annotated[
    Literal["hook", "sink", "model-type", "backend"], typer.Option("--kind", help="What it is going to be.")
]
Directory = Annotated[
    Path | None, typer.Option("--directory", metavar="DIR", help="Where to; default: lakemon-NAME.")
]


@app.command("list")
def list_plugins(
    *,
    config_option: ConfigOption = None,
    environment: Environment = None,
    output: Output = Format.TEXT,
    verbose: Verbose = 0,
) -> int:
    """List every installed plugin with its status, hooks and load time.

    With a config, what it disables is shown as disabled.
    """
    set_logging(verbose, quiet=False)
    disabled: Sequence[str] = ()
    if config_option is not None:
        from lakemon_core.config import load

        disabled = load(config_option, environment).monitor.plugins.disabled
    rows = _rows(disabled)
    answer(output, {"plugins": [asdict(row) for row in rows]}, lambda console: _show_list(console, rows))
    return 0


@app.command("show")
def show_plugin(name: Name, *, output: Output = Format.TEXT, verbose: Verbose = 0) -> int:
    """Show all that is known of one plugin or of one distribution's plugins."""
    set_logging(verbose, quiet=False)
    rows = _named(name)
    answer(output, {"plugins": [asdict(row) for row in rows]}, lambda console: _show_each(console, rows))
    return 0


@app.command("check")
def check_plugin(name: Name, *, output: Output = Format.TEXT, verbose: Verbose = 0) -> int:
    """Load a plugin and say whether it works: exit code 0, or 2 with the reason."""
    set_logging(verbose, quiet=False)
    rows = _named(name)
    answer(output, {"plugins": [asdict(row) for row in rows]}, lambda console: _show_each(console, rows))
    return 0 if all(row.status == "active" for row in rows) else PluginError.exit_code


@app.command("new")
def new_plugin(
    name: NewName,
    *,
    kind: Kind = "hook",
    directory: Directory = None,
    force: Force = False,
    keep: Keep = False,
    dry_run: DryRun = False,
    output: Output = Format.TEXT,
    verbose: Verbose = 0,
) -> int:
    """Write a plugin to start from: a distribution that works, with tests that hold its contract."""
    from lakemon_templates import plugin

    from lakemon_core.pipeline.new_files import write_new

    set_logging(verbose, quiet=False)
    _refuse_taken(name)
    folder = directory or Path(f"lakemon-{name}")
    made = write_new(folder, plugin(name, kind), force=force, keep=keep, dry_run=dry_run)

    def show(console: Console) -> None:
        for line in made.lines():
            console.print(line, soft_wrap=True)
        if not dry_run:
            console.print(f"Then: cd {folder}, pip install -e ., lakemon plugins show {name}, pytest")

    answer(output, {"directory": str(folder), "kind": kind, **made.document()}, show)
    return 0


def _refuse_taken(name: str) -> None:
    """Raises LM163 for a name that no entry point may have, or that an installed plugin has."""
    if not _NAME.fullmatch(name):
        raise UsageError("LM163", f"{name!r} cannot be the name of a plugin;", cure="write e.g. night-watch.")
    for row in _rows():
        if row.name == name:
            taken = f"{name!r} is the name of the {row.kind} of {row.distribution};"
            raise UsageError("LM163", taken, cure="choose another.")


def _rows(disabled: Sequence[str] = ()) -> list[PluginRow]:
    from lakemon_core.pipeline.plugins import discover

    return discover(disabled).rows()


def _named(name: str) -> list[PluginRow]:
    rows = _rows()
    named = [row for row in rows if name in {row.name, row.distribution}]
    if not named:
        known = sorted({row.name for row in rows} | {row.distribution for row in rows})
        raise PluginError("LM201", f"no plugin or distribution {name!r}.", cure=did_you_mean(name, known))
    return named


def _show_list(console: Console, rows: Sequence[PluginRow]) -> None:
    columns = ["name", "kind", "distribution", "api", "status", "hooks", "ms"]
    cells = [
        (
            one.name,
            one.kind,
            f"{one.distribution} {one.version}",
            one.api,
            one.status,
            len(one.hooks),
            one.load_ms,
        )
        for one in rows
    ]
    console.print(table(columns, cells))
    for row in rows:
        if row.error:
            console.print(f"{row.name}: {row.error}", style="yellow", soft_wrap=True)


def _show_each(console: Console, rows: Sequence[PluginRow]) -> None:
    for row in rows:
        for label, value in asdict(row).items():
            shown = ", ".join(value) if isinstance(value, (list, tuple)) else value
            console.print(f"{label:<13} {shown}", soft_wrap=True)
        console.print()
