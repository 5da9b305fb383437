"""Running SQL statements on a warehouse through the SDK, to their end."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Event
from typing import TYPE_CHECKING

from lakemon_databricks.statements.failures import StatementFailed, failure_of, not_fetched, too_late
from lakemon_databricks.statements.parameters import Value, parameter_items

if TYPE_CHECKING:
    import pyarrow as pa
    from databricks.sdk import WorkspaceClient
    from databricks.sdk.service.sql import Disposition, Format, StatementResponse

_WAIT = 30
"""Seconds that the first call waits for the result; the API takes 5 to 50."""
_PAUSES = (0.2, 0.5, 1.0, 2.0, 5.0)
"""Seconds between two looks at a statement that runs; the last one repeats."""


_CONFLICT_PAUSES = (0.1, 0.3, 1.0, 3.0)
"""Seconds before a statement is sent again that another writer's commit made impossible."""


@dataclass(frozen=True, slots=True)
class Statements:
    """Runs statements on one SQL warehouse, each with a deadline over everything it takes.

    The SDK sends a call again whose answer was lost, so a statement may run twice: what writes has to be a
    MERGE on a key, a REPLACE WHERE or another statement that changes nothing the second time.

    Attributes:
        client: of the workspace.
        warehouse_id: of the warehouse.
        deadline: seconds that one statement may take; then it is cancelled.
    """

    client: WorkspaceClient
    warehouse_id: str
    deadline: float = 900.0

    def run(self, sql: str, parameters: Mapping[str, Value] | None = None) -> dict[str, int]:
        """Runs a statement that writes.

        Args:
            sql: one statement; `:name` stands for a parameter.
            parameters: by name.

        Returns:
            Databricks' counts, e.g. `num_affected_rows`; empty where it counts nothing.

        Raises:
            StatementFailed: LM450 it failed, LM451 it was not done in time.
        """
        from databricks.sdk.service.sql import Disposition, Format

        response = self._finished(sql, parameters, Disposition.INLINE, Format.JSON_ARRAY)
        columns = (response.manifest and response.manifest.schema and response.manifest.schema.columns) or []
        rows = (response.result and response.result.data_array) or []
        if not rows:
            return {}
        pairs = zip(columns, rows[0], strict=False)
        return {column.name: int(cell) for column, cell in pairs if column.name and _is_count(cell)}

    def write(self, sql: str, parameters: Mapping[str, Value] | None = None) -> dict[str, int]:
        """Runs a statement that writes; again, when another writer's commit came between.

        Returns:
            counts as `run` does.

        Raises:
            StatementFailed: as `run`; also when others write all the time.
        """
        for pause in _CONFLICT_PAUSES:
            try:
                return self.run(sql, parameters)
            except StatementFailed as failed:
                if not failed.is_conflict:
                    raise
                time.sleep(pause)
        return self.run(sql, parameters)

    def read(self, sql: str, parameters: Mapping[str, Value] | None = None) -> pa.Table:
        """Runs a query and returns all of its rows, typed.

        Raises:
            StatementFailed: as `stream`.
        """
        return self.stream(sql, parameters).read_all()

    def stream(
        self, sql: str, parameters: Mapping[str, Value] | None = None, *, stop: Event | None = None
    ) -> pa.RecordBatchReader:
        """Runs a query and streams its rows, typed; a chunk is fetched when it is asked for.

        Args:
            sql: one query; `:name` stands for a parameter.
            parameters: by name.
            stop: cancels the statement as the deadline does, as soon as another thread has set it.

        Raises:
            StatementFailed: LM450 it failed, LM451 not done in time, LM452 rows that cannot be fetched.
        """
        from databricks.sdk.service.sql import Disposition, Format

        from lakemon_databricks.statements.results import Result

        response = self._finished(sql, parameters, Disposition.EXTERNAL_LINKS, Format.ARROW_STREAM, stop)
        if response.manifest and response.manifest.truncated:
            raise not_fetched(response.statement_id or "", "the result is larger than the API gives out")
        return Result(self.client, response, time.monotonic() + self.deadline).reader()

    def _finished(
        self,
        sql: str,
        parameters: Mapping[str, Value] | None,
        disposition: Disposition,
        layout: Format,
        stop: Event | None = None,
    ) -> StatementResponse:
        from databricks.sdk.service.sql import ExecuteStatementRequestOnWaitTimeout, StatementState

        until = time.monotonic() + self.deadline
        response = self.client.statement_execution.execute_statement(
            statement=sql,
            warehouse_id=self.warehouse_id,
            parameters=parameter_items(parameters or {}),
            disposition=disposition,
            format=layout,
            wait_timeout=f"{int(min(_WAIT, max(5, self.deadline)))}s" if stop is None else "5s",
            on_wait_timeout=ExecuteStatementRequestOnWaitTimeout.CONTINUE,
        )
        response = self._waited(response, until, stop or Event())
        if response.status is None or response.status.state is not StatementState.SUCCEEDED:
            raise failure_of(response)
        return response

    def _waited(self, response: StatementResponse, until: float, stop: Event) -> StatementResponse:
        """Looks at a statement until it has ended; cancels it at the deadline, for polling alone does not."""
        from databricks.sdk.service.sql import StatementState

        statement_id = response.statement_id or ""
        running = {StatementState.PENDING, StatementState.RUNNING}
        looks = 0
        while response.status is not None and response.status.state in running:
            left = until - time.monotonic()
            if left <= 0 or stop.is_set():
                self.client.statement_execution.cancel_execution(statement_id)
                raise too_late(statement_id, self.deadline)
            stop.wait(min(left, _PAUSES[min(looks, len(_PAUSES) - 1)]))
            looks += 1
            response = self.client.statement_execution.get_statement(statement_id)
        return response


def _is_count(cell: str | None) -> bool:
    return cell is not None and cell.lstrip("-").isdigit()
