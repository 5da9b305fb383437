"""Secret scopes: what stands in them, by scope and key."""

from __future__ import annotations

import base64
from typing import Any

from fakes.databricks.clock import Clock
from fakes.databricks.web.messages import Refused, Request, missing
from fakes.databricks.web.routing import Routes

Json = dict[str, Any]


class Secrets:
    """Secrets of the workspace.

    Attributes:
        scopes: scope → key → value.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._updated: dict[tuple[str, str], int] = {}
        self.scopes: dict[str, dict[str, str]] = {}

    def put(self, scope: str, key: str, value: str) -> None:
        """Stores a secret; its scope is made."""
        self.scopes.setdefault(scope, {})[key] = value
        self._updated[scope, key] = self._clock.now_ms()

    def add_routes(self, routes: Routes) -> None:
        """Adds what the SDK calls."""
        root = "/api/2.0/secrets"
        routes.add("GET", f"{root}/scopes/list", self._list_scopes)
        routes.add("POST", f"{root}/scopes/create", self._create_scope)
        routes.add("POST", f"{root}/put", self._put)
        routes.add("GET", f"{root}/get", self._get)
        routes.add("GET", f"{root}/list", self._list)
        routes.add("POST", f"{root}/delete", self._delete)

    def _scope(self, name: str) -> dict[str, str]:
        if name not in self.scopes:
            raise missing(f"Scope {name} does not exist!")
        return self.scopes[name]

    def _list_scopes(self, request: Request) -> Json:
        return {"scopes": [{"name": name, "backend_type": "DATABRICKS"} for name in self.scopes]}

    def _create_scope(self, request: Request) -> Json:
        (name,) = request.need("scope")
        if name in self.scopes:
            raise Refused(400, "RESOURCE_ALREADY_EXISTS", f"Scope {name} already exists!")
        self.scopes[name] = {}
        return {}

    def _put(self, request: Request) -> Json:
        scope, key = request.need("scope", "key")
        self._scope(scope)
        self.put(scope, key, request.json().get("string_value", ""))
        return {}

    def _get(self, request: Request) -> Json:
        scope, key = request.query.get("scope", ""), request.query.get("key", "")
        found = self._scope(scope)
        if key not in found:
            raise missing(f"Failed to get secret {key} for scope {scope}")
        return {"key": key, "value": base64.b64encode(found[key].encode()).decode()}

    def _list(self, request: Request) -> Json:
        scope = request.query.get("scope", "")
        keys = self._scope(scope)
        return {
            "secrets": [{"key": key, "last_updated_timestamp": self._updated[scope, key]} for key in keys]
        }

    def _delete(self, request: Request) -> Json:
        scope, key = request.need("scope", "key")
        if self._scope(scope).pop(key, None) is None:
            raise missing(f"Failed to get secret {key} for scope {scope}")
        return {}
