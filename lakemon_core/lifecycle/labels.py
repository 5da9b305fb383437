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
    """How many rows got or changed their label, and how many keys have labels that contradict each other.

    `reason` says why nothing was looked at.
    """

    updated: int = 0
    conflicts: int = 0
    reason: str = ""


def merge_labels(context: RunContext) -> LabelMerge:
    """Merges labels that came since the last time; rows that have their label already are not rewritten.

    Labels for predictions that are not there yet wait in the label table and are merged when they come.

    Raises:
        DataError: LM302 when a key or label column is missing, LM303 for keys of another type, LM306 when
            `model.label_col` is not set.
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
    rows, conflicts = _newest_labels(context, spec)
    rows = _dated(rows, tables.info(target).schema, spec)
    parts = [context.roles.label, *([spec.arrival] if spec.arrival else [])]
    result = tables.merge(target, rows, on=spec.on, insert=False, update=parts)
    ledger.put(key, f"{tables.info(target).version}:{tables.info(spec.table).version}")
    return LabelMerge(result.updated, conflicts)


def _dated(rows: pa.Table, target: pa.Schema, spec: LabelSpec) -> pa.Table:
    """Returns labels whose keys are dates where predictions have dates, and labels midnights."""
    import pyarrow as pa
    import pyarrow.compute as pc

    for name in spec.on:
        place = target.get_field_index(name)
        midnights = rows[name]
        is_date = place >= 0 and pa.types.is_date(target.field(place).type)
        if not is_date or not pa.types.is_timestamp(midnights.type):
            continue
        days = midnights.cast(pa.date32())
        if not (pc.all(pc.equal(days.cast(midnights.type), midnights)).as_py() or not len(rows)):
            raise DataError(
                "LM303",
                f"key {name!r} has times of day, but predictions have dates;",
                where=str(spec.table),
                cure="store dates in both tables, or times in both.",
            )
        rows = rows.set_column(rows.schema.get_field_index(name), name, days)
    return rows


def _newest_labels(context: RunContext, spec: LabelSpec) -> tuple[pa.Table, int]:
    """Returns one row a key with the label that arrived last, and how many keys are in conflict.

    With `timestamp_col` a row also tells when the first label of its key arrived: a label that is sent again
    later changes nothing. A table has no order: of labels that arrived at the same moment, or without
    `timestamp_col`, the greatest wins, so that the same table always gives the same labels.
    """
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
    arrived = [spec.timestamp_col] if spec.timestamp_col else []
    ordered = rows.sort_by([(column, "ascending") for column in (*arrived, spec.label_col)])
    picked = [(spec.label_col, "last"), *((column, "first") for column in arrived)]
    renamed = {f"{spec.label_col}_last": label, f"{spec.timestamp_col}_first": str(spec.arrival)}
    last = ordered.group_by(list(spec.on), use_threads=False).aggregate(picked)
    last = last.rename_columns([renamed.get(name, name) for name in last.column_names])
    return last, _conflicts(rows, [*spec.on, *arrived], spec.label_col)


def _conflicts(rows: pa.Table, keys: list[str], label: str) -> int:
    """Counts the keys that got different labels at the same moment."""
    import pyarrow.compute as pc

    labels = rows.group_by(keys).aggregate([(label, "count_distinct")])
    return pc.sum(pc.greater(labels[f"{label}_count_distinct"], 1)).as_py() or 0
