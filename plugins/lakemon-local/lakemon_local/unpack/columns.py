"""From values as JSON knows them to typed columns, never with loss."""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from lakemon_core.domain.names import plain

TIMESTAMP = pa.timestamp("us", "UTC")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SIGNATURE_TYPES: Mapping[str, pa.DataType] = {
    "boolean": pa.bool_(),
    "integer": pa.int32(),
    "long": pa.int64(),
    "float": pa.float32(),
    "double": pa.float64(),
    "string": pa.string(),
    "binary": pa.binary(),
    "datetime": TIMESTAMP,
}
_LARGEST_SECONDS = 1e11
"""Numbers below this are seconds since 1970, until the year 5138; those above count in finer units."""


def type_of_signature(kind: str) -> pa.DataType | None:
    """Returns the column type for a type of a model's signature, e.g. `double` or `array(string)`.

    None for what has no plain column type, e.g. a tensor: its type is inferred from its values.
    """
    if kind.startswith("array(") and kind.endswith(")"):
        inner = type_of_signature(kind[len("array(") : -1])
        return pa.list_(inner) if inner is not None else None
    return _SIGNATURE_TYPES.get(kind)


def infer_type(values: Sequence[Any]) -> pa.DataType | None:
    """Returns the narrowest type that holds all values without loss; None when there are only nulls.

    A mapping of numbers stays a mapping (probabilities by class); whatever else is mixed or nested becomes
    its JSON text.
    """
    kinds = {type(value) for value in values if value is not None}
    if not kinds:
        return None
    if kinds == {bool}:
        return pa.bool_()
    if kinds == {int} and all(_is_int64(value) for value in values):
        return pa.int64()
    if kinds == {float} or (kinds == {int, float} and all(map(_is_exact_float, values))):
        return pa.float64()
    if kinds == {dict} and all(map(_is_shares, values)):
        return pa.map_(pa.string(), pa.float64())
    return pa.string()


def convert(value: Any, kind: pa.DataType) -> Any:
    """Returns a JSON value as a column of this type takes it.

    Raises:
        ValueError: when it does not fit without loss.
    """
    if value is None:
        return None
    if pa.types.is_string(kind):
        text = value if isinstance(value, str) else json.dumps(value)
        text.encode("utf-8")  # half a surrogate pair is no text
        return text
    if pa.types.is_boolean(kind):
        return _boolean(value)
    if pa.types.is_integer(kind):
        return pa.scalar(_integer(value), kind).as_py()
    if pa.types.is_floating(kind):
        return _float(value)
    if pa.types.is_timestamp(kind):
        return moment(value)
    if pa.types.is_binary(kind):
        return _binary(value)
    if pa.types.is_map(kind) and isinstance(value, Mapping):
        return list(value.items())
    return pa.scalar(value, kind).as_py()


def column(values: Sequence[Any], kind: pa.DataType) -> pa.Array | None:
    """Returns values as one column; None when some of them have to be converted or do not fit."""
    kinds = {type(value) for value in values if value is not None}
    natural = (
        (pa.types.is_string(kind) and kinds <= {str})
        or (pa.types.is_boolean(kind) and kinds <= {bool})
        or (pa.types.is_integer(kind) and kinds <= {int})
        or (pa.types.is_floating(kind) and kinds <= {float})
        or (pa.types.is_timestamp(kind) and kinds <= {datetime})
    )
    if not natural:
        return None
    try:
        return pa.array(values, kind)
    except (pa.ArrowException, OverflowError, UnicodeEncodeError):
        return None


def moment(value: Any) -> datetime:
    """Returns a point in time, UTC.

    Text is ISO 8601; without a zone it is UTC. A number counts from 1970: in seconds below 1e11, in
    milliseconds below 1e14, in microseconds below 1e17, else in nanoseconds.

    Raises:
        ValueError: for anything else.
    """
    if isinstance(value, datetime):
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    try:
        if isinstance(value, str):
            return moment(datetime.fromisoformat(value.strip()))
        if isinstance(value, int | float) and not isinstance(value, bool):
            return _from_number(value)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{_shown(value)} is no time") from error
    raise ValueError(f"{_shown(value)} is no time")


def _from_number(value: float) -> datetime:
    if not math.isfinite(value):
        raise ValueError(f"{value} is not finite")
    seconds = value
    while abs(seconds) >= _LARGEST_SECONDS:
        seconds /= 1000
    return _EPOCH + timedelta(seconds=seconds)


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if value in {0, 1}:
        return bool(value)
    raise ValueError(f"{_shown(value)} is no boolean")


def _integer(value: Any) -> int:
    if isinstance(value, float) and not value.is_integer():
        raise ValueError(f"{_shown(value)} is no whole number")
    return int(value)


def _float(value: Any) -> float:
    number = float(value)
    if isinstance(value, int) and int(number) != value:
        raise ValueError(f"{_shown(value)} has too many digits")
    return number


def _binary(value: Any) -> bytes:
    """MLflow sends bytes as base64."""
    try:
        return base64.b64decode(value, validate=True)
    except (TypeError, binascii.Error) as error:
        raise ValueError(f"{_shown(value)} is no base64") from error


def _is_int64(value: Any) -> bool:
    return value is None or -(2**63) <= value < 2**63


def _is_exact_float(value: Any) -> bool:
    return value is None or isinstance(value, float) or abs(value) <= 2**53


def _is_shares(value: Any) -> bool:
    return value is None or all(type(share) in {int, float} for share in value.values())


def _shown(value: Any) -> str:
    return plain(repr(value))
