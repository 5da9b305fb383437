"""Whether a statement of a person only reads."""

from __future__ import annotations

import re

from lakemon_core.domain.errors import DataError

_WINDOW = re.compile(r"(?<![\w`.])window(?=\s*\.)", re.IGNORECASE)
"""The column of the metric tables, which is also a word of SQL."""
_CURE = "write one SELECT, WITH, DESCRIBE or SHOW."


def statement_that_reads(sql: str) -> str:
    """Returns a text that is exactly one statement that reads, fields of `window` quoted.

    Raises:
        DataError: LM310 when it is not.
    """
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    sql = _WINDOW.sub("`window`", sql)
    try:
        found = [one for one in sqlglot.parse(sql, read="databricks") if one is not None]
    except SqlglotError as error:
        raise DataError(
            "LM310", f"the query does not parse: {str(error).splitlines()[0]};", cure=_CURE
        ) from error
    if len(found) != 1:
        raise DataError("LM310", f"the query holds {len(found)} statements;", cure=_CURE)
    reads = isinstance(found[0], exp.Query | exp.Describe | exp.Show)
    writes = exp.Insert | exp.Delete | exp.Update | exp.Merge | exp.Create | exp.Drop | exp.Into
    if not reads or any(isinstance(node, writes) for node in found[0].walk()):
        raise DataError("LM310", "the query does more than read;", cure=_CURE)
    return sql
