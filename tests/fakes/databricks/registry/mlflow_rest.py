"""What MLflow calls to register, find and name models of Unity Catalog."""

from __future__ import annotations

import re
from typing import Any

from fakes.databricks.clock import Clock
from fakes.databricks.lake import Lake, SqlFailure
from fakes.databricks.web.messages import Request, denied, exists, invalid, missing
from fakes.databricks.web.routing import Routes

from .models import Model, Models, Version

Json = dict[str, Any]
_ROOT = "/api/2.0/mlflow/unity-catalog"
_ALIAS = re.compile(r"[\w-]+")
_FILTER = re.compile(r"(name|run_id)\s*=\s*'([^']*)'")
_SDK_REPOSITORY = "is_databricks_sdk_models_artifact_repository_enabled"


class MlflowRest:
    """Registered models as MLflow's `databricks-uc` registry sees them.

    A version is PENDING_REGISTRATION until its files are there and it is finalized. Search tells neither tags
    nor aliases, sorts nothing, and takes one `name='..'` or `run_id='..'` as filter.
    """

    def __init__(self, lake: Lake, clock: Clock, models: Models) -> None:
        self._lake = lake
        self._clock = clock
        self._models = models

    def add_routes(self, routes: Routes) -> None:
        """Adds what MLflow calls."""
        models, versions = f"{_ROOT}/registered-models", f"{_ROOT}/model-versions"
        routes.add("GET", f"{models}:{_SDK_REPOSITORY.replace('_', '-')}", lambda _: {_SDK_REPOSITORY: True})
        routes.add("POST", f"{models}/create", self._create_model)
        routes.add("GET", f"{models}/get", lambda request: {"registered_model": _seen(self._model(request))})
        routes.add("GET", f"{models}/search", self._search_models)
        routes.add("POST", f"{models}/alias", self._set_alias)
        routes.add("DELETE", f"{models}/alias", self._delete_alias)
        routes.add("GET", f"{models}/alias", self._by_alias)
        routes.add("POST", f"{models}/set-tag", self._tag_model)
        routes.add("POST", f"{versions}/create", self._create_version)
        routes.add("POST", f"{versions}/finalize", self._finalize)
        routes.add("GET", f"{versions}/get", lambda request: _answer(*self._version(request)))
        routes.add("GET", f"{versions}/search", self._search_versions)
        routes.add("PATCH", f"{versions}/update", self._describe)
        routes.add("POST", f"{versions}/set-tag", self._tag_version)
        routes.add("GET", f"{versions}/get-download-uri", self._download_uri)
        routes.add("POST", f"{versions}/emit-lineage", lambda _: {})

    def _model(self, request: Request) -> Model:
        return self._models.need(_name(_given(request)))

    def _version(self, request: Request) -> tuple[Model, Version]:
        given = _given(request)
        model = self._models.need(_name(given), str(given.get("version", "")))
        return model, model.versions[int(given["version"])]

    def _create_model(self, request: Request) -> Json:
        given = request.json()
        name = _name(given)
        if name.lower() in self._models.known:
            raise exists(f"Routine or Model '{name}' already exists")
        schema = name.rpartition(".")[0]
        try:
            self._lake.metastore.schema(schema)
            self._lake.metastore.demand(request.user, "CREATE MODEL", schema)
        except SqlFailure as failure:
            if failure.condition == "INSUFFICIENT_PERMISSIONS":
                raise denied(str(failure)) from failure
            raise missing(str(failure)) from failure
        model = Model(name.lower(), request.user, self._clock.now_ms(), given.get("description") or "")
        model.tags = _tags(given)
        self._models.known[model.name] = model
        return {"registered_model": _seen(model)}

    def _search_models(self, request: Request) -> Json:
        seen = [_seen(model) for _, model in sorted(self._models.known.items())]
        hidden = {"tags", "aliases"}
        return {"registered_models": [{key: one[key] for key in one if key not in hidden} for one in seen]}

    def _set_alias(self, request: Request) -> Json:
        model, version = self._version(request)
        alias = str(request.json().get("alias"))
        if not _ALIAS.fullmatch(alias) or alias == "latest" or re.fullmatch(r"v\d+", alias):
            raise invalid(f"Invalid alias name: '{alias}'.")
        model.aliases[alias] = version.number
        return {}

    def _delete_alias(self, request: Request) -> Json:
        self._model(request).aliases.pop(str(_given(request).get("alias")), None)
        return {}

    def _by_alias(self, request: Request) -> Json:
        model, alias = self._model(request), str(request.query.get("alias"))
        if alias not in model.aliases:
            raise missing(f"Alias '{alias}' does not exist for model '{model.name}'.")
        return _answer(model, model.versions[model.aliases[alias]])

    def _tag_model(self, request: Request) -> Json:
        given = request.json()
        self._model(request).tags[given["key"]] = given["value"]
        return {}

    def _tag_version(self, request: Request) -> Json:
        given = request.json()
        self._version(request)[1].tags[given["key"]] = given["value"]
        return {}

    def _describe(self, request: Request) -> Json:
        model, version = self._version(request)
        version.fields["description"] = request.json().get("description", "")
        return _answer(model, version)

    def _create_version(self, request: Request) -> Json:
        given = request.json()
        model = self._model(request)
        known = ("source", "run_id", "description", "model_id", "run_tracking_server_id")
        version = model.add(
            request.user,
            self._clock.now_ms(),
            status="PENDING_REGISTRATION",
            fields={key: given[key] for key in known if given.get(key)},
            tags=_tags(given),
        )
        return _answer(model, version)

    def _finalize(self, request: Request) -> Json:
        model, version = self._version(request)
        if not (self._models.folder(model.name, version.number) / "MLmodel").exists():
            raise invalid(f"No MLmodel file was uploaded for '{model.name}' version {version.number}.")
        version.status = "READY"
        return _answer(model, version)

    def _search_versions(self, request: Request) -> Json:
        wanted = request.query.get("filter") or ""
        found = _FILTER.fullmatch(wanted.strip())
        if not found:
            raise invalid(f"Unsupported filter query: '{wanted}'. Use name='..' or run_id='..'.")
        key, value = found[1], found[2]
        return {
            "model_versions": [
                _told(model, version, details=False)
                for model in self._models.known.values()
                for version in model.versions.values()
                if value.lower() == (model.name if key == "name" else version.fields.get("run_id", ""))
            ]
        }

    def _download_uri(self, request: Request) -> Json:
        model, version = self._version(request)
        return {"artifact_uri": f"/Models/{model.name.replace('.', '/')}/{version.number}"}


def _given(request: Request) -> Json:
    return {**request.query, **request.json()}


def _name(given: Json) -> str:
    name = str(given.get("name") or "")
    if name.count(".") != 2:
        raise invalid(f"Model name '{name}' must specify all three levels: catalog.schema.model.")
    return name


def _tags(given: Json) -> dict[str, str]:
    return {tag["key"]: tag.get("value", "") for tag in given.get("tags") or []}


def _pairs(tags: dict[str, str]) -> list[Json]:
    return [{"key": key, "value": value} for key, value in tags.items()]


def _seen(model: Model) -> Json:
    return {
        "name": model.name,
        "creation_timestamp": model.created_ms,
        "last_updated_timestamp": model.created_ms,
        "user_id": model.owner,
        "description": model.description,
        "aliases": [{"alias": alias, "version": str(at)} for alias, at in model.aliases.items()],
        "tags": _pairs(model.tags),
    }


def _answer(model: Model, version: Version) -> Json:
    return {"model_version": _told(model, version, details=True)}


def _told(model: Model, version: Version, *, details: bool) -> Json:
    told = {
        "name": model.name,
        "version": str(version.number),
        "creation_timestamp": version.created_ms,
        "last_updated_timestamp": version.created_ms,
        "user_id": version.creator,
        "status": version.status,
        **version.fields,
    }
    if details:
        pointing = [alias for alias, number in model.aliases.items() if number == version.number]
        told["aliases"] = [{"alias": alias, "version": str(version.number)} for alias in pointing]
        told["tags"] = _pairs(version.tags)
    return told
