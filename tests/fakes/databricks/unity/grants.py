"""Grants: read, changed, and read with all that is inherited."""

from __future__ import annotations

from typing import Any

from fakes.databricks.lake import Metastore, SqlFailure
from fakes.databricks.lake.metastore import Securable
from fakes.databricks.registry import Models
from fakes.databricks.web.messages import Refused, Request, denied, invalid
from fakes.databricks.web.routing import Routes

_ROOT = "/api/2.1/unity-catalog"
_TYPES = {"catalog", "schema", "table", "function"}
Json = dict[str, Any]


class GrantDoors:
    """What the SDK's `grants` calls.

    Attributes:
        per_page: principals on one page of a paged answer.
    """

    def __init__(self, metastore: Metastore, models: Models) -> None:
        self._metastore = metastore
        self._models = models
        self.per_page = 100

    def add_routes(self, routes: Routes) -> None:
        """Adds the doors."""
        routes.add("GET", f"{_ROOT}/permissions/{{type}}/{{name}}", self._get)
        routes.add("PATCH", f"{_ROOT}/permissions/{{type}}/{{name}}", self._update)
        routes.add("GET", f"{_ROOT}/effective-permissions/{{type}}/{{name}}", self._effective)

    def _levels(self, request: Request) -> list[Securable]:
        """Returns the securable and all that holds it."""
        kind, name = request.params["type"].lower(), request.params["name"].lower()
        if kind not in _TYPES:
            raise invalid(f"Unknown securable type {kind}.")
        levels = list(self._metastore.upwards(name))
        is_there = self._models.known.get(name) if kind == "function" else self._metastore.find(name)
        if is_there is None:
            raise Refused(404, f"{kind.upper()}_DOES_NOT_EXIST", f"{kind.title()} '{name}' does not exist.")
        return levels

    def _get(self, request: Request) -> Json:
        levels = self._levels(request)
        if levels[0].name != request.params["name"].lower():
            return {"privilege_assignments": []}
        return {"privilege_assignments": _assignments(levels[0], request.query.get("principal"))}

    def _update(self, request: Request) -> Json:
        name = self._levels(request)[0].name
        if name != request.params["name"].lower():
            raise Refused(501, "NOT_IMPLEMENTED", "The fake keeps no grants of models.")
        try:
            self._metastore.demand(request.user, "MANAGE", name)
        except SqlFailure as failure:
            raise denied(str(failure)) from failure
        for change in request.json().get("changes") or []:
            given = [privilege.replace("_", " ") for privilege in change.get("add") or []]
            taken = [privilege.replace("_", " ") for privilege in change.get("remove") or []]
            self._metastore.grant(name, change["principal"], *given)
            self._metastore.revoke(name, change["principal"], *taken)
        return {"privilege_assignments": _assignments(self._metastore.find(name), None)}

    def _effective(self, request: Request) -> Json:
        levels, wanted = self._levels(request), request.query.get("principal")
        asked = request.params["name"].lower()
        found: dict[str, list[Json]] = {}
        for level in levels:
            for principal, privileges in level.grants.items():
                if wanted in {None, "", principal}:
                    found.setdefault(principal, []).extend(_effective(level, asked, privileges))
        everything = [{"principal": name, "privileges": given} for name, given in found.items() if given]
        start = int(request.query.get("page_token") or 0)
        page: Json = {"privilege_assignments": everything[start : start + self.per_page]}
        if start + self.per_page < len(everything):
            page["next_page_token"] = str(start + self.per_page)
        return page


def _assignments(securable: Securable | None, wanted: str | None) -> list[Json]:
    grants = securable.grants if securable else {}
    return [
        {"principal": principal, "privileges": [name.replace(" ", "_") for name in sorted(privileges)]}
        for principal, privileges in grants.items()
        if privileges and wanted in {None, "", principal}
    ]


def _effective(level: Securable, asked: str, privileges: set[str]) -> list[Json]:
    inherited: Json = {}
    if level.name != asked:
        inherited = {"inherited_from_name": level.name, "inherited_from_type": type(level).__name__.upper()}
    return [{"privilege": name.replace(" ", "_"), **inherited} for name in sorted(privileges)]
