"""The SQL of a config is looked at before anything runs: what cannot be measured is refused at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lakemon_core.config import Loaded
from lakemon_core.domain.errors import ConfigErrors, DataError, Problem
from lakemon_core.expressions import DATABRICKS, DUCKDB, Dialect, read_metrics
from lakemon_core.hookspecs import RunContext
from lakemon_core.lifecycle.measuring.custom_metrics import CustomMetrics, taken_names
from lakemon_core.lifecycle.measuring.slices import Slice, read_slice, slice_texts
from lakemon_core.ports import Expressions

if TYPE_CHECKING:
    import pyarrow as pa


def check_expressions(context: RunContext, loaded: Loaded, *, reach: bool) -> None:
    """Looks at all slices and custom metrics, and tries them on the inference table if it is there.

    Args:
        context: the run.
        loaded: the config, which knows its lines.
        reach: whether a lake may be asked, too; without, its SQL is read and its columns are not known.

    Raises:
        ConfigErrors: LM330 to LM337, all that is wrong, each at its line.
    """
    backend = context.backend
    if not (slice_texts(context) or context.monitor.monitoring.custom_metrics):
        return
    if backend.is_lake:
        check = _Check(context, loaded, DATABRICKS, backend.profiles if reach else None)
    elif backend.expressions is not None:
        check = _Check(context, loaded, DUCKDB, backend.expressions)
    else:
        return
    check = check.with_table()
    if problems := [*check.slices(), *check.metrics()]:
        raise ConfigErrors(problems)


@dataclass(frozen=True, slots=True)
class _Check:
    """One look at the expressions of a run.

    Attributes:
        context: the run.
        loaded: the config.
        dialect: of who runs the expressions.
        engine: runs them; None where nobody is asked.
        schema: of the inference table; None without one.
    """

    context: RunContext
    loaded: Loaded
    dialect: Dialect
    engine: Expressions | None
    schema: pa.Schema | None = None

    def with_table(self) -> _Check:
        """Returns the same look with the columns of the inference table, if it is there and may be asked."""
        if self.engine is None:
            return self
        name, tables = self.context.monitor.inference_table.name, self.context.backend.tables
        return replace(self, schema=tables.info(name).schema if tables.exists(name) else None)

    def slices(self) -> Iterator[Problem]:
        """Yields what is wrong with slices; values that do not fit show in the first rows of the table."""
        written = [text.strip() for text in self.context.monitor.monitoring.slicing_exprs]
        for text in slice_texts(self.context):
            try:
                found = read_slice(text, self.engine, self.schema, self.dialect)
                if self.engine is not None and self.schema is not None and self.dialect is DUCKDB:
                    self.engine.evaluate(self._rows(found), {"value": found.translated.sql})
            except DataError as error:
                place = ("slicing_exprs", written.index(text)) if text in written else ("slicing_exprs",)
                yield self._problem(error, place)

    def metrics(self) -> Iterator[Problem]:
        """Yields what is wrong with custom metrics."""
        made = CustomMetrics.looked_at(self.context, self.engine, self.dialect)
        taken = taken_names(self.context)
        for index, definition in enumerate(self.context.monitor.monitoring.custom_metrics):
            try:
                (metric,) = read_metrics([definition], taken)
                made = made.plus(metric, self.context.roles, self.schema)
            except DataError as error:
                yield self._problem(error, ("custom_metrics", index))

    def _rows(self, found: Slice) -> pa.Table:
        import pyarrow as pa

        name, columns = self.context.monitor.inference_table.name, found.translated.columns
        reader = self.context.backend.tables.scan(name, columns=columns)
        first = next(iter(reader), None)
        return reader.schema.empty_table() if first is None else pa.Table.from_batches([first])

    def _problem(self, error: DataError, place: tuple[str | int, ...]) -> Problem:
        section = ("environments", self.context.monitor.environment, "monitoring")
        return self.loaded.locations.problem((*section, *place), error.code, error.what, error.cure)
