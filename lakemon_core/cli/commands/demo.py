"""`lakemon demo`: the whole story on real flights data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lakemon_core.cli.lazy import COMMANDS
from lakemon_core.cli.options import Output, Quiet, Verbose, set_logging
from lakemon_core.cli.output import Format, answer
from lakemon_core.cli.progress import showing

app = typer.Typer(add_completion=False)

Directory = Annotated[Path, typer.Option("--directory", metavar="DIR", help="Where everything is kept.")]
Fresh = Annotated[
    bool, typer.Option("--fresh", help="Start from nothing, if the folder holds a demo already.")
]


@app.command(help=COMMANDS["demo"][2])
def demo(
    *,
    directory: Directory = Path("lakemon-demo"),
    fresh: Fresh = False,
    output: Output = Format.TEXT,
    verbose: Verbose = 0,
    quiet: Quiet = False,
) -> int:
    """Plays the demo and prints what it found."""
    from lakemon_core.demo import play

    set_logging(verbose, quiet=quiet)
    with showing(quiet=quiet) as display:
        result = play(directory, progress=display, fresh=fresh, tell=display.line)
    answer(output, result.document(), lambda console: console.print(result.story(), soft_wrap=True))
    return int(result.exit_code)
