"""Registered models as the SDK reads them."""

from __future__ import annotations

from typing import Any

from fakes.databricks.registry import Models
from fakes.databricks.registry.models import Model, Version
from fakes.databricks.web.messages import Request
from fakes.databricks.web.routing import Routes

_ROOT = "/api/2.1/unity-catalog/models/{name}"
Json = dict[str, Any]


class RegisteredModelDoors:
    """What the SDK's `registered_models` and `model_versions` read."""

    def __init__(self, models: Models) -> None:
        self._models = models

    def add_routes(self, routes: Routes) -> None:
        """Adds the doors."""
        routes.add("GET", _ROOT, self._model)
        routes.add("GET", f"{_ROOT}/versions", self._versions)
        routes.add("GET", f"{_ROOT}/versions/{{version}}", self._version)

    def _model(self, request: Request) -> Json:
        model = self._models.need(request.params["name"])
        return {
            **_names(model),
            "name": model.name.rpartition(".")[2],
            "full_name": model.name,
            "owner": model.owner,
            "comment": model.description,
            "aliases": [{"alias_name": key, "version_num": number} for key, number in model.aliases.items()],
        }

    def _versions(self, request: Request) -> Json:
        model = self._models.need(request.params["name"])
        return {"model_versions": [_seen(model, version) for version in model.versions.values()]}

    def _version(self, request: Request) -> Json:
        model = self._models.need(request.params["name"], request.params["version"])
        return _seen(model, model.versions[int(request.params["version"])])


def _names(model: Model) -> Json:
    catalog, schema, _ = model.name.split(".")
    return {"catalog_name": catalog, "schema_name": schema}


def _seen(model: Model, version: Version) -> Json:
    return {
        **_names(model),
        "model_name": model.name.rpartition(".")[2],
        "version": version.number,
        "status": version.status,
        "source": version.fields.get("source"),
        "created_by": version.creator,
    }
