"""What quality was said to be, and when: each value of a window stays, as labels come and restate it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lakemon_core.domain.rule import Signal
from lakemon_core.hookspecs import RunContext
from lakemon_core.ports import Condition

KIND = "quality_history"
_MOMENT = "as_of"
Key = tuple[object, ...]


def note_quality(context: RunContext, signals: Sequence[Signal]) -> int:
    """Adds the quality values that are new or differ from the last that was noted; returns how many.

    Only tables with late labels have a history. The newest row of a place is what the signals say now.
    """
    import pyarrow as pa

    if context.monitor.inference_table.labels is None:
        return 0
    judged = [one for one in signals if one.maturity is not None and one.value is not None and one.window]
    known = _newest(context, judged)
    rows = [_row(one, context) for one in judged]
    fresh = [row for row in rows if known.get(_key(row, context)) != _value(row)]
    if fresh:
        table = pa.Table.from_pylist(fresh, schema=_schema(context))
        context.backend.tables.append(context.monitor.metric_table(KIND), table)
    return len(fresh)


def _newest(context: RunContext, signals: Sequence[Signal]) -> dict[Key, object]:
    """Returns the last value of each place in the windows of these signals."""
    name = context.monitor.metric_table(KIND)
    tables = context.backend.tables
    starts = sorted({one.window.start for one in signals if one.window})
    if not starts or not tables.exists(name):
        return {}
    where = [
        Condition(("window", "start"), ">=", starts[0]),
        Condition(("window", "start"), "<=", starts[-1]),
    ]
    rows = tables.scan(name, where=where).read_all().sort_by(_MOMENT).to_pylist()
    return {_key(row, context): _value(row) for row in rows}


def _key(row: dict[str, Any], context: RunContext) -> Key:
    parts = ("granularity", context.roles.model_id, "slice_key", "slice_value", "metric")
    return (row["window"]["start"], *(row[part] for part in parts))


def _value(row: dict[str, Any]) -> object:
    return row["value"], row["n"], row["maturity"]


def _row(signal: Signal, context: RunContext) -> dict[str, Any]:
    assert signal.window is not None
    return {
        _MOMENT: context.clock.now(),
        "window": {"start": signal.window.start, "end": signal.window.end},
        "granularity": signal.granularity,
        context.roles.model_id: signal.model_id,
        "slice_key": signal.slice_key,
        "slice_value": signal.slice_value,
        "metric": signal.name,
        "value": signal.value,
        "lower": signal.lower,
        "upper": signal.upper,
        "n": signal.n,
        "maturity": signal.maturity,
        "table_version": signal.table_version,
    }


def _schema(context: RunContext) -> Any:
    import pyarrow as pa

    from lakemon_core.profiling.schemas import signals_schema

    like = signals_schema(context.roles.model_id)
    first = ("window", "granularity", context.roles.model_id, "slice_key", "slice_value")
    last = ("value", "lower", "upper", "n", "maturity", "table_version")
    return pa.schema(
        [
            pa.field(_MOMENT, pa.timestamp("us", "UTC")),
            *map(like.field, first),
            pa.field("metric", pa.string()),
            *map(like.field, last),
        ]
    )
