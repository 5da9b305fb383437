"""Looks into the payload table by SQL: is logging really working?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from lakemon_core.domain.names import TableName
from lakemon_core.ports import LoggedRequest, PayloadHealth
from lakemon_databricks.serving.history import Deployment, version_at
from lakemon_databricks.statements import StatementFailed, Statements, table_sql

_LOOKED_BACK = timedelta(days=2)
_ABSENT = {"TABLE_OR_VIEW_NOT_FOUND", "SCHEMA_NOT_FOUND"}
"""The table comes with its first row, up to an hour after logging was switched on."""


@dataclass(frozen=True, slots=True)
class PayloadRows:
    """One payload table.

    Attributes:
        statements: runs SQL.
        table: the payload table.
    """

    statements: Statements
    table: TableName

    def find(
        self, ids: Sequence[str], now: datetime, deployments: tuple[Deployment, ...]
    ) -> Mapping[str, LoggedRequest]:
        """Returns the requests that have arrived, by the id that was asked for; each once.

        Rows may be doubled: the first one by time counts.

        Args:
            ids: request ids, or client request ids where nobody told us another.
            now: requests of the last two days are looked at.
            deployments: of the endpoint, to tell who answered.
        """
        names = {f"id{number}": one for number, one in enumerate(ids)}
        listed = ", ".join(f":{name}" for name in names)
        rows = self._rows(
            "SELECT databricks_request_id, client_request_id, status_code, request, response, request_time"  # noqa: S608 - a quoted name and numbered parameters
            f" FROM {table_sql(self.table)} WHERE request_date >= :since"
            f" AND (databricks_request_id IN ({listed}) OR client_request_id IN ({listed}))"
            " ORDER BY request_time DESC",
            {"since": (now - _LOOKED_BACK).date(), **names},
        )
        found: dict[str, LoggedRequest] = {}
        for row in rows:
            own, theirs = row["databricks_request_id"], row["client_request_id"] or ""
            asked = own if own in ids else theirs
            found[asked] = LoggedRequest(
                request_id=asked,
                client_request_id=theirs,
                status=row["status_code"],
                request=row["request"],
                response=row["response"],
                served_version=version_at(deployments, row["request_time"]),
            )
        return found

    def health(self, now: datetime) -> PayloadHealth | None:
        """Counts the rows of the last two days by kind; None while the table is not there."""
        rows = self._rows(
            "SELECT count(*) AS logged, count(DISTINCT databricks_request_id) AS requests,"  # noqa: S608 - a quoted name
            " count(DISTINCT CASE WHEN status_code <> 200 THEN databricks_request_id END) AS failed,"
            " count(DISTINCT CASE WHEN size(logging_error_codes) > 0 THEN databricks_request_id END)"
            " AS oversize, max(request_time) AS newest"
            f" FROM {table_sql(self.table)} WHERE request_date >= :since",
            {"since": (now - _LOOKED_BACK).date()},
        )
        if not rows:
            return None
        row = rows[0]
        return PayloadHealth(
            requests=row["requests"],
            doubled=row["logged"] - row["requests"],
            failed=row["failed"],
            oversize=row["oversize"],
            newest=row["newest"],
        )

    def _rows(self, sql: str, parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
        try:
            return self.statements.read(sql, parameters).to_pylist()
        except StatementFailed as error:
            if error.error_class in _ABSENT:
                return []
            raise
