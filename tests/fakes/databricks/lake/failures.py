"""Why a statement failed, in the words of Databricks."""

from __future__ import annotations

import re

import duckdb

_NO_COLUMN = re.compile(r'column(?: named)? "?([^"\s]+)"? (?:not found|cannot be referenced)', re.IGNORECASE)


class SqlFailure(Exception):
    """A statement that failed.

    Attributes:
        condition: Databricks' error condition, e.g. `TABLE_OR_VIEW_NOT_FOUND`.
        sqlstate: five characters.
    """

    def __init__(self, condition: str, message: str, sqlstate: str = "42000") -> None:
        super().__init__(f"[{condition}] {message} SQLSTATE: {sqlstate}")
        self.condition = condition
        self.sqlstate = sqlstate


class Unsupported(SqlFailure):
    """Databricks may know it, the fake does not: never taken for an answer of Databricks."""

    def __init__(self, what: str) -> None:
        super().__init__("FAKE_UNSUPPORTED", f"The fake workspace does not do this: {what}.", "0A000")


def no_table(name: str) -> SqlFailure:
    """Returns the failure of a name that no table or view has."""
    quoted = ".".join(f"`{part}`" for part in name.split("."))
    return SqlFailure(
        "TABLE_OR_VIEW_NOT_FOUND",
        f"The table or view {quoted} cannot be found. Verify the spelling and correctness of the schema and"
        " catalog.",
        "42P01",
    )


def no_schema(name: str) -> SqlFailure:
    """Returns the failure of a schema that does not exist."""
    quoted = ".".join(f"`{part}`" for part in name.split("."))
    return SqlFailure("SCHEMA_NOT_FOUND", f"The schema {quoted} cannot be found.", "42704")


def no_catalog(name: str) -> SqlFailure:
    """Returns the failure of a catalog that does not exist."""
    return SqlFailure("NO_SUCH_CATALOG_EXCEPTION", f"Catalog '{name}' was not found.", "42704")


def exists(what: str, name: str) -> SqlFailure:
    """Returns the failure to create what is there; `what` is TABLE_OR_VIEW or SCHEMA."""
    return SqlFailure(f"{what}_ALREADY_EXISTS", f"Cannot create {name} because it already exists.", "42P07")


def insufficient(privilege: str, securable: str) -> SqlFailure:
    """Returns the failure of a user without a privilege."""
    return SqlFailure(
        "INSUFFICIENT_PERMISSIONS",
        f"Insufficient privileges: User does not have {privilege} on {securable}.",
        "42501",
    )


def syntax(message: str) -> SqlFailure:
    """Returns the failure of a text that is no SQL."""
    return SqlFailure("PARSE_SYNTAX_ERROR", f"Syntax error: {message}.", "42601")


def told(error: duckdb.Error) -> SqlFailure:
    """Returns what Databricks would say where DuckDB failed."""
    text = str(error).split("\n\nLINE", maxsplit=1)[0].replace("\n", " ")
    column = _NO_COLUMN.search(text)
    if column:
        return SqlFailure(
            "UNRESOLVED_COLUMN.WITHOUT_SUGGESTION",
            f"A column, variable, or function parameter with name `{column[1]}` cannot be resolved.",
            "42703",
        )
    if isinstance(error, duckdb.ParserException | duckdb.NotImplementedException):
        return Unsupported(text)
    if "Function with name" in text and "does not exist" in text:
        return Unsupported(text)
    if isinstance(error, duckdb.ConversionException | duckdb.OutOfRangeException):
        return SqlFailure("CAST_INVALID_INPUT", text, "22018")
    if "NOT NULL constraint" in text:
        return SqlFailure("DELTA_NOT_NULL_CONSTRAINT_VIOLATED", text, "23502")
    return SqlFailure(
        "DATATYPE_MISMATCH" if isinstance(error, duckdb.BinderException) else "INTERNAL_ERROR", text
    )
