"""YAML text to a tree of nodes that know where they stand.

The text goes through ruamel.yaml's YAML 1.2 parser event by event, and nothing is built from tags: what could
hurt (size, depth, aliases, recursion, foreign tags, duplicate keys) is refused with its line and column.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from ruamel.yaml.reader import ReaderError

from lakemon_core.config.source.tree import MAX_DEPTH, Node, Place, Scalar, problem
from lakemon_core.domain.errors import ConfigErrors, Problem, did_you_mean
from lakemon_core.domain.names import plain

MAX_BYTES = 1024 * 1024
MAX_NODES = 5_000
MAX_ALIASES = 100

Event: TypeAlias = Any
"""ruamel.yaml's events declare no attributes."""

_CORE_TAGS = {f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "map", "seq")}
_TEXT_TAGS = {"!", "tag:yaml.org,2002:str"}
_WORDS: dict[str, Scalar] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
}
_INTEGER = re.compile(r"[-+]?[0-9]{1,100}")
_OCTAL_OR_HEX = re.compile(r"0o[0-7]{1,100}|0x[0-9a-fA-F]{1,100}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INFINITY = re.compile(r"[-+]?\.(inf|Inf|INF)")
_REFERENCE = re.compile(r"\$\{([\w:./@ -]*)\}")
_MASKED = re.compile("\\$\ue000([^\ue001]*)\ue001")
"""Braces of references are masked while YAML is parsed: `{host: ${env:X}}` needs no quotes."""
_UPDATE = re.compile(r"#\s*UPDATE:\s*(.*)")


def read_text(path: Path) -> str:
    """Returns the text of a config file.

    Raises:
        ConfigErrors: LM100 not there or not readable, LM101 larger than 1 MiB, LM102 not UTF-8.
    """
    file = str(path)
    try:
        with path.open("rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigErrors([_unreadable(path, error)]) from None
    if len(raw) > MAX_BYTES:
        what = "the file is larger than 1 MiB;"
        raise ConfigErrors([Problem("LM101", "", what, "a config has some hundred lines.", file)])
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        start = raw[: error.start]
        line, column = start.count(b"\n") + 1, error.start - start.rfind(b"\n")
        what = f"byte 0x{raw[error.start]:02x} is not UTF-8;"
        cure = "save the file as UTF-8."
        raise ConfigErrors([Problem("LM102", "", what, cure, file, line, column)]) from None


def _unreadable(path: Path, error: OSError) -> Problem:
    if isinstance(error, IsADirectoryError):
        return Problem("LM100", "", "is a folder;", "name the config file in it.", str(path))
    if not isinstance(error, FileNotFoundError):
        return Problem("LM100", "", f"cannot be read: {error.strerror};", "check its permissions.", str(path))
    folder = path.parent
    there = [item.name for item in folder.glob("*.y*ml")] if folder.is_dir() else []
    cure = did_you_mean(path.name, there) or "`lakemon init` writes one."
    return Problem("LM100", "", "does not exist.", cure, str(path))


def parse(text: str, file: str = "") -> tuple[Node, list[Problem]]:
    """Turns YAML text into a tree.

    Args:
        text: one YAML document; its root must be a mapping.
        file: name for errors.

    Returns:
        the tree, and what is wrong with it although it could be read (duplicate keys, foreign tags).

    Raises:
        ConfigErrors: LM103 syntax, LM105 too deep, too large or recursive, LM107 no mapping at the root.
    """
    masked = _REFERENCE.sub("$\ue000\\1\ue001", text)
    reader = _Reader(file, YAML(typ="safe", pure=True).parse(masked))
    try:
        root = reader.document()
    except MarkedYAMLError as error:
        raise ConfigErrors([_syntax(file, error)]) from None
    except ReaderError as error:
        before = text[: error.position]
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        what = f"character U+{ord(text[error.position]):04X} is not allowed;"
        raise ConfigErrors([Problem("LM103", "", what, "remove it.", file, line, column)]) from None
    except YAMLError as error:
        raise ConfigErrors([Problem("LM103", "", f"not YAML: {error};", file=file)]) from None
    if not isinstance(root.value, dict):
        what = "the file is empty;" if root.value is None else "the file is not a mapping of keys to values;"
        cure = "`lakemon init` writes a config to start from."
        raise ConfigErrors([Problem("LM107", "", what, cure, file, max(root.line, 1), max(root.column, 1))])
    return root, reader.problems


def _syntax(file: str, error: MarkedYAMLError) -> Problem:
    mark = error.problem_mark or error.context_mark
    said = plain(_unmasked(error.problem or error.context or "not YAML"), 200)
    cure = "indent with spaces." if "'\\t'" in said else "check indentation, brackets and quotes here."
    line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
    return Problem("LM103", "", f"{said};", cure, file, line, column)


def _unmasked(text: str) -> str:
    return _MASKED.sub(r"${\1}", text)


def scalar(text: str) -> Scalar:
    """Returns the value of a plain scalar by the core schema of YAML 1.2: `no` is text, `012` is 12."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _OCTAL_OR_HEX.fullmatch(text):
        return int(text, 0)
    if _FLOAT.fullmatch(text):
        return float(text)
    if _INFINITY.fullmatch(text):
        return float("-inf" if text[0] == "-" else "inf")
    return text


class _Reader:
    """Builds nodes from parser events, one document, and counts what it builds."""

    def __init__(self, file: str, events: Iterator[Event]) -> None:
        self.file = file
        self.problems: list[Problem] = []
        self._events = events
        self._anchors: dict[str, Node | None] = {}
        self._nodes = 0
        self._aliases = 0

    def document(self) -> Node:
        """Returns the root of the only document; a node without value for an empty file."""
        event = self._next()
        while not isinstance(event, DocumentStartEvent):
            event = next(self._events, None)
            if event is None:
                return Node(None)
        root = self._node(self._next(), (), None, 1)
        for event in self._events:
            if isinstance(event, DocumentStartEvent):
                self._stop(
                    "LM107", root, event, "a second document starts here;", "keep one file per config."
                )
        return root

    def _next(self) -> Event:
        return next(self._events)

    def _node(self, event: Event, path: Place, key: Event | None, depth: int) -> Node:
        """Builds the node that starts with an event; it stands at its key, or at itself in a list."""
        mark = (key or event).start_mark
        here = Node(None, path, mark.line + 1, mark.column + 1)
        if isinstance(event, AliasEvent):
            return self._alias(event, here, depth)
        self._count(here, event, 1, depth)
        if event.anchor:
            self._anchors[event.anchor] = None
        self._check_tag(event, here)
        if isinstance(event, MappingStartEvent):
            node = replace(here, value=self._mapping(here, depth))
        elif isinstance(event, SequenceStartEvent):
            node = replace(here, value=self._sequence(path, depth))
        else:
            node = replace(here, value=_scalar_of(event))
        if event.anchor:
            self._anchors[event.anchor] = node
        return node

    def _mapping(self, here: Node, depth: int) -> dict[str, Node]:
        nodes: dict[str, Node] = {}
        merged: list[Node] = []
        while not isinstance(key := self._next(), MappingEndEvent):
            if not isinstance(key, ScalarEvent):
                self._stop("LM103", here, key, "a key must be plain text;", "write key: value.")
            name = _unmasked(key.value)
            node = self._node(self._next(), (*here.path, name), key, depth + 1)
            if name == "<<" and key.style is None:
                merged += node.value if isinstance(node.value, list) else [node]
            elif name in nodes:
                what = f"is written twice; the first is on line {nodes[name].line};"
                self.problems.append(problem(self.file, node, "LM104", what, "keep one of them."))
            else:
                nodes[name] = node
        for node in merged:
            if not isinstance(node.value, dict):
                what = "merges something that is not a mapping;"
                self.problems.append(problem(self.file, node, "LM103", what, "name an anchored mapping."))
            nodes = {**node.keys, **nodes}
        return nodes

    def _sequence(self, path: Place, depth: int) -> list[Node]:
        nodes: list[Node] = []
        while not isinstance(event := self._next(), SequenceEndEvent):
            nodes.append(self._node(event, (*path, len(nodes)), None, depth + 1))
        return nodes

    def _alias(self, event: AliasEvent, here: Node, depth: int) -> Node:
        name = plain(event.anchor)
        if event.anchor not in self._anchors:
            self._stop("LM103", here, event, f"*{name} has no anchor;", f"write &{name} before it.")
        node = self._anchors[event.anchor]
        if node is None:
            self._stop("LM105", here, event, f"&{name} contains itself;", "write it out.")
        self._aliases += 1
        if self._aliases > MAX_ALIASES:
            self._stop("LM105", here, event, f"more than {MAX_ALIASES} aliases;", "write them out.")
        self._count(here, event, *_size(node, depth))
        return replace(node, path=here.path, line=here.line, column=here.column)

    def _count(self, here: Node, event: Event, nodes: int, depth: int) -> None:
        self._nodes += nodes
        if depth > MAX_DEPTH:
            self._stop("LM105", here, event, f"nested deeper than {MAX_DEPTH} levels;", "make it flatter.")
        if self._nodes > MAX_NODES:
            self._stop("LM105", here, event, f"more than {MAX_NODES:,} values;", "split the config.")

    def _check_tag(self, event: Event, here: Node) -> None:
        tag = str(event.tag or "!")
        if tag not in _CORE_TAGS and tag != "!":
            what = f"carries the tag {plain(tag)}, which is not read;"
            self.problems.append(problem(self.file, here, "LM106", what, "remove the tag."))

    def _stop(self, code: str, here: Node, event: Event, what: str, cure: str) -> NoReturn:
        mark = event.start_mark
        at = replace(here, line=mark.line + 1, column=mark.column + 1)
        raise ConfigErrors([*self.problems, problem(self.file, at, code, what, cure)])


def _scalar_of(event: Event) -> Scalar:
    """Quoted, block and `!!str` scalars are text; plain ones follow the core schema."""
    text = _unmasked(event.value)
    is_text = event.style is not None or str(event.tag or "") in _TEXT_TAGS
    return text if is_text else scalar(text)


def _size(node: Node, depth: int) -> tuple[int, int]:
    """Returns how many nodes hang below and including a node, and how deep they reach from `depth`."""
    sizes = [_size(child, depth + 1) for child in node.children]
    return 1 + sum(size for size, _ in sizes), max([depth, *(deep for _, deep in sizes)])


def open_places(path: str | Path) -> list[tuple[int, str]]:
    """Returns the places of a template that are still to be changed: line and text of each `# UPDATE:`."""
    return places_in(read_text(Path(path)))


def places_in(text: str) -> list[tuple[int, str]]:
    """Returns line and text of each `# UPDATE:` in a text."""
    found = [(number, _UPDATE.search(line)) for number, line in enumerate(text.splitlines(), 1)]
    return [(number, match[1].strip()) for number, match in found if match]
