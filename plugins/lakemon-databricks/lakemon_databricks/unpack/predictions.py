"""What a prediction means, as SQL: the model type is asked about examples, and its answers become a rule.

A model type reads one prediction in Python. The warehouse reads millions in SQL, so from an example of the
shape that came we learn which outputs are copies of a part of it, and, for a list of numbers, which are sums
of shares (probabilities) and which is the name of the greatest (the class). See decision 0142.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from lakemon_core.ports import ModelType, ModelVersion
from lakemon_databricks.statements import Binding
from lakemon_databricks.unpack.columns import Column, read_text, type_of_value

TEXT = "answer"
"""Column of the statement that holds the JSON text of one prediction."""
Read = Callable[[object], Mapping[str, object]]


@dataclass(frozen=True, slots=True)
class Predictions:
    """How predictions of one shape become columns.

    Attributes:
        columns: of the inference table.
        shape: SQL that is true for a prediction of this shape.
    """

    columns: tuple[Column, ...]
    shape: str


def predictions_like(
    example: object, model_type: ModelType, model: ModelVersion | None, binding: Binding
) -> Predictions:
    """Returns the rule for predictions of the shape of an example.

    Args:
        example: one element of `predictions`.
        model_type: reads it.
        model: the version that answered.
        binding: takes the values that the SQL names.

    Raises:
        ValueError: when the model type does not understand the shape.
    """
    outputs = list(model.outputs.values()) if model else []
    read: Read = lambda one: model_type.unpack(one, model)  # noqa: E731 - a name for what is asked again and again
    if isinstance(example, Mapping):
        return _of_dict({str(key): value for key, value in example.items()}, read, outputs, binding)
    if isinstance(example, list):
        numbers = f"from_json({TEXT}, 'ARRAY<DOUBLE>')"
        fits = f"(startswith({TEXT}, '[') AND size({numbers}) = {len(example)})"
        items = [f"CASE WHEN {fits} THEN element_at({numbers}, {at + 1}) END" for at in range(len(example))]
        return Predictions(_of_shares(example, read, items, outputs, binding), fits)
    values = read(example)
    columns = tuple(read_text(name, type_of_value(value, outputs), TEXT) for name, value in values.items())
    return Predictions(columns, f"NOT (startswith({TEXT}, '[') OR startswith({TEXT}, '{{'))")


def _of_dict(
    example: Mapping[str, object], read: Read, outputs: Sequence[str], binding: Binding
) -> Predictions:
    keys = {key: binding.add(key) for key in example}
    parsed = f"from_json({TEXT}, 'MAP<STRING, STRING>')"
    has_all = " AND ".join(f"array_contains(map_keys({parsed}), {name})" for name in keys.values())
    shape = f"(startswith({TEXT}, '{{') AND {has_all})"
    values = read(example)
    copies = {name: key for name, value in values.items() if (key := _copied(name, value, example))}
    if copies.keys() == values.keys():
        columns = tuple(
            read_text(name, type_of_value(value, outputs), f"element_at({parsed}, {keys[copies[name]]})")
            for name, value in values.items()
        )
        return Predictions(columns, shape)
    names = list(example)
    items = [f"try_cast(element_at({parsed}, {keys[name]}) AS DOUBLE)" for name in names]

    def read_shares(shares: object) -> Mapping[str, object]:
        assert isinstance(shares, list)
        return read(dict(zip(names, shares, strict=True)))

    return Predictions(_of_shares(list(example.values()), read_shares, items, outputs, binding), shape)


def _copied(name: str, value: object, example: Mapping[str, object]) -> str | None:
    """Returns the key whose value an output holds as it is."""
    if name in example and _same(example[name], value):
        return name
    return next(iter(example)) if len(example) == 1 and _same(next(iter(example.values())), value) else None


def _same(one: object, other: object) -> bool:
    if isinstance(one, int | float) and isinstance(other, int | float):
        return float(one) == float(other) or (math.isnan(one) and math.isnan(other))
    return one == other


def _of_shares(
    example: Sequence[object], read: Read, items: Sequence[str], outputs: Sequence[str], binding: Binding
) -> tuple[Column, ...]:
    """Returns the columns of a list of numbers, learnt from lists that hold a single 1."""
    count = len(example)
    units: list[Mapping[str, Any]] = [read([float(at == one) for at in range(count)]) for one in range(count)]
    weights = [(count - at) / (count * (count + 1) / 2) for at in range(count)]
    mixed: Mapping[str, Any] = read(weights)
    columns: list[Column] = []
    for name, value in mixed.items():
        of_units = [unit[name] for unit in units]
        if isinstance(value, Mapping):
            columns.append(_shares_by_name(name, of_units, items, binding))
        elif _is_sum(value, of_units, weights):
            columns.append(Column(name, pa.float64(), _sum(of_units, items)))
        else:
            columns.append(_greatest(name, of_units, items, type_of_value(value, outputs), binding))
    return tuple(columns)


def _is_sum(value: object, of_units: Sequence[object], weights: Sequence[float]) -> bool:
    numbers = [
        one for one in (value, *of_units) if isinstance(one, int | float) and not isinstance(one, bool)
    ]
    if len(numbers) != len(of_units) + 1 or not isinstance(value, float):
        return False
    total = sum(float(unit) * weight for unit, weight in zip(numbers[1:], weights, strict=True))
    return math.isclose(total, value, rel_tol=1e-9, abs_tol=1e-12)


def _sum(of_units: Sequence[float], items: Sequence[str]) -> str:
    parts = [
        item if unit == 1 else f"{float(unit)!r} * ({item})"
        for unit, item in zip(of_units, items, strict=True)
        if unit
    ]
    return " + ".join(parts) or "CAST(0 AS DOUBLE)"


def _shares_by_name(
    name: str, of_units: Sequence[Mapping[str, float]], items: Sequence[str], binding: Binding
) -> Column:
    keys = list(of_units[0])
    sums = [_sum([unit[key] for unit in of_units], items) for key in keys]
    bound = ", ".join(binding.add(key) for key in keys)
    kind = pa.map_(pa.string(), pa.float64())
    return Column(name, kind, f"map_from_arrays(array({bound}), array({', '.join(sums)}))")


def _greatest(
    name: str, of_units: Sequence[Any], items: Sequence[str], kind: pa.DataType, binding: Binding
) -> Column:
    """Returns the name of the greatest share, the first of equals."""
    greatest = f"greatest({', '.join(items)})" if len(items) > 1 else items[0]
    cases = [
        f"WHEN {item} = {greatest} THEN {binding.add(value)}"
        for item, value in zip(items, of_units, strict=True)
    ]
    return Column(name, kind, f"CASE {' '.join(cases)} END")
