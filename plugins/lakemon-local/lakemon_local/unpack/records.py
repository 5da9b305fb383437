"""What a request asked and what the response answered, row by row; pure functions over their JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

FORMATS = ("dataframe_records", "dataframe_split", "instances", "inputs")


class Unreadable(Exception):
    """A request or response that cannot be turned into rows.

    Attributes:
        kind: what is wrong, the same words for the same fault: by it such requests are counted.
        detail: the first of its kind in more words; may be empty.
    """

    def __init__(self, kind: str, detail: str = "") -> None:
        self.kind = kind
        self.detail = detail
        super().__init__(f"{kind}: {detail}" if detail else kind)


def records_of(request: str, names: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Returns the rows of a scoring request.

    Args:
        request: its JSON body, in any of the four formats.
        names: the model's inputs in order: rows without names take theirs from it, else `0`, `1`, and so on.

    Raises:
        Unreadable: when it is no such body.
    """
    body = _object(request, "request")
    given = [name for name in FORMATS if name in body]
    if len(given) != 1:
        raise Unreadable("request has none or several of the input formats", ", ".join(given))
    value = body[given[0]]
    if given[0] == "dataframe_split":
        return _from_split(value, names)
    if given[0] == "dataframe_records" and not isinstance(value, list):
        raise Unreadable("dataframe_records is no list")
    return _from_rows(value, names)


def predictions_of(response: str) -> list[Any]:
    """Returns the predictions of a response, one a row; a dict of columns becomes a list of dicts.

    Raises:
        Unreadable: when it has none, or its columns differ in length.
    """
    body = _object(response, "response")
    if "predictions" not in body:
        raise Unreadable("response has no predictions")
    found = body["predictions"]
    if isinstance(found, Mapping):
        return _from_columns(cast("Mapping[str, Any]", found))
    return found if isinstance(found, list) else [found]


def _object(text: str, what: str) -> dict[str, Any]:
    try:
        body = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"{what} is no JSON", str(error)) from error
    if not isinstance(body, dict):
        raise Unreadable(f"{what} is no JSON object")
    return body


def _from_split(value: Any, names: Sequence[str]) -> list[dict[str, Any]]:
    if not isinstance(value, Mapping) or not isinstance(value.get("data"), list):
        raise Unreadable("dataframe_split has no data")
    given = value.get("columns")
    columns = [str(name) for name in given] if isinstance(given, list) else names
    if len(set(columns)) != len(columns):
        raise Unreadable("dataframe_split names a column twice")
    return [_from_values(row, columns, exact=isinstance(given, list)) for row in value["data"]]


def _from_rows(value: Any, names: Sequence[str]) -> list[dict[str, Any]]:
    if isinstance(value, Mapping):
        return _from_columns(cast("Mapping[str, Any]", value))
    if not isinstance(value, list):
        return [_from_values([value], names)]
    if any(isinstance(row, Mapping) for row in value):
        if not all(isinstance(row, Mapping) for row in value):
            raise Unreadable("rows are partly objects and partly values")
        return [dict(row) for row in value]
    return [_from_values(row if isinstance(row, list) else [row], names) for row in value]


def _from_values(row: Any, names: Sequence[str], *, exact: bool = False) -> dict[str, Any]:
    if not isinstance(row, list):
        raise Unreadable("a row is no list of values")
    if len(row) > len(names) > 0 or (exact and len(row) != len(names)):
        raise Unreadable("a row has another number of values than there are columns")
    return {names[at] if at < len(names) else str(at): entry for at, entry in enumerate(row)}


def _from_columns(columns: Mapping[str, Any]) -> list[dict[str, Any]]:
    lists = {name: value if isinstance(value, list) else [value] for name, value in columns.items()}
    lengths = {len(values) for values in lists.values()}
    if len(lengths) > 1:
        raise Unreadable("columns differ in length")
    return [dict(zip(lists, row, strict=True)) for row in zip(*lists.values(), strict=True)]
