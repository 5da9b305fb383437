"""Who may come in: requests for this machine, from no other web page, with the token where one is set."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
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
    """

    key: str
    token: str


class Door:
    """ASGI middleware that refuses what should not come in, before anything is read.

    A web page cannot reach the server through a name of its own (DNS rebinding: the Host header) nor from its
    own origin (the Origin header), and nobody without the key can have a model loaded. Where a token is asked
    for, other machines may come in by whatever name they know: a page that lacks the token learns nothing.

    Paths `with_own_door` are those of pages, which a browser cannot send a bearer token to: they ask for it
    themselves.
    """

    def __init__(self, app: ASGIApp, keys: Keys, with_own_door: Sequence[str] = ()) -> None:
        self._app = app
        self._keys = keys
        self._own = tuple(f"{path}/" for path in with_own_door)

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
        if not self._allowed(scope, headers.get("authorization", "").removeprefix("Bearer ")):
            return Refused(401, "UNAUTHENTICATED", "A valid bearer token is needed.")
        if self._keys.token:
            return None
        host, origin = _host_of(headers.get("host", "")), headers.get("origin", "")
        if host not in _LOCAL:
            return Refused(403, "PERMISSION_DENIED", f"Host '{host}' is not served here.")
        if origin and _host_of(_netloc(origin)) not in _LOCAL:
            return Refused(403, "PERMISSION_DENIED", "Requests of other web pages are not answered.")
        return None

    def _allowed(self, scope: Scope, given: str) -> bool:
        changes = scope["path"].startswith("/api/") and scope["method"] != "GET"
        passes = scope["path"] == "/health" or f"{scope['path']}/".startswith(self._own)
        if passes or not (changes or self._keys.token):
            return True
        valid = [self._keys.key, *([self._keys.token] if self._keys.token else [])]
        return any(hmac.compare_digest(given.encode(), known.encode()) for known in valid)


def _host_of(netloc: str) -> str:
    try:
        return urlsplit(f"//{netloc}").hostname or ""
    except ValueError:
        return ""


def _netloc(origin: str) -> str:
    return origin.partition("://")[2]
