"""Invocations, and the payload tables in which they are found later, twice, or never."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NoReturn

import pyarrow as pa
from fakes.databricks.clock import Clock
from fakes.databricks.lake import Lake
from fakes.databricks.registry import Models
from fakes.databricks.web.messages import Answer, Refused, Request
from fakes.databricks.web.routing import Routes

from . import rules
from .endpoint import Endpoint
from .endpoints import Serving, payload_name

FORMATS = ("dataframe_split", "dataframe_records", "instances", "inputs")
LARGEST_REQUEST = 16 * 1024 * 1024
LARGEST_LOGGED = 1024 * 1024
SCHEMA = pa.schema(
    [
        ("databricks_request_id", pa.string()),
        ("request_date", pa.date32()),
        ("client_request_id", pa.string()),
        ("request_time", pa.timestamp("us", "UTC")),
        ("status_code", pa.int32()),
        ("sampling_fraction", pa.float64()),
        ("execution_duration_ms", pa.int64()),
        ("request", pa.string()),
        ("response", pa.string()),
        ("logging_error_codes", pa.list_(pa.string())),
        ("served_entity_id", pa.string()),
        ("requester", pa.string()),
    ]
)
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _OnItsWay:
    table: str
    owner: str
    row: Row
    due: datetime


class Payloads:
    """Answers invocations and delivers what was asked and answered.

    Attributes:
        delivers: says of a payload row after how many seconds it lands, each number one copy: `[0.0]` now,
            `[]` never, `[60.0, 90.0]` twice.
    """

    def __init__(self, lake: Lake, clock: Clock, models: Models, serving: Serving) -> None:
        self._lake = lake
        self._clock = clock
        self._models = models
        self._serving = serving
        self._on_their_way: list[_OnItsWay] = []
        self._made: set[str] = set()
        self.delivers: Callable[[Row], Sequence[float]] = lambda row: [0.0]

    def add_routes(self, routes: Routes) -> None:
        """Adds the scoring door."""
        routes.add("POST", "/serving-endpoints/{name}/invocations", self._invoke)

    def settle(self) -> None:
        """Writes the rows whose time has come; the first one makes its table."""
        now = self._clock.now()
        landed = [found for found in self._on_their_way if found.due <= now]
        self._on_their_way = [found for found in self._on_their_way if found.due > now]
        for table in dict.fromkeys(found.table for found in landed):
            self._write(table, [found for found in landed if found.table == table])

    def _write(self, table: str, landed: list[_OnItsWay]) -> None:
        """Writes to a table that is as Databricks made it; a dropped one gets no more rows."""
        metastore = self._lake.metastore
        is_there = table in metastore.tables
        if table.rpartition(".")[0] not in metastore.schemas or (table in self._made and not is_there):
            return
        self._made.add(table)
        written = self._lake.write(
            table, pa.Table.from_pylist([found.row for found in landed], schema=SCHEMA)
        )
        if not is_there:
            written.owner = landed[0].owner

    def _invoke(self, request: Request) -> Answer:
        endpoint = self._serving.demanded(request, "CAN_QUERY")
        if endpoint.serving is None:
            raise Refused(400, "INVALID_STATE", f"Endpoint {endpoint.name} is not ready.")
        if len(request.body) > LARGEST_REQUEST:
            raise Refused(413, "MAX_REQUEST_SIZE_EXCEEDED", "The request is larger than 16 MB.")
        request_id = str(uuid.uuid4())
        entity = endpoint.next_entity()
        try:
            answer = self._score(endpoint, entity, request)
        except Refused as refused:
            answer = refused.answer()
        headers = {"served-model-name": entity, "databricks-request-id": request_id}
        self._log(endpoint, entity, request, answer, request_id)
        return Answer(answer.status, answer.body, headers)

    def _score(self, endpoint: Endpoint, entity: str, request: Request) -> Answer:
        assert endpoint.serving
        body = _body(request.body)
        given = [name for name in FORMATS if name in body]
        if len(given) != 1:
            raise _bad(
                "Invalid input. The input must be a JSON dictionary with exactly one of the input fields"
                f" {FORMATS}."
            )
        served = endpoint.serving.entity(entity)
        predict = self._models.scorer(served["entity_name"], served["entity_version"])
        try:
            predictions = predict(_records(given[0], body[given[0]]))
        except Exception as error:
            raise _bad(f"Encountered an unexpected error while evaluating the model: {error}") from error
        return Answer.of({"predictions": predictions})

    def _log(
        self, endpoint: Endpoint, entity: str, request: Request, answer: Answer, request_id: str
    ) -> None:
        table = rules.check_gateway(endpoint.gateway)
        if table is None:
            return
        assert endpoint.serving
        now = self._clock.now()
        asked, answered = _logged(request.body), _logged(answer.body)
        too_large = {"MAX_REQUEST_SIZE_EXCEEDED": asked, "MAX_RESPONSE_SIZE_EXCEEDED": answered}
        row: Row = {
            "databricks_request_id": request_id,
            "request_date": now.date(),
            "client_request_id": _client_request_id(request.body),
            "request_time": now,
            "status_code": answer.status,
            "sampling_fraction": 1.0,
            "execution_duration_ms": 3,
            "request": asked,
            "response": answered,
            "logging_error_codes": [code for code, text in too_large.items() if text is None],
            "served_entity_id": endpoint.serving.ids[entity],
            "requester": request.user,
        }
        name = payload_name(endpoint.name, table)
        for seconds in self.delivers(row):
            due = now + timedelta(seconds=seconds)
            self._on_their_way.append(_OnItsWay(name, endpoint.creator, row, due))


def _logged(body: bytes) -> str | None:
    return None if len(body) > LARGEST_LOGGED else body.decode(errors="replace")


def _bad(message: str) -> Refused:
    return Refused(400, "BAD_REQUEST", message)


def _body(raw: bytes) -> dict[str, Any]:
    try:
        body = json.loads(raw, parse_constant=_refuse)
    except ValueError as error:
        raise _bad(f"Failed to parse input from JSON. Ensure that input is valid JSON: {error}") from error
    if not isinstance(body, dict):
        raise _bad("Invalid input. The input must be a JSON dictionary.")
    return body


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _client_request_id(raw: bytes) -> str | None:
    try:
        found = json.loads(raw).get("client_request_id")
    except (ValueError, AttributeError):
        return None
    return found if isinstance(found, str) else None


def _records(kind: str, given: Any) -> list[Any]:
    """Returns the rows of a request: dicts where there are names, else the values as they are."""
    if kind == "dataframe_split":
        return [dict(zip(given["columns"], row, strict=True)) for row in given["data"]]
    if kind == "inputs" and isinstance(given, dict):
        return [dict(zip(given, row, strict=True)) for row in zip(*given.values(), strict=True)]
    return list(given)
