"""The SQL of a config is looked at before anything runs: what cannot be measured is refused at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lakemon_core.config import Loaded
from lakemon_core.domain.errors import ConfigErrors, DataError, Problem
from lakemon_core.expressions import read_metrics
from lakemon_core.hookspecs import RunContext
from lakemon_core.lifecycle.measuring.custom_metrics import CustomMetrics, taken_names
from lakemon_core.lifecycle.measuring.slices import read_slice, slice_texts
from lakemon_core.ports import Expressions

if TYPE_CHECKING:
    import pyarrow as pa


def check_expressions(context: RunContext, loaded: Loaded) -> None:
    """Translates all slices and custom metrics; tries them on the inference table's columns if it is there.

    Raises:
        ConfigErrors: LM330 to LM337, all that is wrong, each at its line.
    """
    monitoring, engine = context.monitor.monitoring, context.backend.expressions
    if engine is None or not (slice_texts(context) or monitoring.custom_metrics):
        return
    name, tables = context.monitor.inference_table.name, context.backend.tables
    schema = tables.info(name).schema if tables.exists(name) else None
    problems = [*_of_slices(context, engine, schema, loaded), *_of_metrics(context, schema, loaded)]
    if problems:
        raise ConfigErrors(problems)


def _of_slices(
    context: RunContext, engine: Expressions, schema: pa.Schema | None, loaded: Loaded
) -> Iterator[Problem]:
    written = [text.strip() for text in context.monitor.monitoring.slicing_exprs]
    for text in slice_texts(context):
        try:
            read_slice(text, engine, schema)
        except DataError as error:
            own = ("slicing_exprs", written.index(text)) if text in written else ("slicing_exprs",)
            yield _problem(error, context, loaded, own)


def _of_metrics(context: RunContext, schema: pa.Schema | None, loaded: Loaded) -> Iterator[Problem]:
    made, taken = CustomMetrics.none(context), taken_names(context)
    for index, definition in enumerate(context.monitor.monitoring.custom_metrics):
        try:
            (metric,) = read_metrics([definition], taken)
            made = made.plus(metric, context.roles, schema)
        except DataError as error:
            yield _problem(error, context, loaded, ("custom_metrics", index))


def _problem(error: DataError, context: RunContext, loaded: Loaded, place: tuple[str | int, ...]) -> Problem:
    section = ("environments", context.monitor.environment, "monitoring")
    return loaded.locations.problem((*section, *place), error.code, error.what, error.cure)
