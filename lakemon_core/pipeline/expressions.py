"""The SQL of a config is looked at before anything runs: what cannot be measured is refused at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lakemon_core.config import Loaded
from lakemon_core.domain.errors import ConfigErrors, DataError, Problem
from lakemon_core.expressions import read_metrics
from lakemon_core.hookspecs import RunContext
from lakemon_core.lifecycle.measuring.custom_metrics import CustomMetrics, taken_names
from lakemon_core.lifecycle.measuring.slices import Slice, read_slice, slice_texts
from lakemon_core.ports import Expressions

if TYPE_CHECKING:
    import pyarrow as pa


def check_expressions(context: RunContext, loaded: Loaded) -> None:
    """Translates all slices and custom metrics, and tries them on the inference table if it is there.

    Raises:
        ConfigErrors: LM330 to LM337, all that is wrong, each at its line.
    """
    engine = context.backend.expressions
    if engine is None or not (slice_texts(context) or context.monitor.monitoring.custom_metrics):
        return
    name, tables = context.monitor.inference_table.name, context.backend.tables
    schema = tables.info(name).schema if tables.exists(name) else None
    check = _Check(context, loaded, engine, schema)
    if problems := [*check.slices(), *check.metrics()]:
        raise ConfigErrors(problems)


@dataclass(frozen=True, slots=True)
class _Check:
    """One look at the expressions of a run; `schema` is that of the inference table, None without one."""

    context: RunContext
    loaded: Loaded
    engine: Expressions
    schema: pa.Schema | None

    def slices(self) -> Iterator[Problem]:
        """Yields what is wrong with slices; values that do not fit show in the first rows of the table."""
        written = [text.strip() for text in self.context.monitor.monitoring.slicing_exprs]
        for text in slice_texts(self.context):
            try:
                found = read_slice(text, self.engine, self.schema)
                if self.schema is not None:
                    self.engine.evaluate(self._rows(found), {"value": found.translated.sql})
            except DataError as error:
                place = ("slicing_exprs", written.index(text)) if text in written else ("slicing_exprs",)
                yield self._problem(error, place)

    def metrics(self) -> Iterator[Problem]:
        """Yields what is wrong with custom metrics."""
        made, taken = CustomMetrics.none(self.context), taken_names(self.context)
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
