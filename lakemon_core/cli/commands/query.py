"""`lakemon query`: one read-only SQL statement over all tables."""

from __future__ import annotations

from typing import Annotated

import typer

from lakemon_core.cli.lazy import COMMANDS
from lakemon_core.cli.opening import opened
from lakemon_core.cli.options import ConfigOption, Environment, Output, Verbose, Workspace, set_logging
from lakemon_core.cli.output import Format, answer, table

app = typer.Typer(add_completion=False)

Statement = Annotated[
    str, typer.Argument(metavar="SQL", help="A SELECT; tables by their three-level names, e.g. dev.ml.logs.")
]


@app.command(help=COMMANDS["query"][2])
def query(
    sql: Statement,
    *,
    config_option: ConfigOption = None,
    environment: Environment = None,
    workspace: Workspace = None,
    output: Output = Format.TEXT,
    verbose: Verbose = 0,
) -> int:
    """Prints the rows of a statement."""
    set_logging(verbose, quiet=False)
    with opened(config_option, environment, workspace) as session:
        found = session.backend.tables.query(sql)
    columns = list(found.column_names)
    rows = found.to_pylist()
    shown = table(columns, [tuple(row.values()) for row in rows])
    answer(output, {"columns": columns, "rows": rows}, lambda console: console.print(shown))
    return 0
