"""One environment of a config: the overlay of `defaults:` and the environment, then its references.

`${var:x}` is always replaced. So is `${env:X}`, but for sinks and the environment variables of a served
model, where it may be a secret. `${secret:scope/key}` never is. What stays is resolved when it is used.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import replace

from lakemon_core.config.source.tree import Node, Place, Scalar, kind, problem, written
from lakemon_core.domain.errors import ConfigErrors, Problem, did_you_mean
from lakemon_core.domain.names import plain

REFERENCE = re.compile(r"\$\{([^{}$]*)\}")
SECRET = re.compile(r"secret:[\w.@-]+/[\w.@-]+")
_ENVIRONMENT = re.compile(r"env:[A-Za-z_]\w*")
_FORMS = "write ${var:x}, ${env:X} or ${secret:scope/key}."
_MAX_TEXT = 65_536
_SHARED = ("model", "variables")
"""Keys that stand at the top and, to override, in an environment."""


def environment_names(root: Node) -> tuple[str, ...]:
    """Returns the names under `environments:` in the order of the file."""
    return tuple(root.child("environments").keys)


def choose_environment(root: Node, environment: str | None, file: str = "") -> str:
    """Returns the environment that is asked for: the given one, the only one, or `dev`.

    Raises:
        ConfigErrors: LM108 when there is none of that name, or several and none is named.
    """
    names = environment_names(root)
    at = root.child("environments")
    if not names:
        cure = "write environments: {dev: {catalog: ..., schema: ...}}."
        raise ConfigErrors([problem(file, at, "LM111", "names no environment;", cure)])
    if environment in names:
        return str(environment)
    if environment is not None:
        what = f'has no environment "{environment}".'
        raise ConfigErrors([problem(file, at, "LM108", what, did_you_mean(environment, names))])
    if len(names) == 1:
        return names[0]
    if "dev" in names:
        return "dev"
    cure = f"name one with -e/--environment: {', '.join(names)}."
    raise ConfigErrors([problem(file, at, "LM108", "holds several environments;", cure)])


def overlay(base: Node, over: Node) -> Node:
    """Lays one tree over another: mappings merge key by key, everything else is replaced."""
    if not isinstance(over.value, dict) or not isinstance(base.value, dict):
        return over
    merged = dict(base.value)
    for key, node in over.value.items():
        merged[key] = overlay(merged[key], node) if key in merged else node
    return replace(over, value=merged)


def resolve(
    root: Node, environment: str, overrides: Mapping[str, str] | None = None, file: str = ""
) -> tuple[Node, list[Problem]]:
    """Returns the config of one environment, with references resolved.

    Args:
        root: the whole file.
        environment: one of `environment_names`.
        overrides: dotted key of the environment → text that wins over the file, e.g. `{"catalog": "dev"}`.
        file: name for errors.

    Returns:
        a tree with `model`, `environments` (only this one), `sinks`, `plugins` and unknown top keys; and what
        is wrong with its references (LM131, LM132).
    """
    environments = root.child("environments")
    chosen = environments.child(environment)
    if chosen.value is None:
        chosen = replace(chosen, value={})
    chosen = overlay(root.child("defaults"), chosen)
    for key, text in (overrides or {}).items():
        chosen = overlay(chosen, _override(key, text))
    own = replace(environments, value={environment: _without(chosen, *_SHARED)})
    shared = replace(root, value={key: node for key, node in chosen.keys.items() if key in _SHARED})
    top = overlay(_without(root, "defaults", "environments"), shared)
    variables = top.child("variables")
    whole = _without(replace(top, value={**top.keys, "environments": own}), "variables")
    references = _References(environment, variables, file)
    resolved = references.resolve(whole)
    return resolved, [*_not_mappings(file, root.child("defaults"), variables), *references.problems]


def _without(node: Node, *left_out: str) -> Node:
    """Returns a mapping without some keys; anything else as it is."""
    if not isinstance(node.value, dict):
        return node
    return replace(node, value={key: child for key, child in node.value.items() if key not in left_out})


def _not_mappings(file: str, *nodes: Node) -> list[Problem]:
    wrong = [node for node in nodes if node.value is not None and not isinstance(node.value, dict)]
    return [problem(file, node, "LM114", f"is a {kind(node.value)};", "write key: value.") for node in wrong]


def _override(key: str, text: str) -> Node:
    node = Node(text, (key,))
    for part in reversed(key.split(".")):
        node = Node({part: node}, (key,))
    return node


def stays_reference(place: Place) -> bool:
    """Whether `${env:X}` stays as it is at a place of the resolved config until it is used."""
    return place[:1] == ("sinks",) or place[2:4] == ("serving", "environment_vars")


class _Wrong(Exception):
    """A reference that leads nowhere."""

    def __init__(self, code: str, what: str, cure: str) -> None:
        self.code, self.what, self.cure = code, what, cure
        super().__init__(what)


class _References:
    """Replaces the references of one environment."""

    def __init__(self, environment: str, variables: Node, file: str) -> None:
        self.problems: list[Problem] = []
        self._file = file
        self._expanded: dict[tuple[str, bool], Scalar] = {}
        self._variables: dict[str, Scalar] = {"environment": environment}
        for name, node in variables.keys.items():
            if isinstance(node.value, dict | list):
                self._add(node, "LM114", f"is a {kind(node.value)};", "a variable holds one value.")
            else:
                self._variables[name] = node.value

    def _add(self, node: Node, code: str, what: str, cure: str) -> None:
        self.problems.append(problem(self._file, node, code, what, cure))

    def resolve(self, node: Node, place: Place = ()) -> Node:
        """Returns the node with all references below it replaced; a wrong one stays and is a problem."""
        if isinstance(node.value, dict):
            return replace(
                node, value={key: self.resolve(item, (*place, key)) for key, item in node.keys.items()}
            )
        if isinstance(node.value, list):
            items = [self.resolve(item, (*place, index)) for index, item in enumerate(node.value)]
            return replace(node, value=items)
        if not isinstance(node.value, str) or "${" not in node.value:
            return node
        try:
            kept = self._expand(node.value, keep=True)
            value = kept if stays_reference(place) else self._expand(node.value, keep=False)
        except _Wrong as wrong:
            self._add(node, wrong.code, wrong.what, wrong.cure)
            return node
        return replace(node, value=value, shown="" if value == kept else str(kept))

    def _expand(self, text: str, *, keep: bool, using: tuple[str, ...] = ()) -> Scalar:
        """Returns the text with its references replaced; one that is the whole text keeps its type."""
        if "${" in REFERENCE.sub("", text):
            raise _Wrong("LM132", "opens a reference with ${ and does not close it;", _FORMS)
        whole = REFERENCE.fullmatch(text)
        if whole:
            return self._lookup(whole[1], keep=keep, using=using)
        expanded = REFERENCE.sub(lambda found: written(self._lookup(found[1], keep=keep, using=using)), text)
        if len(expanded) > _MAX_TEXT:
            raise _Wrong("LM132", f"grows beyond {_MAX_TEXT:,} characters;", "shorten its variables.")
        return expanded

    def _lookup(self, inner: str, *, keep: bool, using: tuple[str, ...]) -> Scalar:
        if SECRET.fullmatch(inner) or (keep and _ENVIRONMENT.fullmatch(inner)):
            return f"${{{inner}}}"
        kind_of, _, name = inner.partition(":")
        if _ENVIRONMENT.fullmatch(inner):
            return _from_environment(name)
        if kind_of != "var":
            raise _Wrong("LM132", f"holds ${{{plain(inner)}}}, which is no reference;", _FORMS)
        if name in using:
            raise _Wrong("LM132", f'uses the variable "{name}", which uses itself;', "break the circle.")
        if name not in self._variables:
            known = did_you_mean(name, tuple(self._variables))
            raise _Wrong("LM132", f'uses the variable "{plain(name)}", which is not defined.', known)
        if (name, keep) not in self._expanded:
            value = self._variables[name]
            is_text = isinstance(value, str)
            value = self._expand(value, keep=keep, using=(*using, name)) if is_text else value
            self._expanded[name, keep] = value
        return self._expanded[name, keep]


def unset_variable(value: object) -> str:
    """Returns the environment variable that a value consists of when it is not set, else nothing."""
    found = REFERENCE.fullmatch(value) if isinstance(value, str) else None
    if found is None or not _ENVIRONMENT.fullmatch(found[1]):
        return ""
    name = found[1].removeprefix("env:")
    return "" if name in os.environ else name


def _from_environment(name: str) -> str:
    value = os.environ.get(name)
    if value is None:
        raise _Wrong("LM131", f"needs the environment variable {name}, which is not set;", "set it.")
    return value
