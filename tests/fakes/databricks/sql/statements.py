"""The Statement Execution API: statements that run on the lake, by the clock."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
from fakes.databricks.clock import Clock
from fakes.databricks.lake import Lake, SqlFailure
from fakes.databricks.lake.dialect import Parameter
from fakes.databricks.lake.lake import Session
from fakes.databricks.web.messages import Answer, Refused, Request, invalid, missing
from fakes.databricks.web.routing import Routes

from . import results
from .warehouses import Warehouses

INLINE_LIMIT = 25 * 1024 * 1024
TEXT_LIMIT = 16 * 1024 * 1024
_LINK_SECONDS = 900
_PARAMETER_TYPES = {
    *(
        "STRING",
        "INT",
        "BIGINT",
        "SMALLINT",
        "TINYINT",
        "LONG",
        "SHORT",
        "BYTE",
        "FLOAT",
        "DOUBLE",
        "DECIMAL",
    ),
    *("BOOLEAN", "DATE", "TIMESTAMP", "TIMESTAMP_NTZ", "BINARY", "INTERVAL", "VOID"),
}
_FINISHED = {"SUCCEEDED", "FAILED", "CANCELED", "CLOSED"}


@dataclass(slots=True)
class Statement:
    """One statement.

    Attributes:
        id: UUID.
        text: as sent.
        session: user, default names and parameters.
        disposition: INLINE or EXTERNAL_LINKS.
        format: JSON_ARRAY, ARROW_STREAM or CSV.
        due: when it is finished, on the clock of the workspace.
        row_limit: most rows; None without limit.
        byte_limit: most bytes; None without limit.
        state: PENDING, RUNNING, SUCCEEDED, FAILED, CANCELED or CLOSED.
        polls_left: how many more times it says that it runs.
        failure: why it failed.
        rows: the result.
        chunks: the result in parts.
    """

    id: str
    text: str
    session: Session
    disposition: str
    format: str
    due: datetime
    row_limit: int | None
    byte_limit: int | None
    state: str = "PENDING"
    polls_left: int = 0
    failure: SqlFailure | None = None
    rows: pa.Table = field(default_factory=lambda: pa.table({}))
    chunks: list[pa.Table] = field(default_factory=list[pa.Table])
    truncated: bool = False


class Statements:
    """All statements.

    Attributes:
        seconds: how long a statement runs on the clock of the workspace: a number, or a function of its text.
        polls: how often a statement that nobody waited for says RUNNING before it is done.
        rows_a_chunk: rows of one chunk.
        inline_limit: bytes that INLINE may have.
        fail: texts in a statement → (condition, message): it fails without being run, once per entry.
        all: every statement in order.
    """

    def __init__(self, lake: Lake, clock: Clock, warehouses: Warehouses) -> None:
        self._lake = lake
        self._clock = clock
        self._warehouses = warehouses
        self.seconds: float | Callable[[str], float] = 0.0
        self.polls = 1
        self.rows_a_chunk = 50_000
        self.inline_limit = INLINE_LIMIT
        self.fail: dict[str, tuple[str, str]] = {}
        self.all: dict[str, Statement] = {}
        self._links: dict[str, tuple[bytes, datetime]] = {}

    def add_routes(self, routes: Routes, host: Callable[[], str]) -> None:
        """Adds what the SDK calls, and the open door of the links."""
        root = "/api/2.0/sql/statements"
        routes.add("POST", root, self._execute)
        routes.add("GET", f"{root}/{{id}}", self._get)
        routes.add("GET", f"{root}/{{id}}/result/chunks/{{index}}", self._chunk)
        routes.add("POST", f"{root}/{{id}}/cancel", self._cancel)
        routes.add("GET", "/external-storage/{key}", self._download, is_open=True)
        self._address = host

    def settle(self) -> None:
        """Runs every statement whose time has come, in the order they were sent."""
        for statement in self.all.values():
            if statement.state in {"PENDING", "RUNNING"} and statement.due <= self._clock.now():
                self._run(statement)

    def _run(self, statement: Statement) -> None:
        planned = next((key for key in self.fail if key in statement.text), None)
        try:
            if planned is not None:
                raise SqlFailure(*self.fail.pop(planned))
            rows = self._lake.run(statement.text, statement.session)
            self._keep(statement, rows)
        except SqlFailure as failure:
            statement.state, statement.failure = "FAILED", failure

    def _keep(self, statement: Statement, rows: pa.Table) -> None:
        limit = statement.row_limit
        statement.rows = rows if limit is None else rows.slice(0, limit)
        statement.truncated = limit is not None and rows.num_rows > limit
        if statement.byte_limit is not None and rows.nbytes > statement.byte_limit:
            fitting = int(rows.num_rows * statement.byte_limit / rows.nbytes)
            statement.rows, statement.truncated = statement.rows.slice(0, fitting), True
        if statement.disposition == "INLINE" and statement.rows.nbytes > self.inline_limit:
            raise SqlFailure(
                "RESULT_TOO_LARGE",
                f"Inline byte limit exceeded: results are over {self.inline_limit} bytes.",
                "54000",
            )
        statement.chunks = results.split(statement.rows, self.rows_a_chunk)
        statement.state = "SUCCEEDED"

    def _execute(self, request: Request) -> dict[str, Any]:
        body = request.json()
        _check(body)
        self._warehouses.stopped.discard(self._warehouses.found(body["warehouse_id"]))
        seconds = self.seconds(body["statement"]) if callable(self.seconds) else self.seconds
        wait = _seconds(body.get("wait_timeout", "10s"))
        statement = Statement(
            id=str(uuid.uuid4()),
            text=body["statement"],
            session=_session(body, request.user),
            disposition=body.get("disposition", "INLINE"),
            format=body.get("format", "JSON_ARRAY"),
            due=self._clock.now() + timedelta(seconds=seconds),
            row_limit=body.get("row_limit"),
            byte_limit=body.get("byte_limit"),
        )
        self.all[statement.id] = statement
        if wait and seconds <= wait:
            self._run(statement)
        elif body.get("on_wait_timeout") == "CANCEL":
            statement.state = "CANCELED"
        elif wait:
            statement.state = "RUNNING"
        else:
            statement.polls_left = 1 + self.polls
        return self._seen(statement)

    def _get(self, request: Request) -> dict[str, Any]:
        return self._seen(self._found(request))

    def _found(self, request: Request) -> Statement:
        found = self.all.get(request.params["id"])
        if found is None:
            raise missing(f"The statement {request.params['id']} was not found.")
        return found

    def _seen(self, statement: Statement) -> dict[str, Any]:
        """What a client sees: of a finished statement nothing while it still has to say RUNNING."""
        if statement.polls_left and statement.state != "CANCELED":
            statement.polls_left -= 1
            first = statement.state == "PENDING"
            return {"statement_id": statement.id, "status": {"state": "PENDING" if first else "RUNNING"}}
        if statement.state not in _FINISHED:
            return {"statement_id": statement.id, "status": {"state": statement.state}}
        seen: dict[str, Any] = {"statement_id": statement.id, "status": _status(statement)}
        if statement.state == "SUCCEEDED":
            seen["manifest"] = results.manifest(
                statement.rows, statement.chunks, statement.format, truncated=statement.truncated
            )
            seen["result"] = self._part(statement, 0) if statement.chunks else {}
        return seen

    def _chunk(self, request: Request) -> dict[str, Any]:
        statement, index = self._found(request), int(request.params["index"])
        if statement.state != "SUCCEEDED":
            raise Refused(404, "NOT_FOUND", f"The statement {statement.id} has no result.")
        if not 0 <= index < len(statement.chunks):
            raise invalid(f"Chunk index {index} is out of range [0, {len(statement.chunks)}).")
        return self._part(statement, index)

    def _part(self, statement: Statement, index: int) -> dict[str, Any]:
        chunk = statement.chunks[index]
        part: dict[str, Any] = {
            "chunk_index": index,
            "row_offset": sum(before.num_rows for before in statement.chunks[:index]),
            "row_count": chunk.num_rows,
        }
        if index + 1 < len(statement.chunks):
            part["next_chunk_index"] = index + 1
            part["next_chunk_internal_link"] = (
                f"/api/2.0/sql/statements/{statement.id}/result/chunks/{index + 1}"
            )
        if statement.disposition == "INLINE":
            return {**part, "data_array": results.json_array(chunk)}
        content = results.encoded(chunk, statement.format)
        expires = self._clock.now() + timedelta(seconds=_LINK_SECONDS)
        key = str(uuid.uuid4())
        self._links[key] = (content, expires)
        link = {
            **part,
            "byte_count": len(content),
            "expiration": expires.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "external_link": f"{self._address()}/external-storage/{key}",
        }
        return {"external_links": [link]}

    def _cancel(self, request: Request) -> dict[str, Any]:
        found = self.all.get(request.params["id"])
        if found and found.state not in _FINISHED:
            found.state = "CANCELED"
        return {}

    def _download(self, request: Request) -> Answer:
        """A link of cloud storage: no credentials but its own, and not for long."""
        if "authorization" in request.headers:
            raise Refused(400, "InvalidArgument", "Only one auth mechanism allowed")
        content, expires = self._links.get(request.params["key"], (b"", self._clock.now()))
        if expires <= self._clock.now():
            raise Refused(403, "AccessDenied", "Request has expired")
        return Answer(200, content, content_type="application/octet-stream")


def _status(statement: Statement) -> dict[str, Any]:
    status: dict[str, Any] = {"state": statement.state}
    if statement.failure:
        status["error"] = {"error_code": "BAD_REQUEST", "message": str(statement.failure)}
        status["sql_state"] = statement.failure.sqlstate
    return status


def _check(body: dict[str, Any]) -> None:
    for name in ("statement", "warehouse_id"):
        if not body.get(name):
            raise invalid(f"Missing required field: {name}")
    if len(body["statement"].encode()) > TEXT_LIMIT:
        raise invalid("The statement text is longer than 16 MiB.")
    disposition, format_ = body.get("disposition", "INLINE"), body.get("format", "JSON_ARRAY")
    if disposition not in {"INLINE", "EXTERNAL_LINKS"}:
        raise invalid(f"Unknown disposition {disposition}")
    if format_ not in {"JSON_ARRAY", "ARROW_STREAM", "CSV"}:
        raise invalid(f"Unknown format {format_}")
    if disposition == "INLINE" and format_ != "JSON_ARRAY":
        raise invalid(
            f"The format field must be JSON_ARRAY when the disposition field is INLINE, not {format_}."
        )
    if len(body.get("query_tags") or []) > 20:
        raise invalid("At most 20 query tags are allowed.")
    if body.get("on_wait_timeout", "CONTINUE") not in {"CONTINUE", "CANCEL"}:
        raise invalid(f"Unknown on_wait_timeout {body['on_wait_timeout']}")
    if _seconds(body.get("wait_timeout", "10s")) == 0 and body.get("on_wait_timeout") == "CANCEL":
        raise invalid("on_wait_timeout CANCEL is not supported when wait_timeout is 0s.")


def _seconds(text: str) -> int:
    digits = str(text).removesuffix("s")
    if not digits.isdigit() or not (digits == "0" or 5 <= int(digits) <= 50):
        raise invalid(f"wait_timeout must be 0s or between 5s and 50s, not {text}.")
    return int(digits)


def _session(body: dict[str, Any], user: str) -> Session:
    parameters: dict[str, Parameter] = {}
    for item in body.get("parameters") or []:
        kind = (item.get("type") or "STRING").upper()
        if kind.partition("(")[0] not in _PARAMETER_TYPES:
            raise invalid(f"Parameter type {kind} is not supported.")
        if item.get("value") is not None and not isinstance(item["value"], str):
            raise invalid(f"The value of parameter {item.get('name')} must be a string.")
        parameters[item["name"]] = Parameter(item.get("value"), kind)
    return Session(user, body.get("catalog") or "main", body.get("schema") or "default", parameters)
