"""The serving API: endpoints created, updated, got, listed and deleted, and their gateway and tags."""

from __future__ import annotations

import math
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import Any

import pyarrow as pa
from fakes.databricks.around.permissions import Permissions
from fakes.databricks.clock import Clock
from fakes.databricks.lake import Lake, SqlFailure
from fakes.databricks.registry import Models
from fakes.databricks.web.messages import Refused, Request, denied, exists, invalid, missing
from fakes.databricks.web.routing import Routes

from . import rules
from .endpoint import Deployment, Endpoint

_ROOT = "/api/2.0/serving-endpoints"
_ENTITIES = pa.schema(
    [
        *((name, pa.string()) for name in ("served_entity_id", "account_id", "workspace_id", "created_by")),
        *((name, pa.string()) for name in ("endpoint_name", "endpoint_id", "served_entity_name")),
        *((name, pa.string()) for name in ("entity_type", "entity_name", "entity_version")),
        ("endpoint_config_version", pa.int32()),
        ("change_time", pa.timestamp("us", "UTC")),
    ]
)


@dataclass(slots=True)
class _Failure:
    message: str
    log: str


class Serving:
    """All endpoints.

    Attributes:
        seconds: how long a config is under way on the clock; `math.inf` for ever.
        polls: GETs that say IN_PROGRESS before a config may be ready.
        creation_update: `config_update` while the first config of an endpoint is built.
        endpoints: by name.
        logs: (endpoint, served entity name) → build log.
    """

    def __init__(
        self, lake: Lake, clock: Clock, models: Models, permissions: Permissions, host: Callable[[], str]
    ) -> None:
        self._lake = lake
        self._clock = clock
        self._models = models
        self._host = host
        self._permissions = permissions
        self._failures: list[_Failure] = []
        self.seconds = 0.0
        self.polls = 1
        self.creation_update = "NOT_UPDATING"
        self.endpoints: dict[str, Endpoint] = {}
        self.logs: dict[tuple[str, str], str] = {}
        lake.create_schema("system.serving", owner="System user")
        lake.virtual["system.serving.served_entities"] = self._served_entities

    def add_routes(self, routes: Routes) -> None:
        """Adds what the SDK calls."""
        one = f"{_ROOT}/{{name}}"
        routes.add("POST", _ROOT, self._create)
        routes.add("GET", _ROOT, self._list)
        routes.add("GET", one, lambda request: self.demanded(request, "CAN_VIEW").seen(self._host()))
        routes.add("DELETE", one, self._delete)
        routes.add("PUT", f"{one}/config", self._update)
        routes.add("PUT", f"{one}/ai-gateway", self._put_gateway)
        routes.add("PATCH", f"{one}/tags", self._patch_tags)
        routes.add("PATCH", f"{one}/notifications", self._notify)
        routes.add("GET", f"{one}/served-models/{{entity}}/build-logs", self._build_log)
        routes.add("GET", f"{one}/served-models/{{entity}}/logs", self._build_log)

    def fail_next(self, message: str = "Failed to deploy", log: str = "pip: no matching version") -> None:
        """Lets the next config that is sent fail when it is due."""
        self._failures.append(_Failure(message, log))

    def settle(self) -> None:
        """Moves every endpoint to where the clock is."""
        for endpoint in self.endpoints.values():
            endpoint.settle(self._clock.now())

    def found(self, request: Request) -> Endpoint:
        """Returns the endpoint of a path.

        Raises:
            Refused: 404 RESOURCE_DOES_NOT_EXIST.
        """
        name = request.params["name"]
        if name not in self.endpoints:
            raise missing(f"Endpoint with name '{name}' does not exist.")
        return self.endpoints[name]

    def demanded(self, request: Request, level: str) -> Endpoint:
        """Returns the endpoint of a path, on which the user has a level.

        Raises:
            Refused: 404 when it is not there, 403 without the level.
        """
        endpoint = self.found(request)
        self._permissions.demand(request.user, "serving-endpoints", endpoint.id, level)
        return endpoint

    def _list(self, request: Request) -> dict[str, Any]:
        return {"endpoints": [endpoint.brief() for endpoint in self.endpoints.values()]}

    def _create(self, request: Request) -> dict[str, Any]:
        body = request.json()
        name = rules.check_name(body.get("name"))
        if name in self.endpoints:
            raise exists(f"Serving endpoint with name {name} already exists")
        if not body.get("config"):
            raise invalid("Missing required field: config")
        gateway = body.get("ai_gateway") or {}
        endpoint = Endpoint(name, request.user, self._clock.now(), creation_update=self.creation_update)
        endpoint.tags = {tag["key"]: tag.get("value", "") for tag in body.get("tags") or []}
        endpoint.extras = {
            key: body.get(key) for key in ("description", "route_optimized", "email_notifications")
        }
        pending = self._deployment(endpoint, body["config"])
        self._check_gateway(endpoint, gateway, request.user)
        endpoint.gateway, endpoint.pending = gateway, pending
        self.endpoints[name] = endpoint
        return endpoint.brief()

    def _deployment(self, endpoint: Endpoint, config: dict[str, Any]) -> Deployment:
        completed = rules.completed(config)
        for entity in completed["served_entities"]:
            if not entity.get("external_model"):
                self._need(entity["entity_name"], entity["entity_version"])
        due = None if math.isinf(self.seconds) else self._clock.now() + timedelta(seconds=self.seconds)
        failure = self._failures.pop(0) if self._failures else None
        deployment = Deployment(
            completed,
            number=(endpoint.serving.number if endpoint.serving else 0) + 1,
            started=self._clock.now(),
            due=due,
            polls_left=self.polls,
            failure=failure.message if failure else "",
        )
        for entity in completed["served_entities"]:
            deployment.ids[entity["name"]] = _kept_id(endpoint, entity) or uuid.uuid4().hex
            log = failure.log if failure else f"Building {entity['name']}\nDone."
            self.logs[endpoint.name, entity["name"]] = log
        return deployment

    def _need(self, name: str, version: str) -> None:
        found = self._models.need(name, version).versions[int(version)]
        if found.status != "READY":
            raise Refused(400, "INVALID_STATE", f"Version {version} of model '{name}' is not READY.")

    def _update(self, request: Request) -> dict[str, Any]:
        endpoint = self.demanded(request, "CAN_MANAGE")
        if endpoint.is_updating:
            raise Refused(
                409,
                "RESOURCE_CONFLICT",
                f"Endpoint {endpoint.name} is currently being updated. Wait until the update is done.",
            )
        endpoint.pending = self._deployment(endpoint, request.json())
        return endpoint.brief()

    def _delete(self, request: Request) -> dict[str, Any]:
        del self.endpoints[self.demanded(request, "CAN_MANAGE").name]
        return {}

    def _put_gateway(self, request: Request) -> dict[str, Any]:
        endpoint, gateway = self.demanded(request, "CAN_MANAGE"), request.json()
        self._check_gateway(endpoint, gateway, request.user)
        endpoint.gateway = gateway
        return gateway

    def _check_gateway(self, endpoint: Endpoint, gateway: dict[str, Any], user: str) -> None:
        table = rules.check_gateway(gateway)
        if table is None:
            return
        before = rules.check_gateway(endpoint.gateway)
        if before and payload_name(endpoint.name, before) == payload_name(endpoint.name, table):
            return
        if before:
            raise invalid(
                "The catalog, schema or prefix of an enabled inference table cannot be changed."
                " Disable it first."
            )
        name = payload_name(endpoint.name, table)
        if name in self._lake.metastore.tables:
            raise invalid(f"Table {name} already exists and cannot be used as an inference table.")
        try:
            self._lake.metastore.schema(name.rpartition(".")[0])
            self._lake.metastore.demand(user, "CREATE TABLE", name.rpartition(".")[0])
        except SqlFailure as failure:
            if failure.condition == "INSUFFICIENT_PERMISSIONS":
                raise denied(str(failure)) from failure
            raise missing(str(failure)) from failure

    def _patch_tags(self, request: Request) -> dict[str, Any]:
        endpoint, body = self.demanded(request, "CAN_MANAGE"), request.json()
        for key in body.get("delete_tags") or []:
            endpoint.tags.pop(key, None)
        endpoint.tags.update({tag["key"]: tag.get("value", "") for tag in body.get("add_tags") or []})
        return {"tags": endpoint.tag_list()}

    def _notify(self, request: Request) -> dict[str, Any]:
        endpoint = self.found(request)
        endpoint.extras["email_notifications"] = request.json().get("email_notifications")
        return {"name": endpoint.name, "email_notifications": endpoint.extras["email_notifications"]}

    def _build_log(self, request: Request) -> dict[str, Any]:
        endpoint, entity = self.found(request), request.params["entity"]
        if (endpoint.name, entity) not in self.logs:
            raise missing(f"Served entity {entity} of endpoint {endpoint.name} does not exist.")
        return {"logs": self.logs[endpoint.name, entity]}

    def _served_entities(self, catalog: str) -> pa.Table:
        rows = [
            {
                "served_entity_id": deployment.ids[entity["name"]],
                "created_by": endpoint.creator,
                "endpoint_name": endpoint.name,
                "endpoint_id": endpoint.id,
                "served_entity_name": entity["name"],
                "entity_type": "CUSTOM_MODEL",
                "entity_name": entity.get("entity_name"),
                "entity_version": entity.get("entity_version"),
                "endpoint_config_version": deployment.number,
                "change_time": deployment.started.astimezone(UTC),
            }
            for endpoint in self.endpoints.values()
            for deployment in endpoint.history
            for entity in deployment.config["served_entities"]
        ]
        return pa.Table.from_pylist(rows, schema=_ENTITIES)


def payload_name(endpoint: str, table: dict[str, Any]) -> str:
    """Returns the full name of the payload table, in lower case."""
    prefix = table.get("table_name_prefix") or endpoint
    return f"{table['catalog_name']}.{table['schema_name']}.{prefix}_payload".lower()


def _kept_id(endpoint: Endpoint, entity: dict[str, Any]) -> str | None:
    """Returns the id of a served entity that stays as it was."""
    serving = endpoint.serving
    if serving and any(there == entity for there in serving.config["served_entities"]):
        return serving.ids[entity["name"]]
    return None
