"""Reads one expression in Databricks SQL; every call stays a call by the name that was written."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from sqlglot import exp
from sqlglot import parse as parse_all
from sqlglot.dialects import Databricks
from sqlglot.errors import SqlglotError
from sqlglot.expressions.core import Expression

from lakemon_core.domain.errors import DataError
from lakemon_core.domain.names import plain

PREFIX = "SELECT "
"""Stands before the expression while it is read."""
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


class Written(Databricks):
    """Databricks SQL without SQLGlot's knowledge of functions: the allow-list is ours."""

    class Parser(Databricks.parser_class):
        """Knows the casts only."""

        FUNCTIONS: ClassVar[dict[str, Any]] = {}
        NO_PAREN_FUNCTIONS: ClassVar[dict[Any, Any]] = {}
        FUNCTION_PARSERS: ClassVar[dict[str, Any]] = {
            name: read
            for name, read in Databricks.parser_class.FUNCTION_PARSERS.items()
            if name in {"CAST", "TRY_CAST"}
        }


def parse(text: str) -> Expression:
    """Returns the tree of one expression.

    Raises:
        DataError: LM330 when the text is something else.
    """
    try:
        statements = parse_all(PREFIX + text, read=Written)
    except SqlglotError as error:
        raise _wrong(text, str(error)) from None
    select = statements[0] if len(statements) == 1 else None
    if not isinstance(select, exp.Select):
        raise _wrong(text, "more than one statement stands there")
    if len(select.expressions) != 1:
        raise _wrong(text, f"it holds {len(select.expressions)} expressions")
    more = [clause for clause, value in select.args.items() if value and clause != "expressions"]
    if more:
        raise _wrong(text, f"it goes on with {more[0].rstrip('_').upper()}")
    return select.expressions[0]


def _wrong(text: str, why: str) -> DataError:
    reason = _COLOURS.sub("", why.splitlines()[0]).split(". Line ")[0]
    return DataError(
        "LM330",
        f"{plain(text)!r} is not one expression of Databricks SQL: {reason.rstrip('.')};",
        cure="write a column, a condition or a calculation.",
    )
