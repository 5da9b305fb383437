"""What an expression may be, and the columns it finds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from lakemon_core.domain.errors import DataError, did_you_mean
from lakemon_core.domain.names import plain, quote


class Shape(StrEnum):
    """What an expression may be."""

    ROW = "row"
    """A value of every row: no aggregates."""
    TABLE = "table"
    """One value of many rows: columns stand inside aggregates."""
    METRICS = "metrics"
    """A value of every row, whose columns may be fields, as in `precision.macro`."""


@dataclass(slots=True)
class Columns:
    """The columns of a table as an expression finds them, and those it has used so far."""

    text: str
    known: Sequence[str] | None
    parameters: Mapping[str, str]
    fields: Sequence[str] | None = None
    used: dict[str, None] = field(default_factory=dict[str, None])
    fields_used: dict[str, None] = field(default_factory=dict[str, None])

    def find(self, parts: Sequence[str]) -> str:
        """Returns a column, or a field of one, quoted for DuckDB.

        Raises:
            DataError: LM333.
        """
        return ".".join(quote(part) for part in self.named(parts))

    def named(self, parts: Sequence[str]) -> list[str]:
        """Returns the true name of a column, then those of the field of one.

        Raises:
            DataError: LM333.
        """
        first, *rest = parts
        name = self.parameters.get(first) or _one_of(first, self.known, self.text)
        if rest:
            rest[0] = _one_of(rest[0], self.fields, self.text)
            self.fields_used[rest[0]] = None
        self.used[name] = None
        return [name, *rest]

    def alone(self, tree: object) -> str | None:
        """Returns the column that a whole expression is, if it is one."""
        from sqlglot import exp

        return next(iter(self.used)) if isinstance(tree, exp.Column) and len(tree.parts) == 1 else None


def _one_of(name: str, known: Sequence[str] | None, text: str) -> str:
    """Names do not differ by case, unless there are two that do."""
    if known is None or name in known:
        return name
    alike = [column for column in known if column.casefold() == name.casefold()]
    if len(alike) == 1:
        return alike[0]
    hint = plain(did_you_mean(name, list(known)), 400)
    raise DataError("LM333", f"{plain(text)!r} names {plain(name)!r}, which is no column there.", cure=hint)
