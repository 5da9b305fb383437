"""A lake that measures its tables by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from lakemon_core.domain.names import TableName
from lakemon_core.ports.model_type import ModelType
from lakemon_core.ports.setting import Progress
from lakemon_core.ports.tables import Condition

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class LakeMetrics:
    """Where a lake has written what it measured, as it does; None where it writes no such table yet.

    Attributes:
        profile: its profile metrics, with Databricks' columns.
        drift: its drift metrics, with Databricks' columns.
        oldest: of windows that it still measures; None where it measures all.
        missing: what it could not make beside them → why.
        left_to_us: custom metrics that it cannot compute, for they read what only our tables hold.
    """

    profile: TableName
    drift: TableName | None
    oldest: timedelta | None = None
    missing: Mapping[str, str] = field(default_factory=dict[str, str])
    left_to_us: frozenset[str] = frozenset()


class LakeProfiles(Protocol):
    """Measures the columns of the inference table where it lies; the monitor stage adds what is missing.

    It runs expressions in Databricks SQL over a few rows, too, as `Expressions` does in the SQL of DuckDB.
    """

    def bring_up(self, model_type: ModelType, *, progress: Progress) -> LakeMetrics:
        """Lets the lake measure what has changed and waits until its tables tell of it.

        What is measured follows the config: a lake that measures something else is told, one that measures
        just that is left alone.

        Raises:
            ModelError: when the lake refuses, fails or does not come to an end.
        """
        ...

    def rows(
        self,
        name: TableName,
        *,
        columns: Sequence[str],
        slices: Mapping[str, str],
        where: Sequence[Condition] = (),
        version: int | None = None,
    ) -> pa.Table:
        """Reads some columns of a table with the value of each slice as text.

        Args:
            name: of the table.
            columns: to read.
            slices: name of the result's column → slicing expression.
            where: which rows.
            version: of the table; None reads the newest.
        """
        ...

    def summed(
        self,
        name: TableName,
        *,
        aggregates: Mapping[str, str],
        slices: Mapping[str, str],
        model_id: str | None,
        where: Sequence[Condition],
        version: int | None = None,
    ) -> pa.Table:
        """Computes aggregates of all rows, of each model and each value of a slice, and of both.

        Args:
            name: of the table.
            aggregates: column of the result → expression over aggregates.
            slices: a name of its own for each → slicing expression.
            model_id: column of the model's version; None without one.
            where: which rows.
            version: of the table; None reads the newest.

        Returns:
            columns `model` (`*` for all), `slice_key` (the expression), `slice_value`, and the aggregates.
        """
        ...

    def evaluate(self, rows: pa.Table, columns: Mapping[str, str]) -> pa.Table:
        """Returns one column for each expression, with a value for every row, in the order of the rows.

        Args:
            rows: with the columns that the expressions name; metric rows, thousands at most.
            columns: name of the result → expression.

        Raises:
            DataError: LM337 when an expression does not fit the types or values of the rows.
        """
        ...

    def aggregate(self, rows: pa.Table, columns: Mapping[str, str]) -> Mapping[str, object]:
        """Returns one value of all rows for each expression; see `Expressions.aggregate`."""
        ...
