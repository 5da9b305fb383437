"""What the commands print: results on stdout, everything else on stderr; JSON stays one clean document."""

from __future__ import annotations

import json
import logging
import math
import os
import sys
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import asdict, is_dataclass
from datetime import UTC, date, datetime, time
from enum import Enum, StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from lakemon_core.cli.redaction import traceback_of
from lakemon_core.domain.errors import ConfigErrors, LakemonError
from lakemon_core.domain.names import plain
from lakemon_core.domain.redaction import redacted

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

Show = Callable[["Console"], None]


WIDE = 240
"""Columns of a console that is no terminal."""

SHOWN = 5
"""How many elements of a list a cell shows."""


class Format(StrEnum):
    """How a command answers."""

    TEXT = "text"
    JSON = "json"


def asked_for(arguments: Sequence[str]) -> Format:
    """Returns the format of a command line, known before it is parsed: usage errors obey it too."""
    json_asked = "--output=json" in arguments or ("--output", "json") in pairwise(arguments)
    return Format.JSON if json_asked else Format.TEXT


@contextmanager
def only_results(form: Format) -> Generator[None]:
    """Sends what libraries print to stderr while a command answers in JSON."""
    if form is Format.TEXT:
        yield
        return
    with redirect_stdout(sys.stderr):
        yield


def answer(form: Format, document: object, show: Show) -> None:
    """Prints the result of a command: `document` as JSON, or what `show` prints."""
    if form is Format.TEXT:
        show(console())
        return
    stream = sys.__stdout__ or sys.stdout
    stream.write(redacted(json.dumps(plain_json(document), ensure_ascii=False, indent=2)) + "\n")
    stream.flush()


def print_error(error: LakemonError, form: Format, code: int | None = None) -> int:
    """Prints an error and returns the exit code that goes with it.

    The traceback follows when `-vv` is given.
    """
    code = error.exit_code if code is None else code
    if logging.getLogger("lakemon_core").isEnabledFor(logging.DEBUG):
        print(traceback_of(error), end="", file=sys.stderr)
    if form is Format.TEXT:
        _show_error(error)
    else:
        answer(form, {"error": _error_document(error), "exit_code": code}, lambda _: None)
    return code


def _show_error(error: LakemonError) -> None:
    from rich.text import Text

    lines = error.problems if isinstance(error, ConfigErrors) else [error]
    for line in lines:
        code, _, rest = redacted(str(line)).partition(" ")
        console(stderr=True).print(Text.assemble((code, "bold red"), " ", rest), soft_wrap=True)


def _error_document(error: LakemonError) -> dict[str, object]:
    problems = error.problems if isinstance(error, ConfigErrors) else ()
    return {
        "code": error.code,
        "what": error.what,
        "where": error.where,
        "cure": error.cure,
        "problems": [asdict(problem) for problem in problems],
    }


def console(*, stderr: bool = False) -> Console:
    """Returns a console on the present stdout or stderr that never guesses at markup.

    What goes into a file or a pipe is not folded at the width of a terminal.
    """
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() or "COLUMNS" in os.environ else WIDE
    return Console(file=stream, width=width, highlight=False, markup=False, emoji=False)


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> Table:
    """Returns a rich table; None is an empty cell, times are to the second in UTC, as the head says."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    timed = {place for row in rows for place, value in enumerate(row) if isinstance(value, datetime)}
    heads = (f"{column} (UTC)" if place in timed else column for place, column in enumerate(columns))
    made = Table(*heads, box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for row in rows:
        made.add_row(*(_cell(value) for value in row))
    return made


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        moment = value.astimezone(UTC) if value.tzinfo else value
        return f"{moment:%Y-%m-%d %H:%M:%S}"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_cell(item)}" for name, item in value.items())
    if isinstance(value, list):
        first, rest = value[:SHOWN], len(value) - SHOWN
        listed = ", ".join(f"({_cell(item)})" if isinstance(item, Mapping) else _cell(item) for item in first)
        return f"{listed} and {rest:,} more" if rest > 0 else listed
    return plain(str(value), WIDE)


def plain_json(value: Any) -> Any:
    """Turns a result into plain JSON values: enums by value, times in ISO form, NaN and infinity as null."""
    if isinstance(value, Enum):
        return plain_json(value.value)
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if is_dataclass(value) and not isinstance(value, type):
        return plain_json(asdict(value))
    if isinstance(value, Mapping):
        return {str(key): plain_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain_json(item) for item in value]
    if isinstance(value, (date, time)):
        return value.isoformat()
    return value.hex() if isinstance(value, bytes) else str(value)
