"""Rows of many requests as one Arrow table; a request that does not fit is left out as a whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from lakemon_core.domain.names import plain
from lakemon_local.unpack.columns import column, convert, infer_type
from lakemon_local.unpack.records import Unreadable

MOST_COLUMNS = 1_000
"""A request that would give the table more columns than this is unreadable."""


@dataclass(frozen=True, slots=True)
class Tabulated:
    """Rows that fit, and by position the requests that did not."""

    rows: pa.Table
    unreadable: Mapping[int, Unreadable]


class Names:
    """The spelling of every column, for a table cannot hold two that differ only in case."""

    def __init__(self, known: Sequence[str]) -> None:
        self._spelling = {name.casefold(): name for name in known}

    def admit(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Takes in the columns of one request.

        Raises:
            Unreadable: for a name that is empty or spelled otherwise elsewhere, or one too many.
        """
        fresh: dict[str, str] = {}
        for name in {name: None for row in rows for name in row}:
            folded = name.casefold()
            spelled = self._spelling.get(folded, fresh.setdefault(folded, name))
            if spelled != name:
                detail = f"{plain(name)!r} and {plain(spelled)!r}"
                raise Unreadable("column names differ only in case", detail)
            if not name:
                raise Unreadable("a column has no name")
        if len(self._spelling.keys() | fresh.keys()) > MOST_COLUMNS:
            raise Unreadable(f"the table would have more than {MOST_COLUMNS} columns")
        self._spelling.update(fresh)


def tabulate(requests: Sequence[Sequence[Mapping[str, Any]]], types: Mapping[str, pa.DataType]) -> Tabulated:
    """Turns the rows of requests into columns.

    Args:
        requests: the rows of each.
        types: of columns that have one already; the others are inferred over all rows. A column that has
            neither a type nor a value is left out.
    """
    owners = [at for at, rows in enumerate(requests) for _ in rows]
    rows = [row for request in requests for row in request]
    unreadable: dict[int, Unreadable] = {}
    columns: dict[str, tuple[list[Any] | pa.Array, pa.DataType]] = {}
    for name in {name: None for row in rows for name in row}:
        values = [row.get(name) for row in rows]
        kind = types.get(name) or infer_type(values)
        if kind is not None:
            whole = column(values, kind)
            columns[name] = (
                (whole, kind) if whole is not None
                else (_converted(name, values, kind, owners, unreadable), kind)
            )  # fmt: skip
    kept = [at for at, owner in enumerate(owners) if owner not in unreadable]
    return Tabulated(_table(columns, kept, len(rows)), unreadable)


def _table(columns: Mapping[str, tuple[Any, pa.DataType]], kept: list[int], rows: int) -> pa.Table:
    table = pa.table({
        name: values if isinstance(values, pa.Array) else pa.array(values, kind)
        for name, (values, kind) in columns.items()
    })  # fmt: skip
    return table if len(kept) == rows else table.take(kept)


def _converted(
    name: str,
    values: Sequence[Any],
    kind: pa.DataType,
    owners: Sequence[int],
    unreadable: dict[int, Unreadable],
) -> list[Any]:
    """Converts value by value; what does not fit becomes null and makes its request unreadable."""
    converted: list[Any] = []
    for value, owner in zip(values, owners, strict=True):
        try:
            converted.append(convert(value, kind))
        except (ValueError, TypeError, OverflowError, pa.ArrowException) as error:
            unreadable.setdefault(
                owner, Unreadable(f"column {plain(name)!r} does not fit {kind}", str(error))
            )
            converted.append(None)
    return converted
