"""Who may come in: requests for this machine, from no other web page, with the token where one is set."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.responses import Response

from lakemon_local.serving.server.wire import Refused

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

_LOCAL = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True, slots=True)
class Keys:
    """What opens the door.

    Attributes:
        key: lets change endpoints; lies in the state file, readable by its owner only.
        token: asked for every request when it is set.
        host: name the server listens on, beside the local ones.
    """

    key: str
    token: str
    host: str


class Door:
    """ASGI middleware that refuses what should not come in, before anything is read.

    A web page cannot reach the server through a name of its own (DNS rebinding: the Host header) nor from its
    own origin (the Origin header), and nobody without the key can have a model loaded.
    """

    def __init__(self, app: ASGIApp, keys: Keys) -> None:
        self._app = app
        self._keys = keys
        self._hosts = _LOCAL | {keys.host}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Lets the request pass or answers 401 or 403."""
        refused = self._refusal(scope) if scope["type"] == "http" else None
        if refused is None:
            await self._app(scope, receive, send)
            return
        response = Response(refused.body(), refused.status, media_type="application/json")
        await response(scope, receive, send)

    def _refusal(self, scope: Scope) -> Refused | None:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        host = _host_of(headers.get("host", ""))
        if host not in self._hosts:
            return Refused(403, "PERMISSION_DENIED", f"Host '{host}' is not served here.")
        origin = headers.get("origin", "")
        if origin and _host_of(urlsplit(origin).netloc) not in self._hosts:
            return Refused(403, "PERMISSION_DENIED", "Requests of other web pages are not answered.")
        if not self._allowed(scope, headers.get("authorization", "").removeprefix("Bearer ")):
            return Refused(401, "UNAUTHENTICATED", "A valid bearer token is needed.")
        return None

    def _allowed(self, scope: Scope, given: str) -> bool:
        changes = scope["path"].startswith("/api/") and scope["method"] != "GET"
        if scope["path"] == "/health" or not (changes or self._keys.token):
            return True
        valid = [self._keys.key, *([self._keys.token] if self._keys.token else [])]
        return any(hmac.compare_digest(given.encode(), known.encode()) for known in valid)


def _host_of(netloc: str) -> str:
    try:
        return urlsplit(f"//{netloc}").hostname or ""
    except ValueError:
        return ""
