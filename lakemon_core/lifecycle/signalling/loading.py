"""Rows of the signals table as objects: millions of them, so column by column, and equal things once."""

from __future__ import annotations

import gc
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from lakemon_core.domain.rule import Compare, Rule, Signal
from lakemon_core.domain.window import Window

if TYPE_CHECKING:
    import pyarrow as pa

_DRIFT = ("prediction_drift", "label_drift", "feature_drift")
_JUDGING = ("psi", "js_distance", "ks_test", "chi_squared_test")
"""What a rule without a statistic needs: both defaults, and the tests that say whether it is chance."""

_TEXTS = {"method": "", "config_hash": "", "reason": ""}
"""Columns where null is an empty text."""

_COLUMNS = {"name": "signal"}
"""Fields of a signal that the table calls otherwise."""


def looked_at(reader: pa.RecordBatchReader, rules: Sequence[Rule], *, has_baseline: bool) -> pa.Table:
    """Reads signals without the statistics and references of drift that neither rules nor a report look at.

    Args:
        reader: rows of the signals table; each batch is thinned as it comes.
        rules: they may name statistics and references of their own.
        has_baseline: some drift is measured from the baseline; else all references stay.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    statistics = [*_JUDGING, *(rule.statistic for rule in rules if rule.statistic)]
    references = [Compare.BASELINE.value, *(str(rule.compare) for rule in rules)]

    def thinned(batch: pa.RecordBatch) -> pa.RecordBatch:
        def one_of(column: str, values: Sequence[str]) -> Any:
            return pc.is_in(batch[column], value_set=pa.array(values, batch[column].type))

        wanted = one_of("statistic", statistics)
        if has_baseline:
            wanted = pc.and_(wanted, one_of("compare", references))
        return batch.filter(pc.or_(pc.invert(one_of("signal", _DRIFT)), wanted))

    return pa.Table.from_batches([thinned(batch) for batch in reader], schema=reader.schema)


def signals_of(rows: pa.Table, model_id: str) -> list[Signal]:
    """Returns the signals of rows in window order, those without a window last.

    Args:
        rows: of the signals table.
        model_id: name of its model id column.
    """
    ordered, windows = _in_window_order(rows)
    with _without_collecting():
        parts: dict[str, Sequence[Any]] = {"window": windows}
        for field in Signal.__dataclass_fields__:
            if field != "window":
                column = model_id if field == "model_id" else _COLUMNS.get(field, field)
                parts[field] = _values(ordered[column], _TEXTS.get(field))
        made: Callable[..., Signal] = Signal
        return list(map(made, *parts.values()))


def _in_window_order(rows: pa.Table) -> tuple[pa.Table, list[Window | None]]:
    """Sorts rows by window as they came, and makes each window once."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    window = rows["window"].combine_chunks()
    start = pc.struct_field(window, "start").cast(pa.int64())
    end = pc.struct_field(window, "end").cast(pa.int64())
    keys = pa.table({"start": start, "end": end, "row": np.arange(len(rows))})
    order = pc.sort_indices(keys, [("start", "ascending"), ("end", "ascending"), ("row", "ascending")])
    ordered = rows.take(order)
    encoded = pa.table({"start": start, "end": end}).take(order)
    made: dict[tuple[int | None, int | None], Window | None] = {(None, None): None}
    places = list(zip(encoded["start"].to_pylist(), encoded["end"].to_pylist(), strict=True))
    first: dict[tuple[int | None, int | None], int] = {}
    for at, place in enumerate(places):
        first.setdefault(place, at)
    spans = ordered["window"]
    for place, at in first.items():
        span = spans[at].as_py()
        made[place] = None if span is None else Window(span["start"], span["end"])
    return ordered, [made[place] for place in places]


def _values(column: pa.ChunkedArray, null: object) -> Sequence[Any]:
    """Returns a column as Python values; texts that are equal are one object."""
    import pyarrow as pa

    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return column.to_pylist()
    encoded = column.combine_chunks().dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.unify_dictionaries().combine_chunks()
    words = [*encoded.dictionary.to_pylist(), null]
    codes = encoded.indices.fill_null(len(words) - 1).to_pylist()
    return [words[code] for code in codes]


@contextmanager
def _without_collecting() -> Generator[None]:
    """Looks for no cycles: among many new objects that never have any, that takes most of the time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
