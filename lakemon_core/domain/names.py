"""The one door for names that come from outside: tables, columns, files."""

import re
from dataclasses import dataclass

from lakemon_core.domain.errors import UsageError

_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f/\\]")
_MAX_PART = 255


def check_part(part: str, kind: str) -> str:
    r"""Returns the part of a table name unchanged.

    Raises:
        UsageError: LM120 for parts that are empty, too long, relative paths, or hold `/`, `\` or control
            characters: a name is never a way out of the workspace.
    """
    if not part or part in {".", ".."} or len(part.encode()) > _MAX_PART or _FORBIDDEN.search(part):
        raise UsageError(
            "LM120",
            f"{part!r} is not a {kind} name;",
            cure="use 1 to 255 bytes without slashes and control characters.",
        )
    return part


@dataclass(frozen=True, slots=True, order=True)
class TableName:
    """A three-level table name, `catalog.schema.table`.

    Raises:
        UsageError: LM120 when a part is not allowed.
    """

    catalog: str
    schema: str
    table: str

    def __post_init__(self) -> None:
        """Checks the three parts."""
        check_part(self.catalog, "catalog")
        check_part(self.schema, "schema")
        check_part(self.table, "table")

    @classmethod
    def parse(cls, text: str, *, catalog: str = "", schema: str = "") -> "TableName":
        """Reads one, two or three dotted parts; missing ones come from `catalog` and `schema`.

        A part in backticks may hold dots.

        Raises:
            UsageError: LM121 when parts are missing or too many.
        """
        parts = [part[1:-1] if part[:1] == "`" else part for part in re.findall(r"`[^`]*`|[^.]+", text)]
        filled = [catalog, schema][: max(0, 3 - len(parts))] + parts
        if len(filled) != 3 or not all(filled):
            raise UsageError(
                "LM121",
                f"{text!r} is not a table name;",
                cure="write catalog.schema.table, e.g. mlops_dev.flights.logs.",
            )
        return cls(*filled)

    def sibling(
        self, *, schema: str | None = None, suffix: str = "", table: str | None = None
    ) -> "TableName":
        """Returns the table beside this one: other schema, other name or a suffix."""
        return TableName(self.catalog, schema or self.schema, (table or self.table) + suffix)

    def __str__(self) -> str:
        """The name as it is written in SQL without quotes."""
        return f"{self.catalog}.{self.schema}.{self.table}"


def quote(identifier: str) -> str:
    """Returns the identifier in double quotes, as standard SQL wants it."""
    return '"' + identifier.replace('"', '""') + '"'


def plain(text: str, limit: int = 80) -> str:
    """Returns a name that comes from data, safe to show: one line, no control or bidi marks, capped."""
    cleaned = "".join(" " if ch in "\r\n\t" else ch for ch in text if ch.isprintable() or ch in "\r\n\t ")
    return cleaned if len(cleaned) <= limit else cleaned[: limit - 1] + "…"
