"""One SQL statement before it runs: made fit for DuckDB, and what it reads."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from lakemon_core.domain.errors import DataError
from lakemon_core.domain.names import quote
from lakemon_core.profiling.table_types import narrowest

if TYPE_CHECKING:
    import duckdb

_RESERVED = frozenset({"main", "memory", "system", "temp"})
"""Catalogs that DuckDB keeps for itself; ours of that name get an alias."""
_ALIAS = "lakemon:"
_COLUMN_WORDS = frozenset({"window", "column"})
"""Columns of the metric tables that DuckDB takes for words of its grammar."""
_WINDOW_CLAUSE = re.compile(r'window\s+("(?:[^"]|"")*"|\w+)\s+as\s*\(', re.IGNORECASE)
Node = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Written:
    """A table as a statement writes it; the catalog may carry an alias."""

    catalog: str
    schema: str
    table: str

    @property
    def parts(self) -> tuple[str, str, str]:
        """The three parts without alias."""
        return self.catalog.removeprefix(_ALIAS), self.schema, self.table


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement that reads.

    Attributes:
        text: as DuckDB runs it.
        tables: that it names, each once.
        words: every name and text in it, case-folded.
        wildcard: it may mean columns that it does not name.
    """

    text: str
    tables: tuple[Written, ...]
    words: frozenset[str]
    wildcard: bool

    @classmethod
    def parse(cls, connection: duckdb.DuckDBPyConnection, sql: str) -> Statement:
        """Reads a statement.

        Raises:
            DataError: LM310 when it is not exactly one statement that reads, LM301 for a table without all
                three levels.
        """
        text = _adapted(sql)
        found = connection.extract_statements(text)
        if len(found) != 1 or found[0].type.name != "SELECT":
            kinds = ", ".join(statement.type.name for statement in found) or "nothing"
            raise refused(f"it is {kinds}", cure="write one SELECT, WITH, DESCRIBE or SUMMARIZE.")
        ((serialized,),) = connection.execute("SELECT json_serialize_sql(?)", [text]).fetchall()
        tree: Node = json.loads(serialized)
        if tree["error"]:
            raise refused(tree["error_message"])
        nodes = list(_nodes(tree))
        return cls(text, _tables(nodes), frozenset(_words(nodes)), _has_wildcard(nodes))

    def columns_of(self, schema: pa.Schema) -> list[str]:
        """Returns the columns of a table that the statement may read, at least one."""
        if self.wildcard:
            return schema.names
        return [name for name in schema.names if name.casefold() in self.words] or [narrowest(schema)]


def refused(why: str, *, cure: str = "") -> DataError:
    """Returns the error for a statement that is not run; of DuckDB's message all but the drawn arrow."""
    lines = [line.strip() for line in why.replace(_ALIAS, "").splitlines()]
    said = " ".join(line for line in lines if line.strip("^~"))
    return DataError("LM310", f"the query cannot be run: {said};", cure=cure)


def _adapted(sql: str) -> str:
    """Returns the statement with columns like `window` quoted and reserved catalogs under their alias."""
    import duckdb

    data = sql.encode()
    starts = [offset for offset, _ in duckdb.tokenize(sql)]
    tokens = [data[a:b].decode() for a, b in zip([0, *starts], [*starts, len(data)], strict=True)]
    return "".join(_adapted_token(tokens, at) for at in range(len(tokens)))


def _adapted_token(tokens: Sequence[str], at: int) -> str:
    word = tokens[at].rstrip()
    space = tokens[at][len(word) :]
    if word.casefold() in _COLUMN_WORDS and not _WINDOW_CLAUSE.match("".join(tokens[at:])):
        return quote(word) + space
    name = word.strip('"').casefold()
    if name in _RESERVED and _leads_three_names(tokens, at):
        return quote(_ALIAS + name) + space
    return tokens[at]


def _leads_three_names(tokens: Sequence[str], at: int) -> bool:
    dots = [token.strip() == "." for token in tokens[max(at - 1, 0) : at + 4]]
    return dots == [False, False, True, False, True]


def _nodes(tree: object) -> Iterator[Node]:
    """Yields every object of the tree."""
    if isinstance(tree, dict):
        yield tree
    parts = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ()
    for part in parts:
        yield from _nodes(part)


def _words(nodes: Sequence[Node]) -> Iterator[str]:
    for node in nodes:
        for value in node.values():
            for text in value if isinstance(value, list) else [value]:
                if isinstance(text, str):
                    yield text.casefold()


def _tables(nodes: Sequence[Node]) -> tuple[Written, ...]:
    """Returns the named tables; names of one level that WITH defines are none."""
    local = {
        entry["key"].casefold() for node in nodes if "cte_map" in node for entry in node["cte_map"]["map"]
    }
    found: dict[tuple[str, ...], Written] = {}
    for node in nodes:
        if node.get("type") != "BASE_TABLE":
            continue
        written = Written(node["catalog_name"], node["schema_name"], node["table_name"])
        if not written.catalog and not written.schema and written.table.casefold() in local:
            continue
        if not all(written.parts):
            shown = ".".join(part for part in written.parts if part)
            raise DataError(
                "LM301", f"table {shown!r} is not named in full;", cure="write catalog.schema.table."
            )
        found.setdefault(tuple(part.casefold() for part in written.parts), written)
    return tuple(found.values())


def _has_wildcard(nodes: Sequence[Node]) -> bool:
    """Whether columns may be meant that are not named; the name of a table means its whole row."""
    sources = [node for node in nodes if "class" not in node]
    rows = {str(node.get(key, "")).casefold() for node in sources for key in ("alias", "table_name")}
    return any(
        node.get("type") in {"STAR", "POSITIONAL_REFERENCE", "PIVOT", "SHOW_REF"}
        or node.get("ref_type") == "NATURAL"
        or bool(node.get("column_name_alias"))
        or (node.get("type") == "COLUMN_REF" and node["column_names"][-1].casefold() in rows)
        for node in nodes
    )
