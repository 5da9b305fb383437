"""A team's own words for a message: small Jinja templates in a box without doors, or the built-in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from enum import Enum
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from lakemon_core.domain.errors import did_you_mean
from lakemon_core.domain.incident import Notification
from lakemon_core.domain.monitor import MessageTemplate
from lakemon_core.domain.names import plain

if TYPE_CHECKING:
    from jinja2 import Environment

LARGEST = 2_000
"""Characters of one template."""
LONGEST_TITLE, LONGEST_LINE, MOST_LINES, MOST_INCIDENTS = 300, 1_000, 40, 50
"""Caps of what comes out, and of the incidents that go in."""

_FACTS = (
    "title", "lines", "model", "environment", "owner", "runbook", "report", "run_id", "severity",
    "transition",
)  # fmt: skip
"""What a template may name, beside `state` and `incidents`."""

_FILTERS = ("default", "first", "float", "int", "join", "last", "length", "lower", "round", "title", "upper")
_NODES = (
    "Template", "Output", "TemplateData", "Name", "Getattr", "Getitem", "Const", "Filter", "If", "For",
    "Compare", "Operand", "And", "Or", "Not", "CondExpr", "Add", "Sub", "Div", "Neg", "Test", "Concat",
)  # fmt: skip
"""What a template may be made of; anything else, e.g. a call, a product, a macro or an import, is refused."""


def problem_of(source: str) -> str:
    """Says why a text is no template that can be used; nothing when it is one."""
    from jinja2 import TemplateSyntaxError, meta, nodes

    if len(source) > LARGEST:
        return f"it is longer than {LARGEST} characters"
    try:
        tree = _environment().parse(source)
    except TemplateSyntaxError as error:
        return plain(f"{error.message} (line {error.lineno})", 200)
    for node in tree.find_all(nodes.Node):
        kind = type(node).__name__
        if kind not in _NODES:
            return f"{kind} is not allowed in a message"
        if isinstance(node, nodes.For) and any(node.find_all(nodes.For)):
            return "a loop in a loop is not allowed in a message"
        if isinstance(node, nodes.Filter) and node.name not in _FILTERS:
            return f"the filter {node.name} is not allowed; known are {', '.join(_FILTERS)}"
    unknown = sorted(meta.find_undeclared_variables(tree) - {*_FACTS, "state", "incidents"})
    if not unknown:
        return ""
    hint = did_you_mean(unknown[0], [*_FACTS, "state", "incidents"])
    return f"there is no {plain(unknown[0])} in a message. {hint}".rstrip(". ")


def in_own_words(told: Notification, template: MessageTemplate) -> Notification:
    """Returns a notification with title and lines by a template.

    A template sees plain values only: `state`, `severity`, `transition`, `title`, `lines`, `model`,
    `environment`, `owner`, `runbook`, `report`, `run_id`, and `incidents` with the fields of `Evidence`. A
    template that fails costs no alert: the built-in words stay, and a line says what is wrong.
    """
    facts = _facts(told)
    try:
        title = _filled(template.title, facts, LONGEST_TITLE) if template.title else told.title
        lines = [_filled(line, facts, LONGEST_LINE) for line in template.lines[:MOST_LINES]]
    except Exception as error:  # noqa: BLE001 - whatever a template does, the alert goes out
        why = plain(f"The team's own message could not be made: {type(error).__name__}: {error}", 300)
        return replace(told, lines=(*told.lines, why))
    return replace(told, title=title or told.title, lines=tuple(filter(None, lines)) or told.lines)


def _filled(source: str, facts: Mapping[str, Any], longest: int) -> str:
    pieces: list[str] = []
    length = 0
    for piece in _environment().from_string(source).generate(**facts):
        pieces.append(piece)
        length += len(piece)
        if length > longest:
            break
    return plain("".join(pieces), longest).strip()


def _facts(told: Notification) -> dict[str, Any]:
    facts: dict[str, Any] = {name: _plain_value(getattr(told, name)) for name in _FACTS}
    incidents = [_plain_value(asdict(one)) for one in told.evidence[:MOST_INCIDENTS]]
    return facts | {"state": told.state, "incidents": incidents}


def _plain_value(value: Any) -> Any:
    """Returns text, numbers, lists and mappings only; texts cut, without control marks."""
    match value:
        case datetime():
            return value.isoformat()
        case Enum():
            return value.value
        case str():
            return plain(value, LONGEST_LINE)
        case Mapping():
            return {str(key): _plain_value(item) for key, item in cast("Mapping[Any, Any]", value).items()}
        case Sequence():
            return [_plain_value(item) for item in cast("Sequence[Any]", value)]
        case _:
            return value


@cache
def _environment() -> Environment:
    from jinja2 import StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, keep_trailing_newline=False)
    environment.globals.clear()
    environment.filters = {name: environment.filters[name] for name in _FILTERS}
    return environment
