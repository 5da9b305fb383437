"""Test requests, made from baseline rows, from the model's input example, or from its signature."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from lakemon_core.domain.errors import ModelError
from lakemon_core.hookspecs import RunContext
from lakemon_core.ports import ModelVersion

if TYPE_CHECKING:
    import pyarrow as pa

SAMPLES = 5
_BY_TYPE: Mapping[str, object] = {
    "string": "a", "boolean": True, "integer": 1, "long": 1, "float": 1.0, "double": 1.0,
    "datetime": "2026-01-01T00:00:00",
}  # fmt: skip


def sample_requests(context: RunContext, model: ModelVersion) -> list[dict[str, object]]:
    """Returns up to five records that fit the model's signature.

    Raises:
        ModelError: LM403 when there is neither baseline, nor example, nor signature to make them from.
    """
    rows = _baseline(context, model)
    if rows is None or rows.num_rows == 0:
        rows = context.backend.registry.input_example(model)
    if rows is not None and rows.num_rows:
        wanted = [name for name in rows.column_names if not model.inputs or name in model.inputs]
        return [_plain(record) for record in rows.slice(0, SAMPLES).select(wanted).to_pylist()]
    if model.inputs:
        return [{name: _BY_TYPE.get(kind, 1.0) for name, kind in model.inputs.items()}]
    raise ModelError(
        "LM403",
        f"{model.name} version {model.version} has no signature and no baseline to make test requests from;",
        cure="log the model with `signature=` or an `input_example`, or name a `monitoring.baseline_table`.",
    )


def _baseline(context: RunContext, model: ModelVersion) -> pa.Table | None:
    """Returns the first baseline rows, or None when the baseline cannot serve as input."""
    name = context.monitor.monitoring.baseline_table
    tables = context.backend.tables
    if name is None or not model.inputs or not tables.exists(name):
        return None
    columns = list(model.inputs)
    if not set(columns) <= set(tables.info(name).schema.names):
        return None
    import pyarrow as pa

    reader = tables.scan(name, columns=columns)
    batches: list[pa.RecordBatch] = []
    for batch in reader:
        batches.append(batch)
        if sum(part.num_rows for part in batches) >= SAMPLES:
            break
    return pa.Table.from_batches(batches, schema=reader.schema)


def _plain(record: Mapping[str, object]) -> dict[str, object]:
    """JSON cannot hold NaN, dates or decimals."""
    return {name: _plain_value(value) for name, value in record.items()}


def _plain_value(value: object) -> object:
    if isinstance(value, float) and math.isnan(value):
        return None
    if value is None or isinstance(value, str | bool | int | float):
        return value
    isoformat = getattr(value, "isoformat", None)
    return isoformat() if isoformat else float(str(value))
