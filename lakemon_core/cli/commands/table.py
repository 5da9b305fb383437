"""`lakemon table`: look at tables, bring files in and take them out."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lakemon_core.cli.lazy import COMMANDS
from lakemon_core.cli.opening import opened
from lakemon_core.cli.options import ConfigOption, Environment, Output, Quiet, Verbose, Workspace, set_logging
from lakemon_core.cli.output import Format, answer, table
from lakemon_core.cli.progress import showing
from lakemon_core.domain.errors import UsageError
from lakemon_core.domain.names import TableName, plain

if TYPE_CHECKING:
    from rich.console import Console

    from lakemon_core.pipeline.session import Session
    from lakemon_core.ports import TableFiles

app = typer.Typer(add_completion=False, help=COMMANDS["table"][2], no_args_is_help=True)


class Mode(StrEnum):
    """What an import does with a table that is there."""

    APPEND = "append"
    REPLACE = "replace"
    CREATE = "create"


Name = Annotated[
    str, typer.Argument(metavar="TABLE", help="catalog.schema.table; the config fills in what is left out.")
]
Source = Annotated[
    Path,
    typer.Argument(metavar="FILE", help="A Parquet, CSV or Arrow file, or a Delta folder, used in place."),
]
Target = Annotated[
    Path, typer.Argument(metavar="FILE", help="Where to; the ending says the format: parquet, csv, arrow.")
]
ImportMode = Annotated[
    Mode, typer.Option("--mode", help="Append to the table, replace its rows, or refuse one that is there.")
]
At = Annotated[
    str | None,
    typer.Option("--at", help="A moment for all rows of a file that has no time, e.g. 2026-03-01 (UTC)."),
]
LeaveOut = Annotated[
    list[str] | None,
    typer.Option("--leave-out", help="A column that the table does not get; may be repeated."),
]
Limit = Annotated[int, typer.Option("--limit", min=0, help="How many rows.")]


@app.command("list")
def list_tables(
    *,
    config_option: ConfigOption = None,
    environment: Environment = None,
    workspace: Workspace = None,
    output: Output = Format.TEXT,
    verbose: Verbose = 0,
) -> int:
    """List all tables with their version."""
    set_logging(verbose, quiet=False)
    with opened(config_option, environment, workspace) as session:
        tables = session.backend.tables
        infos = [tables.info(name) for name in tables.list()]
    document = [
        {"name": str(one.name), "version": one.version, "location": one.location, "external": one.external}
        for one in infos
    ]
    rows = [(one.name, one.version, "in place" if one.external else "", one.location) for one in infos]
    show = table(["table", "version", "", "location"], rows)
    answer(output, {"tables": document}, lambda console: console.print(show))
    return 0


@app.command("import")
def import_table(
    name: Name,
    file: Source,
    *,
    mode: ImportMode = Mode.APPEND,
    at: At = None,
    leave_out: LeaveOut = None,
    config_option: ConfigOption = None,
    environment: Environment = None,
    workspace: Workspace = None,
    output: Output = Format.TEXT,
    verbose: Verbose = 0,
    quiet: Quiet = False,
) -> int:
    """Import a file of any size into a table; the same file again changes nothing."""
    from lakemon_core.ports import Adjustment

    set_logging(verbose, quiet=quiet)
    with (
        showing(quiet=quiet) as display,
        opened(config_option, environment, workspace, progress=display) as session,
    ):
        full = _name(session, name)
        column = session.context("import").roles.timestamp if at and session.model_type else "timestamp"
        dated = (column, _moment(at)) if at else None
        wanted = Adjustment(dated, tuple(leave_out or ())) if at or leave_out else None
        result = _files(session).import_file(full, file, mode=mode.value, progress=display, adjustment=wanted)
    document = {"table": str(full), "version": result.version, "inserted": result.inserted}
    told = f"{result.inserted:,} rows into {full}" if result.changed else f"{full} holds {file} already"
    answer(output, document, lambda console: console.print(f"{told}, version {result.version}"))
    return 0


@app.command("export")
def export_table(
    name: Name,
    file: Target,
    *,
    config_option: ConfigOption = None,
    environment: Environment = None,
    workspace: Workspace = None,
    output: Output = Format.TEXT,
    verbose: Verbose = 0,
    quiet: Quiet = False,
) -> int:
    """Export a table into a Parquet, CSV or Arrow file."""
    set_logging(verbose, quiet=quiet)
    with (
        showing(quiet=quiet) as display,
        opened(config_option, environment, workspace, progress=display) as session,
    ):
        full = _name(session, name)
        rows = _files(session).export_file(full, file, progress=display)
    document = {"table": str(full), "file": str(file), "rows": rows}
    answer(output, document, lambda console: console.print(f"{rows:,} rows of {full} into {file}"))
    return 0


@app.command("show")
def show_table(
    name: Name,
    *,
    limit: Limit = 10,
    config_option: ConfigOption = None,
    environment: Environment = None,
    workspace: Workspace = None,
    output: Output = Format.TEXT,
    verbose: Verbose = 0,
) -> int:
    """Show the columns and the first rows of a table."""
    set_logging(verbose, quiet=False)
    with opened(config_option, environment, workspace) as session:
        full = _name(session, name)
        info = session.backend.tables.info(full)
        batches = session.backend.tables.scan(full)
        rows = list(islice((row for batch in batches for row in batch.to_pylist()), limit))
    columns = {field.name: str(field.type) for field in info.schema}
    document = {
        "name": str(full),
        "version": info.version,
        "location": info.location,
        "columns": columns,
        "rows": rows,
    }
    cells = [(column, kind, *(row[column] for row in rows[:3])) for column, kind in columns.items()]
    shown = table(["column", "type", *(f"row {number}" for number in range(1, len(rows[:3]) + 1))], cells)

    def show(console: Console) -> None:
        console.print(f"{full}, version {info.version}, {info.location}", soft_wrap=True)
        console.print(shown)

    answer(output, document, show)
    return 0


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        cure = "write it as 2026-03-01 or 2026-03-01T06:00."
        raise UsageError("LM180", f"{plain(text)!r} is no moment;", where="--at", cure=cure) from None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _name(session: Session, text: str) -> TableName:
    return TableName.parse(text, catalog=session.monitor.catalog, schema=session.monitor.schema)


def _files(session: Session) -> TableFiles:
    files = session.backend.files
    if files is None:
        what = f"backend {session.monitor.backend!r} does not import and export files;"
        raise UsageError("LM183", what, cure="use the tools of your lake.")
    return files
