"""Slices: the rows for which an expression has one value, measured beside the whole table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from lakemon_core.domain.errors import DataError
from lakemon_core.domain.names import TableName
from lakemon_core.expressions import DUCKDB, Dialect, Translated
from lakemon_core.hookspecs import RunContext
from lakemon_core.ports import Condition, Expressions

if TYPE_CHECKING:
    import pyarrow as pa

    from lakemon_core.profiling.layout import Labels
    from lakemon_core.profiling.measure import GroupKey

TOP = 100
"""Values of an expression that are sliced: the most frequent ones."""

Series = tuple[str, str | None, str | None]
"""Model id, slice key and slice value of a group: what a window and its reference have in common."""
Source = tuple[TableName, int | None, Sequence[Condition]]
"""Some rows of a version of a table."""


def series_of(key: GroupKey) -> Series:
    """Returns what a group is compared by."""
    return key.model_id, key.slice_key, key.slice_value


def slice_texts(context: RunContext) -> tuple[str, ...]:
    """Returns the expressions of the model type, then those of the config, each once."""
    texts = [*context.model_type.slices(), *context.monitor.monitoring.slicing_exprs]
    return tuple(dict.fromkeys(text.strip() for text in texts))


@dataclass(frozen=True, slots=True)
class Slice:
    """One slicing expression.

    Attributes:
        key: the expression as it was written.
        translated: the same for the engine.
        boolean: its values are true and false.
        values: that are sliced; None takes all.
        left_out: how many values are not.
    """

    key: str
    translated: Translated
    boolean: bool
    values: frozenset[str] | None = None
    left_out: int = 0

    @property
    def label(self) -> str:
        """Name of the column that holds its value in every row."""
        return self.translated.column or f"lakemon slice {self.key}"


@dataclass(frozen=True, slots=True)
class Slicing:
    """All slices of one table, and what runs their expressions."""

    slices: tuple[Slice, ...] = ()
    engine: Expressions | None = field(default=None, compare=False)

    @classmethod
    def of(cls, context: RunContext, schema: pa.Schema) -> Slicing:
        """Translates the slices of a run.

        Args:
            context: names them.
            schema: of the table.

        Raises:
            DataError: LM330 to LM333, and LM337 when an expression does not fit the columns' types.
        """
        engine = context.backend.expressions
        if engine is None:
            return cls()
        slices = [read_slice(text, engine, schema) for text in slice_texts(context)]
        return cls(tuple(slices), engine)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the expressions read."""
        return tuple(dict.fromkeys(name for one in self.slices for name in one.translated.columns))

    @property
    def left_out(self) -> Mapping[str, str]:
        """Slice key → what is not sliced."""
        return {
            one.key: f"{one.left_out} values beyond the {TOP} most frequent are not sliced"
            for one in self.slices
            if one.left_out
        }

    def within(self, columns: Sequence[str]) -> Slicing:
        """Returns the slices that a table with these columns can have."""
        kept = (one for one in self.slices if set(one.translated.columns) <= set(columns))
        return replace(self, slices=tuple(kept))

    def labelled(self, rows: pa.Table) -> pa.Table:
        """Returns the rows with the value of every expression that is more than a column."""
        wanted = {one.label: one.translated.sql for one in self.slices if one.translated.column is None}
        if not wanted or self.engine is None:
            return rows
        values = self.engine.evaluate(rows.select(list(self.columns)), wanted)
        for name in wanted:
            rows = rows.append_column(name, values.column(name))
        return rows

    def labels(self, rows: pa.Table) -> dict[str, Labels]:
        """Returns slice key → value of each labelled row; null, NaN and what is not sliced are none."""
        from lakemon_core.profiling.layout import Labels

        return {one.key: Labels.of(rows.column(one.label), one.values) for one in self.slices}

    def choose(self, context: RunContext, sources: Sequence[Source]) -> Slicing:
        """Returns the slices with the most frequent values only, counted over all sources."""
        many = replace(self, slices=tuple(one for one in self.slices if not one.boolean))
        if not many.slices:
            return self
        counts: dict[str, Counter[str]] = {one.key: Counter() for one in many.slices}
        for name, version, where in sources:
            own = many.within(context.backend.tables.info(name).schema.names)
            if own.slices:
                reader = context.backend.tables.scan(name, columns=own.columns, where=where, version=version)
                own.count(reader, counts)
        return replace(self, slices=tuple(_chosen(one, counts.get(one.key)) for one in self.slices))

    def count(self, reader: pa.RecordBatchReader, counts: Mapping[str, Counter[str]]) -> None:
        """Adds the rows of every value to the counts, by slice key."""
        import numpy as np
        import pyarrow as pa

        from lakemon_core.profiling.levels import encode

        for batch in reader:
            rows = self.labelled(pa.Table.from_batches([batch]))
            for one in self.slices:
                encoded = encode(rows.column(one.label))
                found = np.bincount(encoded.codes[encoded.codes >= 0], minlength=len(encoded.levels))
                counts[one.key].update(dict(zip(encoded.levels.to_pylist(), found.tolist(), strict=True)))


def read_slice(
    text: str, engine: Expressions | None, schema: pa.Schema | None, dialect: Dialect = DUCKDB
) -> Slice:
    """Translates one slicing expression and tries it on a table without rows.

    Args:
        text: the expression.
        engine: runs it; None where it is only looked at.
        schema: of the table; None while there is none, then neither columns nor types are checked.
        dialect: that the engine speaks.

    Raises:
        DataError: as `Slicing.of`.
    """
    import pyarrow as pa

    from lakemon_core.profiling.columns import Kind, kind_of

    translated = dialect.translate(text, known=schema.names if schema else None)
    if schema is None or engine is None:
        return Slice(text, translated, boolean=False)
    empty = schema.empty_table().select(list(translated.columns))
    found = engine.evaluate(empty, {"value": translated.sql}).schema.field("value").type
    if kind_of(found) is Kind.UNSUPPORTED:
        raise DataError("LM337", f"slice {text!r} gives values of type {found};", cure="slice by one value.")
    return Slice(text, translated, boolean=pa.types.is_boolean(found))


def _chosen(one: Slice, counts: Counter[str] | None) -> Slice:
    if counts is None:
        return one
    ranked = sorted((-count, value) for value, count in counts.items() if count)
    if len(ranked) <= TOP:
        return one
    return replace(one, values=frozenset(value for _, value in ranked[:TOP]), left_out=len(ranked) - TOP)
