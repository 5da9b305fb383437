"""Late labels: the label table is merged into the inference table; the last label of a key wins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lakemon_core.domain.errors import DataError, did_you_mean
from lakemon_core.domain.monitor import LabelSpec
from lakemon_core.hookspecs import RunContext

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class LabelMerge:
    """How many rows got or changed their label; `reason` says why nothing was looked at."""

    updated: int = 0
    reason: str = ""


def merge_labels(context: RunContext) -> LabelMerge:
    """Merges labels that came since the last time; rows that have their label already are not rewritten.

    Labels for predictions that are not there yet wait in the label table and are merged when they come.

    Raises:
        DataError: LM302 when a key or label column is missing, LM306 when `model.label_col` is not set.
    """
    spec = context.monitor.inference_table.labels
    if spec is None:
        return LabelMerge(reason="labels come with the inference table")
    if context.roles.label is None:
        raise DataError(
            "LM306",
            "inference_table.labels names a label table, but the model has no label_col;",
            cure="set `model.label_col` to the column that shall hold the label.",
        )
    tables, ledger = context.backend.tables, context.backend.ledger
    if not tables.exists(spec.table):
        return LabelMerge(reason=f"label table {spec.table} does not exist yet")
    target = context.monitor.inference_table.name
    key = f"labels:{target}"
    mark = f"{tables.info(target).version}:{tables.info(spec.table).version}"
    if ledger.get(key) == mark:
        return LabelMerge(reason="nothing new")
    context.progress.update(f"merging labels from {spec.table}")
    rows = _newest_labels(context, spec)
    result = tables.merge(target, rows, on=spec.on, insert=False, update=[context.roles.label])
    ledger.put(key, f"{tables.info(target).version}:{tables.info(spec.table).version}")
    return LabelMerge(updated=result.updated)


def _newest_labels(context: RunContext, spec: LabelSpec) -> pa.Table:
    """Returns one row a key: its label that arrived last; a tie is settled by the order of the table."""
    import pyarrow as pa
    import pyarrow.compute as pc

    tables = context.backend.tables
    label = context.roles.label
    assert label is not None
    columns = [*spec.on, spec.label_col, *([spec.timestamp_col] if spec.timestamp_col else [])]
    known = tables.info(spec.table).schema.names
    missing = next((column for column in columns if column not in known), None)
    if missing is not None:
        raise DataError(
            "LM302",
            f"inference_table.labels names column {missing!r}, which is not there.",
            where=str(spec.table),
            cure=did_you_mean(missing, known),
        )
    rows = tables.scan(spec.table, columns=columns).read_all()
    rows = rows.filter(pc.is_valid(rows[spec.label_col]))
    rows = rows.append_column("__order", pa.array(range(rows.num_rows), pa.int64()))
    order = [(spec.timestamp_col, "ascending")] if spec.timestamp_col else []
    rows = rows.sort_by([*order, ("__order", "ascending")])
    last = rows.group_by(list(spec.on), use_threads=False).aggregate([(spec.label_col, "last")])
    return last.rename_columns(
        [label if name == f"{spec.label_col}_last" else name for name in last.column_names]
    )
