"""Who may come in, and what every answer forbids: ASGI middleware around all pages.

A web page of somebody else reaches nothing: not under a name of its own (Host), not from its own origin
(Origin), not by a form (the form's key, which only our pages know). Where other machines may come in they
need the token of the start address, which becomes a cookie.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode, urlsplit

from lakemon_core.domain.errors import UsageError

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOCAL = frozenset({"127.0.0.1", "localhost", "::1"})
SAFE = frozenset({"GET", "HEAD"})
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


@dataclass(frozen=True, slots=True)
class Keys:
    """What opens the door.

    Attributes:
        token: asked for once in the address, where other machines may come in; empty where they may not.
        secret: signs cookies and forms; of this process alone.
    """

    token: str = ""
    secret: bytes = field(default_factory=lambda: secrets.token_bytes(32))

    def sign(self, purpose: str, text: str) -> str:
        """Returns a short signature."""
        return hmac.new(self.secret, f"{purpose}:{text}".encode(), "sha256").hexdigest()[:40]

    def is_token(self, given: str) -> bool:
        """Whether this is the token."""
        return bool(self.token) and hmac.compare_digest(given.encode(), self.token.encode())


@dataclass(frozen=True, slots=True)
class Visitor:
    """A browser: its id, and the key that its forms carry."""

    id: str
    form_key: str


class Door:
    """Refuses what should not come in before anything is read.

    `scope["lakemon_visitor"]` holds the `Visitor` of a request.

    Args:
        app: what lies behind it.
        keys: what opens it.
        refuse: makes the answer to a request that may not come in.
    """

    def __init__(self, app: ASGIApp, keys: Keys, refuse: Callable[[Request, UsageError], Response]) -> None:
        self._app = app
        self._keys = keys
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Lets a request pass, or refuses it."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        cookie = f"lakemon_ui_{urlsplit('//' + headers.get('host', '')).netloc.rpartition(':')[2] or 80}"
        known = self._known(headers.get("cookie", ""), cookie)
        fields = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        given = dict(fields).get("token", "")
        enters = not known and (not self._keys.token or self._keys.is_token(given))
        visitor = known or (secrets.token_urlsafe(18) if enters else "")
        refusal = self._refusal(scope["method"], headers, visitor)
        scope["lakemon_visitor"] = Visitor(visitor, self._keys.sign("form", visitor))
        added = dict(HEADERS)
        if refusal is not None:
            from starlette.requests import Request

            answer = self._refuse(Request(scope), refusal)
            await answer(scope, receive, _adding(send, added))
            return
        if enters:
            path = scope.get("root_path", "") or "/"
            value = f"{visitor}.{self._keys.sign('visitor', visitor)}"
            added["set-cookie"] = f"{cookie}={value}; Path={path}; HttpOnly; SameSite=Lax"
        if given and scope["method"] in SAFE:
            rest = urlencode([(name, value) for name, value in fields if name != "token"])
            added["location"] = f"/{scope['path'].lstrip('/')}{'?' + rest if rest else ''}"
            await _moved(send, added)
            return
        await self._app(scope, receive, _adding(send, added))

    def _known(self, header: str, name: str) -> str:
        """Returns the id in a cookie that this process signed, else an empty text."""
        try:
            found = SimpleCookie(header).get(name)
        except CookieError:
            return ""
        visitor, _, signature = found.value.rpartition(".") if found else ("", "", "")
        good = hmac.compare_digest(signature.encode(), self._keys.sign("visitor", visitor).encode())
        return visitor if visitor and good else ""

    def _refusal(self, method: str, headers: dict[str, str], visitor: str) -> UsageError | None:
        host, origin = headers.get("host", ""), headers.get("origin", "")
        if not self._keys.token and _name(host) not in LOCAL:
            what = f"this dashboard is not served as {host[:80]!r};"
            return UsageError("LM193", what, cure="open the address that `lakemon ui` printed.")
        if not visitor:
            cure = "open the address that `lakemon ui` printed, with its token, once in this browser."
            return UsageError("LM192", "this browser has not shown the token;", cure=cure)
        foreign = origin.partition("://")[2] != host if origin else False
        unsaid = method not in SAFE and not origin and headers.get("sec-fetch-site") != "same-origin"
        if foreign or unsaid:
            what = "a request of another web page is not answered;"
            return UsageError("LM193", what, cure="use the forms of this dashboard.")
        return None


def _name(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _adding(send: Send, headers: dict[str, str]) -> Send:
    """Returns a `send` that adds headers, those that an answer has itself left alone."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            there = {name.lower() for name, _ in message["headers"]}
            message["headers"] = [*message["headers"], *_raw(headers, there)]
        await send(message)

    return sending


def _raw(headers: dict[str, str], there: set[bytes]) -> list[tuple[bytes, bytes]]:
    pairs = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    return [(name, value) for name, value in pairs if name not in there]


async def _moved(send: Send, headers: dict[str, str]) -> None:
    raw = _raw(headers | {"content-length": "0", "cache-control": "no-store"}, set())
    await send({"type": "http.response.start", "status": 303, "headers": raw})
    await send({"type": "http.response.body", "body": b""})
