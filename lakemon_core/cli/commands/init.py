"""`lakemon init`: a project to start from."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from lakemon_core.cli.lazy import COMMANDS
from lakemon_core.cli.options import DEFAULT_CONFIG, Force, Keep, Output, Verbose, set_logging
from lakemon_core.cli.output import Format, answer
from lakemon_core.domain.errors import ConfigErrors, UsageError, did_you_mean

if TYPE_CHECKING:
    from rich.console import Console

app = typer.Typer(add_completion=False)

Directory = Annotated[Path, typer.Argument(metavar="DIRECTORY", help="Where to.")]
Model = Annotated[str | None, typer.Option("--model", metavar="NAME", help="Name of the model.")]
Type = Annotated[str | None, typer.Option("--type", metavar="TYPE", help="Model type.")]
Schema = Annotated[str | None, typer.Option("--schema", help="Schema of model and tables.")]
Catalog = Annotated[
    str | None, typer.Option("--catalog", help="Catalogs are called so, and then _dev, _aut and _prod.")
]
Email = Annotated[str | None, typer.Option("--email", help="Who is told.")]
Served = Annotated[
    bool | None,
    typer.Option("--serving/--batch", help="An endpoint serves the model, or a job fills a table."),
]
Backend = Annotated[
    Literal["local", "databricks"] | None,
    typer.Option("--backend", help="Where it runs; databricks brings a bundle, jobs and CI."),
]
Ci = Annotated[
    Literal["none", "azure", "github", "both"] | None,
    typer.Option("--ci", help="CI of a databricks project."),
]
Template = Annotated[
    str | None, typer.Option("--template", metavar="NAME", help="Only a config, from this template.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be written.")]
Yes = Annotated[
    bool, typer.Option("--yes", "-y", help="Ask nothing: defaults where no option says otherwise.")
]


@app.command(help=COMMANDS["init"][2])
def init(
    directory: Directory = Path(),
    *,
    model: Model = None,
    model_type: Type = None,
    serving: Served = None,
    schema: Schema = None,
    catalog: Catalog = None,
    email: Email = None,
    backend: Backend = None,
    ci: Ci = None,
    template: Template = None,
    force: Force = False,
    keep: Keep = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    output: Output = Format.TEXT,
    verbose: Verbose = 0,
) -> int:
    """Writes the files of a project and says what to change in them."""
    from lakemon_core.config import project_places, text_places
    from lakemon_core.pipeline.new_files import write_new

    set_logging(verbose, quiet=False)
    given = {
        "model_name": model, "model_type": model_type, "serving": serving, "schema": schema,
        "catalog": catalog, "email": email, "backend": backend, "ci": ci,
    }  # fmt: skip
    answers = {name: value for name, value in given.items() if value is not None}
    if sys.stdin.isatty() and output is Format.TEXT and not yes:
        try:
            answers = _asked(answers, config_only=template is not None)
        except EOFError:
            raise typer.Abort from None
    made = write_new(directory, _texts(template, answers), force=force, keep=keep, dry_run=dry_run)
    config = directory / DEFAULT_CONFIG
    places = text_places(made.texts) if dry_run else project_places(config)

    def show(console: Console) -> None:
        for line in (*made.lines(), *(f"  {place}" for place in places)):
            console.print(line, soft_wrap=True)
        if not dry_run:
            console.print(f"Then: {_next(directory, answers)}", soft_wrap=True)

    answer(output, {"config": str(config), **made.document(), "open": places}, show)
    return 0


def _texts(template: str | None, answers: Mapping[str, object]) -> dict[str, str]:
    """Returns the files of a project, path → text; the config among them loads.

    Raises:
        PluginError: LM201 for a model type that is not installed.
        UsageError: LM160 for a value that no config may hold, LM185 for a template that does not exist.
    """
    from lakemon_templates import config_name, names, project, render

    from lakemon_core.pipeline.plugins import discover

    values = {name: value for name, value in answers.items() if name != "ci"}
    model_type = str(values.get("model_type", "classification"))
    discover(no_plugins=True).model_type(model_type)
    if template is not None and template not in names():
        raise UsageError("LM185", f"there is no template {template!r}.", cure=did_you_mean(template, names()))
    if template is None and values.get("backend") == "databricks":
        texts = project(str(answers.get("ci", "none")), **values)
    else:
        texts = {DEFAULT_CONFIG.name: render(template or config_name(model_type), **values)}
    _check(texts[DEFAULT_CONFIG.name])
    return texts


def _check(config: str) -> None:
    """Refuses values that make no config."""
    from lakemon_core.config import load_all

    with TemporaryDirectory() as folder:
        path = Path(folder) / DEFAULT_CONFIG
        path.write_text(config, encoding="utf-8")
        try:
            load_all(path)
        except ConfigErrors as errors:
            first = errors.problems[0]
            raise UsageError("LM160", f"{first.path} {first.what}", cure=first.cure) from None


def _asked(answers: Mapping[str, object], *, config_only: bool) -> dict[str, object]:
    """Returns the answers, with those that no option gave asked on the terminal."""
    from lakemon_templates import CI, DEFAULTS
    from rich.prompt import Confirm, Prompt

    from lakemon_core.pipeline.plugins import discover

    whole = dict(answers)

    def ask(name: str, question: str, choices: list[str] | None = None) -> None:
        if name not in whole:
            whole[name] = Prompt.ask(question, choices=choices, default=str(DEFAULTS.get(name, "none")))

    ask("model_name", "Name of the model")
    rows = discover(no_plugins=True).rows()
    ask("model_type", "Its type", sorted(row.name for row in rows if row.kind == "model type"))
    if "serving" not in whole:
        whole["serving"] = Confirm.ask("Does an endpoint serve it", default=True)
    ask("schema", "Schema of the model and its tables")
    ask("email", "Who is told when something is wrong")
    ask("backend", "Where does it run", ["local", "databricks"])
    if whole["backend"] == "databricks":
        ask("catalog", "Catalogs are called so, and then _dev, _aut and _prod")
        if not config_only:
            ask("ci", "CI", list(CI))
    return whole


def _next(directory: Path, answers: Mapping[str, object]) -> str:
    """Returns the commands that come next."""
    there = "" if directory == Path() else f"cd {directory}, "
    run = "lakemon run -e local" if answers.get("backend") == "databricks" else "lakemon run"
    return f"{there}lakemon config check, lakemon plan, {run}"
