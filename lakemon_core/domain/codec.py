"""JSON for the dataclasses of the domain, there and back without loss.

The type of each field says how it is read again, so the text holds no class names and nothing is ever
executed on reading. Fields that are typed `object` hold plain JSON values.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")


def encode(thing: object) -> str:
    """Returns a dataclass as JSON text; the same thing always gives the same text.

    Raises:
        TypeError: for a value that cannot be read back, e.g. a date without a zone or a set.
    """
    return json.dumps(_plain(thing), ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def decode(kind: type[T], text: str) -> T:
    """Reads a dataclass of type `kind` from the text that `encode` gave.

    Fields that the text lacks take their defaults and unknown ones are ignored, so that a neighbouring
    version of lakemon can read it.

    Raises:
        ValueError: when the text is not JSON or does not fit.
    """
    try:
        return _reader(kind)(json.loads(text))
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"not a {kind.__name__}: {error}") from error


def _plain(thing: Any) -> Any:
    match thing:
        case Enum():
            return thing.value
        case None | bool() | int() | float() | str():
            return thing
        case datetime():
            return _moment(thing)
        case bytes():
            return base64.b64encode(thing).decode()
        case Mapping():
            return {_key(key): _plain(value) for key, value in thing.items()}
        case list() | tuple():
            return [_plain(item) for item in thing]
        case _ if is_dataclass(thing):
            return {field.name: _plain(getattr(thing, field.name)) for field in fields(thing)}
        case _:
            raise TypeError(f"{type(thing).__name__} cannot be written as JSON: {thing!r}")


def _moment(moment: datetime) -> str:
    if moment.tzinfo is None:
        raise TypeError(f"{moment!r} has no time zone")
    return moment.astimezone(UTC).isoformat()


def _key(key: object) -> str:
    if not isinstance(key, str):
        raise TypeError(f"{key!r} is not text and cannot be a key")
    return key


@cache
def _reader(kind: Any) -> Callable[[Any], Any]:
    """Returns the function that turns JSON values into `kind`."""
    origin = get_origin(kind)
    if origin in {Union, UnionType}:
        return _optional(kind)
    if origin is tuple:
        return _tuple(get_args(kind))
    if origin in {list, Sequence}:
        item = _reader(get_args(kind)[0])
        return lambda value: tuple(item(part) for part in value)
    if origin in {dict, Mapping}:
        entry = _reader(get_args(kind)[1])
        return lambda value: {key: entry(part) for key, part in value.items()}
    if is_dataclass(kind):
        return _dataclass(kind)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind
    return _SCALARS.get(kind, lambda value: value)


_SCALARS: dict[Any, Callable[[Any], Any]] = {
    datetime: datetime.fromisoformat,
    bytes: base64.b64decode,
    float: float,
}


def _optional(kind: Any) -> Callable[[Any], Any]:
    """Reads `X | None`; in a union of scalars the JSON value says itself which it is."""
    kinds = [arg for arg in get_args(kind) if arg is not NoneType]
    present = _reader(kinds[0]) if len(kinds) == 1 else (lambda value: value)
    return lambda value: None if value is None else present(value)


def _tuple(args: tuple[Any, ...]) -> Callable[[Any], Any]:
    if len(args) == 2 and args[1] is Ellipsis:
        item = _reader(args[0])
        return lambda value: tuple(item(part) for part in value)
    readers = [_reader(arg) for arg in args]
    return lambda value: tuple(read(part) for read, part in zip(readers, value, strict=True))


def _dataclass(kind: Any) -> Callable[[Any], Any]:
    hints = get_type_hints(kind)
    readers = {field.name: _reader(hints[field.name]) for field in fields(kind)}

    def read(value: Any) -> Any:
        return kind(**{name: reader(value[name]) for name, reader in readers.items() if name in value})

    return read
