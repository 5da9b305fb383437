"""Talks to the model server of this machine over HTTP, without proxies and with a deadline."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from lakemon_core.domain.errors import DataError, LakemonError, ModelError
from lakemon_local.serving.endpoint_json import mapping
from lakemon_local.serving.process import Running

API = "/api/2.0/serving-endpoints"
_FAMILIES: Mapping[str, type[LakemonError]] = {"LM3": DataError}


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: HTTP status, headers in lower case, and the body as text."""

    status: int
    headers: Mapping[str, str]
    body: str

    def json(self) -> dict[str, Any]:
        """Returns the body as a JSON object; an empty one where it is none."""
        try:
            found = json.loads(self.body)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def message(self) -> str:
        """What went wrong, in the server's words."""
        found = self.json()
        return str(found.get("message") or self.body[:500])


class Client:
    """One server.

    Args:
        server: which.
        token: sent with scoring requests, where the server asks for one.
    """

    def __init__(self, server: Running, token: str = "") -> None:
        self.server = server
        self._token = token

    def health(self, seconds: float) -> bool:
        """Whether the server answers within this time, and is the one that was looked for."""
        try:
            found = self._send("GET", "/health", None, seconds).json()
        except (OSError, http.client.HTTPException):
            return False
        return found.get("pid") == self.server.pid and (
            found.get("started_at") == self.server.started_at.isoformat()
        )

    def get(self, name: str) -> dict[str, Any] | None:
        """Returns an endpoint as the server describes it, or None.

        Raises:
            ModelError: LM415 when the server does not answer.
        """
        reply = self.call("GET", endpoint_path(name))
        return None if reply.status == 404 else reply.json()

    def change(self, method: str, path: str, body: Mapping[str, Any]) -> Reply:
        """Changes an endpoint.

        Raises:
            LakemonError: what the server says went wrong.
        """
        reply = self.call(method, path, body)
        if reply.status >= 400:
            told = mapping(reply.json().get("lakemon"))
            raise error_of(told or {"code": "LM416", "what": f"the server refused: {reply.message}"})
        return reply

    def flush(self) -> None:
        """Has the server move what is spooled into the payload tables.

        Raises:
            LakemonError: what the server says went wrong.
        """
        self.change("POST", "/api/2.0/lakemon/flush", {})

    def call(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, seconds: float = 120.0
    ) -> Reply:
        """Sends one request.

        Raises:
            ModelError: LM415 when the server does not answer, LM417 for a body that is not JSON.
        """
        content = None if body is None else _encoded(body)
        try:
            return self._send(method, path, content, seconds)
        except (OSError, http.client.HTTPException) as error:
            raise ModelError(
                "LM415",
                f"the model server at {self.server.url} does not answer: {error};",
                cure="see its log with `lakemon status`, or start it again with `lakemon deploy`.",
            ) from error

    def _send(self, method: str, path: str, content: bytes | None, seconds: float) -> Reply:
        connection = http.client.HTTPConnection(self.server.host, self.server.port, timeout=seconds)
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self._bearer(path)}"}
        try:
            connection.request(method, path, content, headers)
            answer = connection.getresponse()
            text = answer.read().decode("utf-8", "replace")
            return Reply(answer.status, {name.lower(): value for name, value in answer.getheaders()}, text)
        finally:
            connection.close()

    def _bearer(self, path: str) -> str:
        return self.server.key if path.startswith("/api/") else self._token or self.server.key


def _encoded(body: Mapping[str, Any]) -> bytes:
    try:
        return json.dumps(body, allow_nan=False).encode()
    except (ValueError, TypeError) as error:
        raise ModelError(
            "LM417",
            f"the request cannot be sent as JSON: {error};",
            cure="use None for NaN, and plain numbers, text and booleans.",
        ) from error


def endpoint_path(name: str, part: str = "") -> str:
    """Returns the path of an endpoint in the control API."""
    return "/".join(piece for piece in (API, quote(name, safe=""), part) if piece)


def error_of(told: Mapping[str, Any]) -> LakemonError:
    """Returns an error as the server raised it."""
    family = _FAMILIES.get(str(told["code"])[:3], ModelError)
    return family(told["code"], told["what"], where=told.get("where", ""), cure=told.get("cure", ""))
