"""`lakemon report`: one self-contained HTML file that says how the model stands."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lakemon_core.cli.lazy import COMMANDS
from lakemon_core.cli.opening import opened
from lakemon_core.cli.options import (
    ConfigArgument,
    ConfigOption,
    Environment,
    NoPlugins,
    Output,
    Quiet,
    Verbose,
    Workspace,
    set_logging,
)
from lakemon_core.cli.output import Format, answer
from lakemon_core.cli.progress import showing

app = typer.Typer(add_completion=False)
File = Annotated[Path, typer.Option("--output-file", metavar="FILE", help="Where it is written.")]
Model = Annotated[str, typer.Option("--model", metavar="VERSION", help="Only this model version.")]
Since = Annotated[
    str | None,
    typer.Option("--since", metavar="WHEN", help='Only windows since then: 2026-11-01, or "30 days".'),
]

Charts = Annotated[
    Path | None,
    typer.Option(
        "--charts", metavar="DIR", help="Also write its charts, each as PNG and SVG, into this folder."
    ),
]


@app.command(help=COMMANDS["report"][2])
def report(
    config: ConfigArgument = None,
    *,
    output_file: File = Path("report.html"),
    model: Model = "*",
    since: Since = None,
    charts: Charts = None,
    config_option: ConfigOption = None,
    environment: Environment = None,
    workspace: Workspace = None,
    no_plugins: NoPlugins = False,
    output: Output = Format.TEXT,
    verbose: Verbose = 0,
    quiet: Quiet = False,
) -> int:
    """Writes the report and prints its headline."""
    from lakemon_core.pipeline.chart_files import demand_rendering, write_charts
    from lakemon_core.pipeline.reporting import since_of, write_report

    set_logging(verbose, quiet=quiet)
    if charts is not None:
        demand_rendering()
    with (
        showing(quiet=quiet) as display,
        opened(
            config_option, environment, workspace, argument=config, progress=display, no_plugins=no_plugins
        ) as session,
    ):
        moment = since_of(since, session.clock.now()) if since is not None else None
        page = write_report(session, output_file, model=model, since=moment)
        written = write_charts(page, charts, display) if charts is not None else []
    told = page.headline
    document = {
        "file": str(output_file.absolute()),
        "state": told.state.value,
        "sentence": told.sentence,
        "reasons": list(told.reasons),
        "bytes": output_file.stat().st_size,
        "charts": [str(path.absolute()) for path in written],
    }
    line = f"{told.state.value}: {told.sentence} {output_file}"
    answer(output, document, lambda console: console.print(line, soft_wrap=True, markup=False))
    return 0
