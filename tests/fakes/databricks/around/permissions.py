"""Access control lists of endpoints, jobs, warehouses, dashboards: read, replaced, extended."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from fakes.databricks.web.messages import Request, denied, invalid, missing
from fakes.databricks.web.routing import Routes

_LEVELS = {
    "serving-endpoints": ("CAN_VIEW", "CAN_QUERY", "CAN_MANAGE"),
    "jobs": ("CAN_VIEW", "CAN_MANAGE_RUN", "IS_OWNER", "CAN_MANAGE"),
    "warehouses": ("CAN_VIEW", "CAN_MONITOR", "CAN_USE", "IS_OWNER", "CAN_MANAGE"),
    "dashboards": ("CAN_READ", "CAN_RUN", "CAN_EDIT", "CAN_MANAGE"),
}
"""Kinds of objects → levels, each holding those before it."""
_WHO = ("user_name", "group_name", "service_principal_name")
Owners = Callable[[], dict[str, str]]
"""Returns the objects of a kind: id → owner."""
Json = dict[str, Any]


class Permissions:
    """All access control lists; the owner of an object may do everything.

    Attributes:
        granted: (kind, id) → principal → level.
    """

    def __init__(self, groups_of: Callable[[str], Iterable[str]]) -> None:
        self._groups_of = groups_of
        self._owners: dict[str, Owners] = {}
        self.granted: dict[tuple[str, str], dict[str, str]] = {}

    def know(self, kind: str, owners: Owners) -> None:
        """Makes a kind of objects known."""
        self._owners[kind] = owners

    def add_routes(self, routes: Routes) -> None:
        """Adds what the SDK calls."""
        one = "/api/2.0/permissions/{kind}/{id}"
        routes.add("GET", one, lambda request: self._seen(*self._found(request)))
        routes.add("PUT", one, self._replace)
        routes.add("PATCH", one, self._extend)
        routes.add("GET", f"{one}/permissionLevels", self._levels)

    def demand(self, user: str, kind: str, object_id: str, level: str) -> None:
        """Checks a level.

        Raises:
            Refused: 403 PERMISSION_DENIED.
        """
        if self._owners[kind]().get(object_id) == user:
            return
        levels = _LEVELS[kind]
        granted = self.granted.get((kind, object_id), {})
        held = [granted[name] for name in (user, *self._groups_of(user)) if name in granted]
        if not any(levels.index(name) >= levels.index(level) for name in held):
            raise denied(f"User {user} does not have {level} permission on {kind} {object_id}.")

    def _found(self, request: Request) -> tuple[str, str]:
        kind, object_id = request.params["kind"], request.params["id"]
        if kind not in self._owners:
            raise invalid(f"Unknown object type {kind}.")
        if object_id not in self._owners[kind]():
            raise missing(f"{kind} {object_id} does not exist.")
        return kind, object_id

    def _replace(self, request: Request) -> Json:
        key = self._found(request)
        self.granted[key] = self._sent(request, key[0])
        return self._seen(*key)

    def _extend(self, request: Request) -> Json:
        key = self._found(request)
        self.granted.setdefault(key, {}).update(self._sent(request, key[0]))
        return self._seen(*key)

    def _sent(self, request: Request, kind: str) -> dict[str, str]:
        sent: dict[str, str] = {}
        for entry in request.json().get("access_control_list") or []:
            who = [entry[name] for name in _WHO if entry.get(name)]
            level = entry.get("permission_level")
            if len(who) != 1 or level not in _LEVELS[kind]:
                raise invalid(f"Each entry needs one principal and one of {', '.join(_LEVELS[kind])}.")
            sent[who[0]] = level
        return sent

    def _seen(self, kind: str, object_id: str) -> Json:
        entries = {self._owners[kind]()[object_id]: "CAN_MANAGE", **self.granted.get((kind, object_id), {})}
        return {
            "object_id": f"/{kind}/{object_id}",
            "object_type": kind.removesuffix("s"),
            "access_control_list": [
                {
                    "user_name" if "@" in principal else "group_name": principal,
                    "all_permissions": [{"permission_level": level, "inherited": False}],
                }
                for principal, level in entries.items()
            ],
        }

    def _levels(self, request: Request) -> Json:
        kind, _ = self._found(request)
        return {"permission_levels": [{"permission_level": level} for level in _LEVELS[kind]]}
