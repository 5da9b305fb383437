"""The tree of a config: every value knows where it was written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral
from pathlib import Path
from typing import TypeAlias

from lakemon_core.domain.errors import ConfigErrors, Problem
from lakemon_core.domain.names import plain

MAX_DEPTH = 20

Scalar: TypeAlias = str | int | float | bool | None
Place: TypeAlias = tuple[str | int, ...]
"""Keys and positions from the top of a config, e.g. `("sinks", "email", "host")`."""


@dataclass(frozen=True, slots=True)
class Node:
    """A value of the config and where it was written.

    Attributes:
        value: a scalar, a mapping of keys to nodes, or a list of nodes.
        path: where it was written, which an overlay may move, e.g. from `defaults` to an environment.
        line: 1-based line of its key, or of the value in a list; 0 where there is no file.
        column: 1-based.
        shown: what errors show instead of the value: the reference that an environment variable came from.
    """

    value: Scalar | dict[str, Node] | list[Node]
    path: Place = ()
    line: int = 0
    column: int = 0
    shown: str = ""

    @property
    def keys(self) -> dict[str, Node]:
        """The nodes of a mapping by key; empty for anything else."""
        return self.value if isinstance(self.value, dict) else {}

    @property
    def children(self) -> list[Node]:
        """The nodes right below, of a mapping or a list."""
        return self.value if isinstance(self.value, list) else list(self.keys.values())

    def child(self, key: str) -> Node:
        """Returns the node under a key; a node without value, standing here, when there is none."""
        return self.keys.get(key) or Node(None, (*self.path, key), self.line, self.column)

    def data(self) -> object:
        """Returns plain values. A key without a value counts as not written."""
        if isinstance(self.value, dict):
            return self.mapping()
        if isinstance(self.value, list):
            return [node.data() for node in self.value]
        return self.value

    def mapping(self) -> dict[str, object]:
        """Returns the plain values of a mapping; empty for anything else."""
        return {key: node.data() for key, node in self.keys.items() if node.value is not None}


def dotted(path: Place) -> str:
    """Returns a path as errors show it, e.g. `environments.dev.monitoring.alerts.0`."""
    return ".".join(plain(str(part)) for part in path)


def kind(value: object) -> str:
    """Returns what a value is, in the words of YAML."""
    if isinstance(value, Mapping):
        return "mapping"
    return "list" if isinstance(value, list | tuple) else "single value"


def written(value: Scalar) -> str:
    """Returns a scalar as YAML writes it."""
    return value if isinstance(value, str) else json.dumps(value)


def problem(file: str, node: Node, code: str, what: str, cure: str = "") -> Problem:
    """Returns a problem that stands where the node stands."""
    return Problem(code, dotted(node.path), what, cure, file, node.line, node.column)


@dataclass(frozen=True, slots=True)
class Locations:
    """Where each value of a resolved config was written.

    Attributes:
        file: the config file; empty when the config came from Python.
        root: the resolved config of one environment, with the places of its values.
    """

    file: str
    root: Node

    def find(self, place: Place) -> Node:
        """Returns the node at a place, or one without value at its nearest parent."""
        node = self.root
        for index, part in enumerate(place):
            below = _below(node, part)
            if below is None:
                rest = place[index:]
                return Node(None, (*node.path, *rest), node.line, node.column)
            node = below
        return node

    def has(self, place: Place) -> bool:
        """Whether something was written at a place."""
        node = self.root
        for part in place:
            below = _below(node, part)
            if below is None:
                return False
            node = below
        return True

    def problem(self, place: Place, code: str, what: str, cure: str = "") -> Problem:
        """Returns a problem at a place of the resolved config."""
        return problem(self.file, self.find(place), code, what, cure)


def _below(node: Node, part: str | int) -> Node | None:
    if isinstance(node.value, list):
        return node.value[part] if isinstance(part, int) and part < len(node.value) else None
    return node.keys.get(str(part))


def from_values(value: object, path: Place = ()) -> tuple[Node, list[Problem]]:
    """Turns Python values (mappings, lists, tuples, scalars) into a tree; problems carry paths, no lines.

    Returns:
        the tree, and one LM114 for each value of another type.
    """
    problems: list[Problem] = []

    def node(value: object, path: Place) -> Node:
        if value is None or isinstance(value, str | int | float | bool):
            return Node(value, path)
        if isinstance(value, Integral):
            return Node(int(value), path)
        if len(path) > MAX_DEPTH:
            raise ConfigErrors(
                [problem("", Node(None, path), "LM105", f"nested deeper than {MAX_DEPTH} levels;")]
            )
        if isinstance(value, Mapping):
            return Node({str(key): node(item, (*path, str(key))) for key, item in value.items()}, path)
        if isinstance(value, list | tuple):
            return Node([node(item, (*path, index)) for index, item in enumerate(value)], path)
        if isinstance(value, Path):
            return Node(str(value), path)
        what = f"is of type {type(value).__name__};"
        problems.append(
            problem("", Node(None, path), "LM114", what, "use text, numbers, lists and mappings.")
        )
        return Node(None, path)

    return node(value, path), problems
