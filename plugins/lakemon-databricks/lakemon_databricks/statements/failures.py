"""What goes wrong with a statement, in our words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lakemon_core.domain.errors import ModelError
from lakemon_core.domain.names import plain

if TYPE_CHECKING:
    from databricks.sdk.service.sql import StatementResponse

_CLASS = re.compile(r"^\s*\[([A-Z0-9_]+)(?:\.[A-Z0-9_]+)*\]\s*")
_CURES = {
    "TABLE_OR_VIEW_NOT_FOUND": "look whether the table is there and whether you may see it.",
    "SCHEMA_NOT_FOUND": "make the schema, or grant CREATE SCHEMA on the catalog.",
    "INSUFFICIENT_PERMISSIONS": "`lakemon doctor` lists the missing grants by name.",
    "PERMISSION_DENIED": "`lakemon doctor` lists the missing grants by name.",
}
_OF_STATEMENT = (
    "ARITHMETIC_",
    "CAST_",
    "DATATYPE_MISMATCH",
    "DIVIDE_BY_ZERO",
    "FIELD_NOT_FOUND",
    "INVALID_",
    "MISSING_",
    "NUMERIC_",
    "PARSE_",
    "UNRESOLVED_",
    "UNSUPPORTED_",
    "WRONG_NUM_ARGS",
)
"""Classes of faults that lie in an expression."""
_CONFLICT = ("DELTA_CONCURRENT_", "DELTA_METADATA_CHANGED", "CONCURRENT_")


class StatementFailed(ModelError):
    """A statement that the warehouse refused or gave up.

    Attributes:
        error_class: Databricks' name of the fault, e.g. `TABLE_OR_VIEW_NOT_FOUND`; may be empty.
        said: the warehouse's own words, in one line.
    """

    error_class: str = ""
    said: str = ""

    @property
    def of_statement(self) -> bool:
        """The text of the statement is at fault: it does not parse, or does not fit the types or values."""
        return self.error_class.startswith(_OF_STATEMENT)

    @property
    def is_conflict(self) -> bool:
        """Another writer changed the table meanwhile: the same statement may be sent again."""
        return self.error_class.startswith(_CONFLICT)


def failure_of(response: StatementResponse) -> StatementFailed:
    """Returns why a statement did not succeed.

    A statement that fails is answered with HTTP 200; only its state tells.
    """
    status = response.status
    error = status.error if status else None
    message = (error.message if error else None) or "the warehouse gives no reason"
    found = _CLASS.match(message)
    error_class = found[1] if found else ""
    state = status.state.value if status and status.state else "unknown"
    what = "failed" if state == "FAILED" else f"ended as {state}"
    failed = StatementFailed(
        "LM450",
        f"the statement {what}: {plain(message, 400)};",
        where=f"statement {response.statement_id or '(no id)'}",
        cure=_CURES.get(error_class, "the message holds the warehouse's own words."),
    )
    failed.error_class, failed.said = error_class, plain(message, 400).rstrip(".")
    return failed


def too_late(statement_id: str, seconds: float) -> StatementFailed:
    """Returns the error for a statement that was cancelled at its deadline."""
    return StatementFailed(
        "LM451",
        f"the statement had not ended after {seconds:g} s and was cancelled;",
        where=f"statement {statement_id}",
        cure="look whether the warehouse starts, and is large enough for the tables.",
    )


def not_fetched(statement_id: str, why: str) -> StatementFailed:
    """Returns the error for a result whose rows did not arrive."""
    return StatementFailed(
        "LM452",
        f"the rows of the result could not be fetched: {plain(why, 200)};",
        where=f"statement {statement_id}",
        cure="results lie in the workspace's cloud storage: look whether this machine reaches it.",
    )
