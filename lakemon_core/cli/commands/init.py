"""`lakemon init`: a config to start from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lakemon_core.cli.lazy import COMMANDS
from lakemon_core.cli.options import DEFAULT_CONFIG, Output, Verbose, set_logging
from lakemon_core.cli.output import Format, answer
from lakemon_core.domain.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from rich.console import Console

app = typer.Typer(add_completion=False)

Directory = Annotated[Path, typer.Argument(metavar="DIRECTORY", help="Where to.")]
Template = Annotated[str, typer.Option("--template", metavar="NAME", help="Name of a template.")]
Force = Annotated[bool, typer.Option("--force", help="Overwrite a config that is there.")]


@app.command(help=COMMANDS["init"][2])
def init(
    directory: Directory = Path(),
    *,
    template: Template = DEFAULT_CONFIG.stem,
    force: Force = False,
    output: Output = Format.TEXT,
    verbose: Verbose = 0,
) -> int:
    """Writes monitoring_config.yml and says what to change in it."""
    from lakemon_templates import names, render

    from lakemon_core.config import open_places

    set_logging(verbose, quiet=False)
    if template not in names():
        raise UsageError("LM185", f"there is no template {template!r}.", cure=did_you_mean(template, names()))
    target = directory / DEFAULT_CONFIG
    if target.exists() and not force:
        raise UsageError("LM186", f"{target} is there already;", cure="`--force` overwrites it.")
    directory.mkdir(parents=True, exist_ok=True)
    target.write_text(render(template), encoding="utf-8")
    places = open_places(target)

    def show(console: Console) -> None:
        console.print(f"wrote {target}")
        for line, text in places:
            console.print(f"  line {line}: {text}", soft_wrap=True)
        console.print("Then: lakemon config check, lakemon plan, lakemon run")

    answer(output, {"config": str(target), "open": [list(place) for place in places]}, show)
    return 0
