"""The door of `lakemon`: one command line in, one exit code out."""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Annotated

import typer
from typer.exceptions import Abort, TyperException
from typer.main import get_command

from lakemon_core.cli.lazy import LazyGroup
from lakemon_core.cli.output import asked_for, only_results, print_error
from lakemon_core.domain.errors import LakemonError, UsageError
from lakemon_core.domain.run import ExitCode

TERMINATED = 143
"""Exit code after SIGTERM, as shells count it."""
_OBJECTS = 50_000
"""New objects after which cycles among them are looked for."""

app = typer.Typer(cls=LazyGroup)


def _print_version(value: bool) -> None:  # noqa: FBT001 - typer calls it by position
    if value:
        from lakemon_core import __version__

        typer.echo(f"lakemon {__version__}")
        raise typer.Exit


@app.callback()
def root(
    *,
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_print_version, help="Print the version.")
    ] = False,
) -> None:
    """Monitors any MLflow model in production, on Databricks or on a laptop."""
    del version


def main() -> None:
    """Runs `lakemon` with the arguments of this process, which is its own."""
    # Imports make many objects and few cycles; at Python's default they are gone through again and again.
    gc.set_threshold(_OBJECTS, 20, 20)
    # OpenBLAS starts a thread a core that waits busily, which costs more than our small products gain.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    code = call(sys.argv[1:])
    gc.freeze()  # else Python goes through all that was imported once more before it ends
    sys.exit(code)


def call(arguments: Sequence[str], program: str = "lakemon", commands: typer.Typer = app) -> int:
    """Runs one command line.

    Errors are printed: as text on stderr, or as one JSON document on stdout when `--output json` is asked
    for.

    Returns:
        an `ExitCode`, or 143 after SIGTERM.
    """
    form = asked_for(arguments)
    with only_results(form), _sigterm_as_interrupt() as terminations:
        try:
            code = get_command(commands).main(list(arguments) or ["--help"], program, standalone_mode=False)
        except LakemonError as error:
            return print_error(error, form)
        except TyperException as error:
            return print_error(_usage_error(error, program), form)
        except Abort:
            code = ExitCode.INTERRUPTED
        except Exception as error:  # noqa: BLE001 - a bug ends as one line too; `-vv` shows the traceback
            return print_error(_bug(error), form)
        if code != ExitCode.INTERRUPTED:
            return int(code or 0)
        interrupted = LakemonError("LM190", "interrupted;", cure="the next run finishes the work.")
        return print_error(interrupted, form, TERMINATED if terminations else ExitCode.INTERRUPTED)


@contextmanager
def _sigterm_as_interrupt() -> Generator[list[int]]:
    """Lets SIGTERM end a command as Ctrl-C does, with everything closed; a second one ends it at once.

    Python hears signals in its main thread only; a job may call a script from another one.
    """
    received: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield received
        return

    def interrupt(number: int, _: FrameType | None) -> None:
        received.append(number)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield received
    finally:
        signal.signal(signal.SIGTERM, before)


def _usage_error(error: TyperException, program: str) -> UsageError:
    context = getattr(error, "ctx", None)
    command = context.command_path if context else program
    cure = f"`{command} --help` shows what there is."
    what = error.format_message().replace("\n", " ").replace("Value error, ", "")
    return UsageError("LM180", what, cure=cure)


def _bug(error: Exception) -> LakemonError:
    what = f"unexpected {type(error).__name__}: {error};"
    ours = LakemonError("LM699", what, cure="please report it; `-vv` shows the traceback.")
    ours.__cause__ = error
    return ours
