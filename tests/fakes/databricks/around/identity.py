"""Who asks: personal tokens, service principals (OAuth), workload identity (OIDC), host metadata."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

from fakes.databricks.clock import Clock
from fakes.databricks.web.messages import Answer, Refused, Request
from fakes.databricks.web.routing import Routes

OWNER = "owner@example.com"
WORKSPACE_ID = "4711471147114711"
ACCOUNT_ID = "11111111-2222-3333-4444-555555555555"


@dataclass(slots=True)
class _Token:
    user: str
    expires: datetime | None = None


class Identity:
    """Users and their tokens.

    Attributes:
        token: the personal token of the workspace's owner.
        token_seconds: how long an OAuth token lives on the clock of the workspace.
        trusted_subjects: `sub` of an OIDC token → service principal that it may become.
        service_principals: client id → secret.
    """

    def __init__(self, clock: Clock, groups_of: Callable[[str], list[str]]) -> None:
        self._clock = clock
        self._groups_of = groups_of
        self.token = "dapi-fake-owner-token"
        self._tokens: dict[str, _Token] = {self.token: _Token(OWNER)}
        self.token_seconds = 3600
        self.trusted_subjects: dict[str, str] = {}
        self.service_principals: dict[str, str] = {}

    def new_token(self, user: str) -> str:
        """Returns a personal token of a user."""
        token = f"dapi-{uuid.uuid4().hex}"
        self._tokens[token] = _Token(user)
        return token

    def revoke(self, token: str) -> None:
        """Makes a token worthless."""
        self._tokens.pop(token, None)

    def user_of(self, request: Request) -> str:
        """Returns who asks.

        Raises:
            Refused: 401 without or with an expired token, 403 with one that is not known.
        """
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer" or not token:
            raise Refused(
                401, "UNAUTHENTICATED", "Credential was not sent or was of an unsupported type for this API."
            )
        known = self._tokens.get(token)
        if known is None:
            raise Refused(403, "PERMISSION_DENIED", "Invalid access token.")
        if known.expires and known.expires <= self._clock.now():
            raise Refused(401, "UNAUTHENTICATED", "Token is expired or revoked.")
        return known.user

    def add_routes(self, routes: Routes) -> None:
        """Adds host metadata, the token end points and the current user."""
        routes.add("GET", "/.well-known/databricks-config", self._metadata, is_open=True)
        for discovery in (
            "/oidc/.well-known/oauth-authorization-server",
            "/oidc/.well-known/openid-configuration",
        ):
            routes.add("GET", discovery, self._discovery, is_open=True)
        routes.add("POST", "/oidc/v1/token", self._issue, is_open=True)
        routes.add("GET", "/aad/auth", self._azure, is_open=True)
        routes.add("POST", "/{tenant}/oauth2/token", self._issue, is_open=True)
        routes.add("POST", "/{tenant}/oauth2/v2.0/token", self._issue, is_open=True)
        routes.add("GET", "/api/2.0/preview/scim/v2/Me", self._me)

    def _host(self, request: Request) -> str:
        return f"http://{request.headers['host']}"

    def _metadata(self, request: Request) -> dict[str, Any]:
        return {
            "oidc_endpoint": f"{self._host(request)}/oidc",
            "account_id": ACCOUNT_ID,
            "workspace_id": WORKSPACE_ID,
            "cloud": "Azure",
        }

    def _discovery(self, request: Request) -> dict[str, Any]:
        root = f"{self._host(request)}/oidc"
        return {
            "issuer": root,
            "authorization_endpoint": f"{root}/v1/authorize",
            "token_endpoint": f"{root}/v1/token",
        }

    def _azure(self, request: Request) -> Answer:
        target = f"{self._host(request)}/fake-tenant/oauth2/authorize"
        return Answer(302, b"", {"Location": target})

    def _issue(self, request: Request) -> dict[str, Any]:
        form = dict(parse_qsl(request.body.decode()))
        # Databricks takes a CI system's token as `subject_token`, Microsoft as `client_assertion`.
        assertion = form.get("subject_token") or form.get("client_assertion")
        user = self._federated(form, assertion) if assertion else self._by_secret(form, request)
        token = f"oauth-{uuid.uuid4().hex}"
        expires = self._clock.now() + timedelta(seconds=self.token_seconds)
        self._tokens[token] = _Token(user, expires)
        return {
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": self.token_seconds,
            "expires_on": str(int(expires.timestamp())),
            "scope": "all-apis",
        }

    def _by_secret(self, form: dict[str, str], request: Request) -> str:
        given = form.get("client_id"), form.get("client_secret")
        basic = request.headers.get("authorization", "")
        if basic.lower().startswith("basic "):
            given = tuple(base64.b64decode(basic[6:]).decode().split(":", 1))
        if given[0] not in self.service_principals or self.service_principals[given[0]] != given[1]:
            raise _refused_client("Client authentication failed")
        return str(given[0])

    def _federated(self, form: dict[str, str], assertion: str) -> str:
        try:
            part = assertion.split(".")[1]
            claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
        except (IndexError, ValueError) as error:
            raise _refused_client("The subject token is no JWT") from error
        principal = self.trusted_subjects.get(str(claims.get("sub")))
        if principal is None or form.get("client_id") not in {None, principal}:
            raise _refused_client(f"No federation policy matches the subject {claims.get('sub')!r}")
        return principal

    def _me(self, request: Request) -> dict[str, Any]:
        key = str(int(uuid.uuid5(uuid.NAMESPACE_DNS, request.user)) % 10**15)
        return {
            "id": key,
            "userName": request.user,
            "displayName": request.user,
            "active": True,
            "groups": [{"display": group, "type": "direct"} for group in self._groups_of(request.user)],
            "emails": [{"value": request.user, "primary": True}],
        }


class _OAuthRefused(Refused):
    def answer(self) -> Answer:
        return Answer.of({"error": self.error_code, "error_description": self.message}, self.status)


def _refused_client(message: str) -> Refused:
    return _OAuthRefused(401, "invalid_client", message)
