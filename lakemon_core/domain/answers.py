"""What a model answered, as columns of the inference table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def numbers_of(answer: object, column: str, more: Sequence[str] = ()) -> dict[str, float | None]:
    """Reads one element of a response's `predictions` as numbers.

    A number is the prediction, and so is a list or a dict of one number. A dict that holds the prediction's
    column gives it with those of `more` that it has. All become doubles, so that a whole number makes no
    column of integers; null stays null.

    Args:
        answer: the element.
        column: column of the prediction.
        more: further columns that a dict may hold, e.g. those of quantiles.

    Raises:
        ValueError: when the shape is not understood; the message says what came.
    """
    if isinstance(answer, Mapping):
        return _from_dict({str(key): value for key, value in answer.items()}, column, more)
    if isinstance(answer, list):
        if len(answer) != 1:
            raise ValueError(f"a list of {len(answer)} values came for one number")
        return {column: _number(answer[0])}
    return {column: _number(answer)}


def _from_dict(given: Mapping[str, Any], column: str, more: Sequence[str]) -> dict[str, float | None]:
    if column in given:
        return {name: _number(given[name]) for name in (column, *more) if name in given}
    if len(given) == 1:
        return {column: _number(next(iter(given.values())))}
    raise ValueError(f"a dict with the keys {', '.join(sorted(given)) or '(none)'} holds no {column!r}")


def _number(value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    raise ValueError(f"a {type(value).__name__} is no number")
