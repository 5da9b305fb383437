"""The routes of the model server: Databricks' scoring and serving-endpoints API, health and metrics."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import sqlite3
import time
import uuid
from collections import Counter
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route

from lakemon_core.domain.errors import LakemonError
from lakemon_local.serving.endpoint_json import error_json
from lakemon_local.serving.server.config_json import endpoint_json, read_payload, read_wanted
from lakemon_local.serving.server.control import Control, Live
from lakemon_local.serving.server.door import Door, Keys
from lakemon_local.serving.server.page import HEADERS, page
from lakemon_local.serving.server.wire import (
    MAX_BODY_BYTES,
    Refused,
    bad_request,
    no_endpoint,
    read_request,
    too_large,
)
from lakemon_local.serving.spool import LoggedCall, Mover, Spool

MAX_LOGGED_BYTES = 1024 * 1024
"""Requests and responses over this size are logged as NULL, as Databricks does."""
BODY_SECONDS = 60.0
"""A body must have arrived within this time."""
_JSON = "application/json"
_ENDPOINT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Service:
    """What the routes work with.

    Attributes:
        control: the endpoints.
        spool: where requests go before they are answered.
        mover: takes them on to the lake.
        keys: what opens the door.
        identity: pid, start and workspace, by which a `lakemon` call knows its server again.
        answered: how many requests were answered, by endpoint and status.
    """

    control: Control
    spool: Spool
    mover: Mover
    keys: Keys
    identity: Mapping[str, object]
    answered: Counter[tuple[str, int]] = field(default_factory=Counter[tuple[str, int]])


@dataclass(frozen=True, slots=True)
class _Answer:
    """What a request is answered with, and of the request what will be logged.

    `unread` says why its body was not read; empty when it was.
    """

    status: int
    body: str
    request: str = ""
    unread: str = ""
    milliseconds: int = 0
    client_request_id: str | None = None


def make_app(service: Service, web_apps: Sequence[Mount] = ()) -> Starlette:
    """Returns the application; leaving it moves what is spooled and closes the spool.

    Args:
        service: what the routes work with.
        web_apps: pages of others, which look after the token themselves.
    """

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncGenerator[None]:
        service.mover.start()
        await run_in_threadpool(service.control.resume)
        yield
        await run_in_threadpool(service.mover.stop)
        await run_in_threadpool(service.spool.close)

    routes = _Routes(service, [one.path for one in web_apps])
    endpoints = "/api/2.0/serving-endpoints"
    return Starlette(
        routes=[
            Route("/serving-endpoints/{name}/invocations", routes.invoke, methods=["POST"]),
            Route(endpoints, routes.list_or_create, methods=["GET", "POST"]),
            Route(endpoints + "/", routes.list_or_create, methods=["GET", "POST"]),
            Route(endpoints + "/{name}", routes.get_or_delete, methods=["GET", "DELETE"]),
            Route(endpoints + "/{name}/config", routes.configure, methods=["PUT"]),
            Route(endpoints + "/{name}/ai-gateway", routes.log_to, methods=["PUT"]),
            Route("/api/2.0/lakemon/flush", routes.flush, methods=["POST"]),
            Route("/.well-known/databricks-config", routes.well_known),
            Route("/", routes.page),
            Route("/health", routes.health),
            Route("/metrics", routes.metrics),
            *web_apps,
        ],
        middleware=[Middleware(Door, keys=service.keys, with_own_door=[one.path for one in web_apps])],
        exception_handlers={
            Refused: _refused,
            LakemonError: _failed,
            HTTPException: _no_route,
            Exception: _broken,
        },
        lifespan=lifespan,
    )


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return Response(error.body(), error.status, media_type=_JSON)


async def _failed(_: Request, error: Exception) -> Response:
    assert isinstance(error, LakemonError)
    body = {"error_code": "INVALID_STATE", "message": str(error), "lakemon": error_json(error)}
    return JSONResponse(body, 400)


async def _no_route(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    message = f"No API found for '{request.method} {request.url.path}'"
    return JSONResponse({"error_code": "ENDPOINT_NOT_FOUND", "message": message}, error.status_code)


async def _broken(_: Request, error: Exception) -> Response:
    message = f"The model server has a fault: {error!r}"
    return JSONResponse({"error_code": "INTERNAL_ERROR", "message": message}, 500)


class _Routes:
    def __init__(self, service: Service, pages: Sequence[str]) -> None:
        self._service = service
        self._pages = pages

    async def invoke(self, request: Request) -> Response:
        """Scores a request, and answers it after it lies in the spool."""
        name = request.path_params["name"]
        live = self._service.control.find(name)
        if live is None:
            raise no_endpoint(name)
        arrived = time.time_ns() // 1000
        try:
            raw = await _read_body(request)
            answer = await run_in_threadpool(_answer, live, raw, request.headers.get("content-type", ""))
        except Refused as refused:
            answer = _Answer(refused.status, refused.body(), unread=refused.error_code)
        request_id = str(uuid.uuid4())
        if live.endpoint.payload is not None and live.loaded is not None:
            answer = await self._keep(live, _logged(live, request_id, arrived, answer), answer)
        self._service.answered[name, answer.status] += 1
        return Response(answer.body, answer.status, _headers(live, request_id), media_type=_JSON)

    async def _keep(self, live: Live, call: LoggedCall, answer: _Answer) -> _Answer:
        """Waits until the call is on the disk; an answer that is not logged is no answer."""
        assert live.endpoint.payload is not None
        try:
            await asyncio.wrap_future(self._service.spool.put(live.endpoint.payload, call))
        except sqlite3.Error as error:
            _log.exception("a request could not be logged")
            message = f"The request could not be logged and is not answered: {error}"
            return _Answer(503, Refused(503, "TEMPORARILY_UNAVAILABLE", message).body())
        return answer

    async def list_or_create(self, request: Request) -> Response:
        """Lists all endpoints, or makes one."""
        control = self._service.control
        if request.method == "GET":
            return JSONResponse({"endpoints": [endpoint_json(live) for live in self._endpoints()]})
        body = await _json(request)
        name = str(body.get("name"))
        if not _ENDPOINT_NAME.fullmatch(name):
            raise bad_request(f"Endpoint name '{name}' must be 1 to 63 letters, digits, - or _.")
        wanted = read_wanted(body.get("config"), body.get("lakemon"))
        payload = read_payload(body.get("ai_gateway"))
        await run_in_threadpool(control.create, name, wanted, payload)
        return self._state_of(name)

    async def get_or_delete(self, request: Request) -> Response:
        """Describes an endpoint, or removes it."""
        name = request.path_params["name"]
        if request.method == "GET":
            return self._state_of(name)
        await run_in_threadpool(self._service.control.delete, name)
        return JSONResponse({})

    async def configure(self, request: Request) -> Response:
        """Begins to serve another version."""
        name = request.path_params["name"]
        body = await _json(request)
        wanted = read_wanted(body, body.get("lakemon"))
        await run_in_threadpool(self._service.control.configure, name, wanted)
        return self._state_of(name)

    async def log_to(self, request: Request) -> Response:
        """Sets the payload table."""
        body = await _json(request)
        payload = read_payload(body)
        await run_in_threadpool(self._service.control.log_to, request.path_params["name"], payload)
        return JSONResponse(body)

    async def flush(self, _: Request) -> Response:
        """Moves what is spooled to the payload tables before it answers."""
        await run_in_threadpool(self._service.mover.flush)
        return JSONResponse({"moved": self._service.mover.moved})

    async def well_known(self, _: Request) -> Response:
        """Tells the SDK that there is nothing to discover."""
        return JSONResponse({})

    async def health(self, _: Request) -> Response:
        """Says who this is and how it is."""
        mover = self._service.mover
        health = {"status": "ok", **self._service.identity, "last_error": mover.last_error}
        return JSONResponse(health)

    async def metrics(self, _: Request) -> Response:
        """Counters in Prometheus' text format."""
        waiting = await run_in_threadpool(self._service.spool.waiting)
        return PlainTextResponse(_metrics(self._service, waiting))

    async def page(self, _: Request) -> Response:
        """Shows people what is served."""
        waiting = await run_in_threadpool(self._service.spool.waiting)
        mover = self._service.mover
        facts = {
            "Requests on their way to the tables": waiting,
            "Last error of a table": mover.last_error or "none",
        }
        html = page(
            self._endpoints(), self._service.answered, {**facts, **self._service.identity}, self._pages
        )
        return HTMLResponse(html, headers=HEADERS)

    def _endpoints(self) -> list[Live]:
        control = self._service.control
        found = [control.find(name) for name in control.names()]
        return [live for live in found if live is not None]

    def _state_of(self, name: str) -> Response:
        live = self._service.control.find(name)
        if live is None:
            raise no_endpoint(name)
        return JSONResponse(endpoint_json(live))


def _answer(live: Live, raw: bytes, content_type: str) -> _Answer:
    """Scores a body; whatever is wrong with it becomes an answer with its status."""
    if live.loaded is None:
        message = f"Endpoint {live.endpoint.name} is not ready: {live.error or live.update}"
        return _Answer(503, Refused(503, "TEMPORARILY_UNAVAILABLE", message).body())
    client_request_id: str | None = None
    started = time.perf_counter()
    try:
        request = read_request(raw, content_type)
        client_request_id = request.client_request_id
        started = time.perf_counter()
        status, body = 200, live.loaded.score(request.body)
    except Refused as refused:
        status, body = refused.status, refused.body()
    return _Answer(
        status,
        body,
        request=raw.decode("utf-8", "replace") if len(raw) <= MAX_LOGGED_BYTES else "",
        unread="" if len(raw) <= MAX_LOGGED_BYTES else "MAX_REQUEST_SIZE_EXCEEDED",
        milliseconds=round((time.perf_counter() - started) * 1000),
        client_request_id=client_request_id,
    )


def _logged(live: Live, request_id: str, arrived: int, answer: _Answer) -> LoggedCall:
    large = len(answer.body.encode()) > MAX_LOGGED_BYTES
    missing = [answer.unread, "MAX_RESPONSE_SIZE_EXCEEDED" if large else ""]
    return LoggedCall(
        databricks_request_id=request_id,
        client_request_id=answer.client_request_id,
        request_time=arrived,
        status_code=answer.status,
        execution_duration_ms=answer.milliseconds,
        request=None if answer.unread else answer.request,
        response=None if large else answer.body,
        logging_error_codes=json.dumps([code for code in missing if code]),
        served_entity_id=live.endpoint.current.id if live.endpoint.current else None,
    )


def _headers(live: Live, request_id: str) -> dict[str, str]:
    entity = live.endpoint.current
    named = {"served-model-name": entity.name, "lakemon-model-version": entity.version} if entity else {}
    return {"databricks-request-id": request_id, **named}


async def _read_body(request: Request) -> bytes:
    """Reads the body, never keeping more than the limit.

    Raises:
        Refused: 408, 413 or 499 when it is late, too large or never ends.
    """
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for part in request.stream():
                size += len(part)
                if size <= MAX_BODY_BYTES:
                    parts.append(part)
    except TimeoutError as error:
        raise Refused(408, "DEADLINE_EXCEEDED", "The body did not arrive in time.") from error
    except ClientDisconnect as error:
        raise Refused(499, "CANCELLED", "The client went away before its body had arrived.") from error
    if size > MAX_BODY_BYTES:
        raise too_large()
    return b"".join(parts)


async def _json(request: Request) -> dict[str, Any]:
    raw = await _read_body(request)
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise bad_request("The body is not JSON.") from error
    if not isinstance(body, dict):
        raise bad_request("The body must be a JSON object.")
    return body


def _metrics(service: Service, waiting: int) -> str:
    answered = [
        f'lakemon_requests_total{{endpoint="{name}",status="{status}"}} {count}'
        for (name, status), count in sorted(service.answered.items())
    ]
    lines = [
        "# TYPE lakemon_requests_total counter",
        *answered,
        "# TYPE lakemon_spooled_requests gauge",
        f"lakemon_spooled_requests {waiting}",
        "# TYPE lakemon_moved_requests_total counter",
        f"lakemon_moved_requests_total {service.mover.moved}",
        "# TYPE lakemon_move_failures_total counter",
        f"lakemon_move_failures_total {service.mover.failures}",
    ]
    return "\n".join(lines) + "\n"
