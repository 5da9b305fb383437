"""Expressions over rows in memory: what is asked of a backend that measures slices and custom metrics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import pyarrow as pa


class Expressions(Protocol):
    """Runs expressions that `lakemon_core.expressions` has translated; nothing else ever reaches it.

    Several threads may call it at once.
    """

    def evaluate(self, rows: pa.Table, columns: Mapping[str, str]) -> pa.Table:
        """Returns one column for each expression, with a value for every row, in the order of the rows.

        Args:
            rows: with the columns that the expressions name.
            columns: name of the result → expression.

        Raises:
            DataError: LM337 when an expression does not fit the types or values of the rows.
        """
        ...

    def aggregate(self, rows: pa.Table, columns: Mapping[str, str]) -> Mapping[str, object]:
        """Returns one value of all rows for each expression.

        Args:
            rows: with the columns that the expressions name.
            columns: name of the result → expression over aggregates.

        Raises:
            DataError: LM337 as `evaluate`.
        """
        ...
