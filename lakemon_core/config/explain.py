"""From pydantic's errors to problems that name the place, the value and the cure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from difflib import get_close_matches
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from lakemon_core.config.source.resolve import REFERENCE, unset_variable
from lakemon_core.config.source.tree import Locations, Node, Place, kind, problem
from lakemon_core.domain.errors import SAFE_TO_SHOW, Problem, did_you_mean
from lakemon_core.domain.names import plain

_SECRET_KEY = re.compile(
    r"passw|secret|token|credential|webhook|workflow_url|api_?key|access_?key|private|routing_key|dsn",
    re.IGNORECASE,
)
_GONE = {
    "auto_capture_config": "Databricks has switched inference tables of that kind off. Leave it out:"
    " `inference_table` says where requests are logged.",
}
"""Key of other tools → what to do instead."""
_EXPECTED = {
    "string": "it must be text.",
    "int": "it must be a whole number.",
    "float": "it must be a number.",
    "bool": "it must be true or false.",
    "list": "it must be a list.",
    "tuple": "it must be a list.",
    "dict": "it must be a mapping of keys to values.",
    "model": "it must be a mapping of keys to values.",
    "finite": "it must be a finite number.",
}
_LIMITS = {
    "greater_than": "it must be above {gt}.",
    "greater_than_equal": "it must be at least {ge}.",
    "less_than": "it must be below {lt}.",
    "less_than_equal": "it must be at most {le}.",
    "too_short": "it needs at least {min_length}.",
    "too_long": "it takes at most {max_length}.",
    "string_too_short": "it must not be empty.",
    "string_too_long": "it is longer than {max_length} characters.",
    "string_pattern_mismatch": "it must match {pattern}.",
}


def explain(
    error: ValidationError, model: type[BaseModel], where: Place, locations: Locations
) -> list[Problem]:
    """Returns the problems of a validation, each at the place where its value was written.

    Args:
        error: what pydantic says.
        model: what was validated, for the keys it knows.
        where: place of the validated values in the resolved config.
        locations: where everything was written.
    """
    return [_problem(details, model, where, locations) for details in error.errors(include_url=False)]


def in_file_order(problems: Sequence[Problem]) -> list[Problem]:
    """Returns the problems by line and column, only the first of each place."""
    first: dict[tuple[str, int, int], Problem] = {}
    for item in problems:
        first.setdefault((item.path, item.line, item.column), item)
    return sorted(first.values(), key=lambda item: (item.line, item.column))


def is_secret(key: str) -> bool:
    """Whether a value under this key is never shown."""
    return bool(_SECRET_KEY.search(key))


def shown(value: object, *, hidden: bool = False) -> str:
    """Returns a value as messages show it: short, on one line, nothing secret, no path of a URL."""
    if isinstance(value, dict | list | tuple):
        return f"a {kind(value)}"
    if hidden and not (isinstance(value, str) and REFERENCE.fullmatch(value)):
        return "a hidden value"
    if not isinstance(value, str):
        return json.dumps(value)
    scheme, is_url, rest = value.partition("://")
    if is_url:
        host = re.split(r"[/?#]", rest.rpartition("@")[2])[0]
        value = f"{scheme}://{host}/…"
    return json.dumps(plain(value), ensure_ascii=False)


def _problem(details: ErrorDetails, model: type[BaseModel], where: Place, locations: Locations) -> Problem:
    is_missing = details["type"] in {"missing", "LM111"}
    place = _place(details["loc"], where, locations, keep_last=is_missing)
    node = locations.find(place)
    key = str(place[-1]) if place else ""
    if details["loc"][-1:] == ("[key]",):
        node = replace(node, value=key)
    hidden = any(is_secret(str(part)) for part in place)
    code, what, cure = _sentence(details, node, hidden=hidden)
    if code == "LM110":
        cure = _GONE.get(key) or _where_it_belongs(key, model, place[len(where) : -1])
    if code == "LM111" and not cure:
        cure = _slip(key, locations.find(place[:-1])) or _example(key, model, place[len(where) : -1])
    return problem(locations.file, node, code, what, cure)


def _place(loc: Sequence[str | int], where: Place, locations: Locations, *, keep_last: bool) -> Place:
    """Returns where an error stands; pydantic's tags of unions and keys are no places."""
    place = where
    for index, part in enumerate(loc):
        is_last = index == len(loc) - 1
        if locations.has((*place, part)) or (is_last and keep_last):
            place = (*place, part)
    return place


def _sentence(details: ErrorDetails, node: Node, *, hidden: bool) -> tuple[str, str, str]:
    """Returns code, sentence and cure of one error."""
    name, context = details["type"], details.get("ctx", {})
    if name == "missing":
        return "LM111", "is missing;", ""
    if name == "extra_forbidden":
        return "LM110", "is not a key here.", ""
    if name == "LM111":
        return name, f"is missing; {context['expected']}", context["cure"]
    unset = unset_variable(node.value)
    if unset:
        return "LM131", f"needs the environment variable {unset}, which is not set;", "set it."
    code, expected, cure = _expectation(name, context, node)
    if code == "LM119":
        expected = f"{plain(details['msg'].removeprefix('Value error, '), 200).rstrip('.')}."
        if isinstance(node.value, dict) and not hidden:
            return code, f"is not accepted: {expected}", cure
    if hidden and name != SAFE_TO_SHOW:
        expected, cure = expected if code == "LM114" else "it is not accepted.", ""
    return code, f"is {node.shown or shown(node.value, hidden=hidden)}; {expected}", cure


def _expectation(name: str, context: dict[str, Any], node: Node) -> tuple[str, str, str]:
    if name.startswith("LM"):
        return name, context["expected"], context["cure"]
    if name in {"literal_error", "enum"}:
        options = re.findall(r"'([^']*)'", str(context["expected"]))
        return "LM115", f"it must be one of {', '.join(options)}.", _nearest(str(node.value), options)
    if name in _LIMITS:
        limits = {key: f"{value:g}" if isinstance(value, float) else value for key, value in context.items()}
        return "LM112", _LIMITS[name].format(**limits), ""
    expected = _EXPECTED.get(name.partition("_")[0])
    if not expected:
        return "LM119", "", ""
    return "LM114", expected, _rewrite(name.partition("_")[0], node)


def _nearest(given: str, options: Sequence[str]) -> str:
    swapped = [option for option in options if sorted(option) == sorted(given)]
    cure = f'Did you mean "{swapped[0]}"?' if swapped else did_you_mean(given, options)
    return cure if cure.startswith("Did") else ""


def _rewrite(wanted: str, node: Node) -> str:
    """Returns how to write a value so that it has the wanted type, where that is plain to see."""
    value = node.value
    if isinstance(value, dict | list) or value is None or node.shown:
        return ""
    if wanted == "string":
        return f'Write "{json.dumps(value)}" in quotes.'
    return f"Write [{value}]." if wanted in {"list", "tuple"} and "://" not in str(value) else ""


def _where_it_belongs(key: str, model: type[BaseModel], place: Place) -> str:
    homes = {home for name, home in _homes(model, "the top level") if name == key}
    if len(homes) == 1:
        return f'"{key}" belongs under {homes.pop()}.'
    section = _section_at(model, place)
    return did_you_mean(key, _keys(section)) if section else ""


def _homes(model: type[BaseModel], section: str) -> Iterator[tuple[str, str]]:
    """Yields every key that a model knows at any depth, with the name of the section it stands in."""
    for name, field in model.model_fields.items():
        key = field.alias or name
        yield key, section
        for below in _models_in(field.annotation):
            yield from _homes(below, key)


def _slip(key: str, section: Node) -> str:
    """Returns a hint at the key that was written instead, where other keys belong to a plugin."""
    written = get_close_matches(key, section.keys, n=1, cutoff=0.7)
    return f'"{plain(written[0])}" stands there; did you mean "{key}"?' if written else ""


def _example(key: str, model: type[BaseModel], place: Place) -> str:
    section = _section_at(model, place)
    field = (
        next((f for n, f in section.model_fields.items() if (f.alias or n) == key), None) if section else None
    )
    if field and field.examples:
        example = field.examples[0]
        return f"add it, e.g. {key}: {example if isinstance(example, str) else json.dumps(example)}."
    return "add it."


def _keys(model: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


def _section_at(model: type[BaseModel], place: Place) -> type[BaseModel] | None:
    """Returns the model that reads the values at a place, or None where anything may stand."""
    section: type[BaseModel] | None = model
    for part in place:
        if section is None:
            return None
        fields = {field.alias or name: field for name, field in section.model_fields.items()}
        if isinstance(part, str) and part in fields:
            inner = _models_in(fields[part].annotation)
            section = inner[0] if inner else None
    return section


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    """Returns the models that an annotation speaks of, through unions, lists and mappings."""
    if isinstance(annotation, type) and not get_origin(annotation):
        return [annotation] if issubclass(annotation, BaseModel) else []
    return [model for argument in get_args(annotation) for model in _models_in(argument)]
