"""Fairness of the Boolean slices that a lake has profiled, as every other backend defines it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from lakemon_core.lifecycle.lake.completing import TABLE, summary_of
from lakemon_core.lifecycle.lake.quality import Place
from lakemon_core.lifecycle.measuring.fairness import fairness, fairness_fields

Row = dict[str, Any]


def complete_fairness(rows: Sequence[Row], place: Callable[[Row], Place], prediction: str) -> None:
    """Sets the columns of fairness: on the row `:table` where a slice is true, null everywhere else.

    Args:
        rows: profile rows with their quality.
        place: tells the group of a row.
        prediction: name of that column.
    """
    known = {(place(row), row["column_name"]): row for row in rows}
    boolean = _boolean_slices({where for where, _ in known})
    for (where, column), row in known.items():
        row.update(dict.fromkeys(name for name, _ in fairness_fields()))
        window, model, key, value = where
        rest = (window, model, key, "false")
        if column == TABLE and key in boolean and value == "true" and (rest, TABLE) in known:
            here, there = (summary_of(known.get((one, prediction))) for one in (where, rest))
            row.update(fairness(row, known[rest, TABLE], (here, there)))


def _boolean_slices(places: set[Place]) -> set[str]:
    """Returns the slice keys whose values are true and false; a lake does not tell the type of a slice."""
    values: dict[str, set[str | None]] = {}
    for _, _, key, value in places:
        if key is not None:
            values.setdefault(key, set()).add(value)
    return {key for key, found in values.items() if found <= {"true", "false"}}
