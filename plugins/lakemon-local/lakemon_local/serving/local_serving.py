"""Serving endpoints of a workspace: the port `Serving`, on the model server of this machine."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from lakemon_core.domain.errors import ModelError, UsageError
from lakemon_core.domain.monitor import ServingSpec
from lakemon_core.domain.names import TableName
from lakemon_core.ports import (
    Condition,
    EndpointState,
    LoggedRequest,
    ModelVersion,
    Progress,
    Secrets,
    ServingResponse,
    Tables,
)
from lakemon_local.serving.client import Client, endpoint_path, error_of
from lakemon_local.serving.endpoint_json import (
    PAYLOAD_SUFFIX,
    Described,
    entity_json,
    payload_json,
    scoring_path,
)
from lakemon_local.serving.endpoints import EndpointFile, Entity
from lakemon_local.serving.model_server import LocalModelServer
from lakemon_local.serving.process import ServerFiles

_POLL_SECONDS = 0.2
_QUERY_SECONDS = 300.0


class LocalServing:
    """Endpoints on the model server of this workspace, which `deploy` starts where it does not run.

    Args:
        workspace: its folder.
        server: the process.
        tables: where payload tables are found.
        secrets: resolves references in environment variables at the moment of deploy.
        logs_payloads: requests are logged.
        prepare: called before a server is started, so that it finds the registry of this process.
    """

    def __init__(
        self,
        workspace: Path,
        server: LocalModelServer,
        tables: Tables,
        secrets: Secrets,
        *,
        logs_payloads: bool = True,
        prepare: Callable[[], None] = lambda: None,
    ) -> None:
        self._workspace = workspace
        self._server = server
        self._tables = tables
        self._secrets = secrets
        self._logs_payloads = logs_payloads
        self._prepare = prepare

    def get(self, name: str) -> EndpointState | None:
        """Returns the endpoint, or None; one whose server does not run is not ready."""
        client = self._server.client()
        if client is None:
            return self._remembered(name)
        found = client.get(name)
        return Described(found).state(client.server.url) if found else None

    def deploy(
        self, spec: ServingSpec, model: ModelVersion, payload: TableName, *, progress: Progress
    ) -> EndpointState:
        """Brings the endpoint to a version; see `Serving.deploy`.

        Raises:
            ModelError: LM410 to LM413 as the port says, LM415 when the server does not start.
            UsageError: LM151 for a payload table or a traffic split that only Databricks knows.
        """
        _check(spec, model, payload)
        self._prepare()
        client = self._server.ensure(spec.port, progress)
        logged_to = payload if self._logs_payloads else None
        deadline = time.monotonic() + spec.timeout_seconds
        found = self._settled(client, spec.endpoint_name, model, deadline, progress)
        entity = self._entity(spec, model)
        ours = {"trust_model": spec.trust_model}
        if found is None:
            body = {"name": spec.endpoint_name, "config": {"served_entities": [entity]}, "lakemon": ours}
            client.change("POST", endpoint_path(""), {**body, "ai_gateway": payload_json(logged_to)})
        else:
            if found.payload != logged_to:
                client.change("PUT", endpoint_path(spec.endpoint_name, "ai-gateway"), payload_json(logged_to))
            body = {"served_entities": [entity], "lakemon": ours}
            client.change("PUT", endpoint_path(spec.endpoint_name, "config"), body)
        return self._ready(client, spec.endpoint_name, model.version, deadline, progress)

    def rollback(self, name: str, *, progress: Progress) -> EndpointState | None:
        """Puts the previous version back; None when there was none.

        Raises:
            ModelError: LM410, LM411 when it does not come back, LM415 when the server does not answer.
        """
        endpoint = EndpointFile(self._workspace).find(name)
        if endpoint is None or endpoint.previous is None:
            return None
        before = endpoint.previous
        client = self._server.ensure(0, progress)
        entity = entity_json(
            before.model,
            before.version,
            workload_size=before.workload_size,
            scale_to_zero=before.scale_to_zero,
        )
        ours = {"trust_model": before.trust_model, "rollback": True}
        client.change("PUT", endpoint_path(name, "config"), {"served_entities": [entity], "lakemon": ours})
        return self._ready(client, name, before.version, time.monotonic() + _QUERY_SECONDS, progress)

    def query(
        self, name: str, records: Sequence[Mapping[str, object]], *, client_request_id: str = ""
    ) -> ServingResponse:
        """Sends one scoring request as `dataframe_records`.

        Raises:
            ModelError: LM415 when no server runs or it does not answer, LM417 for records that are not JSON.
        """
        client = self._running()
        body: dict[str, Any] = {"dataframe_records": [dict(record) for record in records]}
        if client_request_id:
            body["client_request_id"] = client_request_id
        started = time.perf_counter()
        reply = client.call("POST", scoring_path(name), body, seconds=_QUERY_SECONDS)
        return ServingResponse(
            request_id=reply.headers.get("databricks-request-id", ""),
            client_request_id=client_request_id,
            status=reply.status,
            predictions=reply.json().get("predictions", ()) if reply.status == 200 else (),
            served_version=reply.headers.get("lakemon-model-version", ""),
            error="" if reply.status == 200 else reply.message,
            milliseconds=(time.perf_counter() - started) * 1000,
        )

    def logged(
        self, payload: TableName, request_ids: Sequence[str], *, wait_seconds: float, progress: Progress
    ) -> Sequence[LoggedRequest]:
        """Finds requests again in the payload table; waits up to `wait_seconds` for all of them."""
        deadline = time.monotonic() + wait_seconds
        wanted = set(request_ids)
        while True:
            self.flush()
            found = self._find(payload, wanted)
            progress.update(f"looking for requests in {payload}", len(found), len(wanted))
            if len(found) == len(wanted) or time.monotonic() > deadline:
                return [found[request_id] for request_id in request_ids if request_id in found]
            time.sleep(_POLL_SECONDS)

    def flush(self) -> None:
        """Has every answered request moved into its payload table, also those of a server that was killed.

        Raises:
            LakemonError: when a table cannot be written; the requests stay in the spool.
        """
        self._server.flush()

    def entities(self) -> Mapping[str, Entity]:
        """Returns what ever answered in this workspace, by `served_entity_id`."""
        return EndpointFile(self._workspace).entities()

    def _running(self) -> Client:
        client = self._server.client()
        if client is None:
            raise ModelError(
                "LM415", "the model server does not run;", cure="start it with `lakemon deploy`."
            )
        return client

    def _remembered(self, name: str) -> EndpointState | None:
        endpoint = EndpointFile(self._workspace).find(name)
        if endpoint is None:
            return None
        previous = endpoint.previous.version if endpoint.previous else ""
        detail = "the model server does not run"
        return EndpointState(name, False, "", previous, "", endpoint.payload, detail)

    def _entity(self, spec: ServingSpec, model: ModelVersion) -> dict[str, Any]:
        variables = {key: self._secrets.reveal(value) for key, value in spec.environment_vars.items()}
        entity = entity_json(
            model.name, model.version, workload_size=spec.workload_size, scale_to_zero=spec.scale_to_zero
        )
        return {**entity, "environment_vars": variables}

    def _settled(
        self, client: Client, name: str, model: ModelVersion, deadline: float, progress: Progress
    ) -> Described | None:
        """Waits until an update that is under way, e.g. of a server that starts again, has ended."""
        while (found := client.get(name)) is not None:
            if not Described(found).updating:
                return Described(found)
            _demand_time(deadline, name, model.version, self._workspace)
            progress.update(f"waiting for the running update of {name}")
            time.sleep(_POLL_SECONDS)
        return None

    def _ready(
        self, client: Client, name: str, version: str, deadline: float, progress: Progress
    ) -> EndpointState:
        while True:
            found = Described(client.get(name) or _was_removed(name))
            if found.failed:
                raise error_of(found.error)
            if found.version == version and not found.updating:
                return found.state(client.server.url)
            _demand_time(deadline, name, version, self._workspace)
            progress.update(f"{name} loads version {version}")
            time.sleep(_POLL_SECONDS)

    def _find(self, payload: TableName, wanted: set[str]) -> dict[str, LoggedRequest]:
        tables = self._tables
        if not wanted or not tables.exists(payload):
            return {}
        columns = [
            "databricks_request_id", "client_request_id", "status_code", "request", "response",
            "served_entity_id",
        ]  # fmt: skip
        where = [Condition("databricks_request_id", "in", tuple(sorted(wanted)))]
        entities = self.entities()
        rows = tables.scan(payload, columns=columns, where=where).read_all().to_pylist()
        return {row["databricks_request_id"]: _logged(row, entities) for row in rows}


def _check(spec: ServingSpec, model: ModelVersion, payload: TableName) -> None:
    if not payload.table.endswith(PAYLOAD_SUFFIX) or payload.table == PAYLOAD_SUFFIX:
        raise UsageError(
            "LM151",
            f"payload table {payload} cannot be made: Databricks names it <prefix>{PAYLOAD_SUFFIX};",
            cure=f"set `inference_table.payload` to {payload}{PAYLOAD_SUFFIX}.",
        )
    if any(share and version != model.version for version, share in spec.traffic.items()):
        raise UsageError(
            "LM151",
            f"traffic {dict(spec.traffic)} cannot be split: the local server serves one version at a time;",
            cure="leave `serving.traffic` out in this environment.",
        )


def _was_removed(name: str) -> NoReturn:
    raise ModelError("LM416", f"endpoint {name} was removed while it was being deployed.")


def _demand_time(deadline: float, name: str, version: str, workspace: Path) -> None:
    if time.monotonic() > deadline:
        raise ModelError(
            "LM410",
            f"endpoint {name} does not answer with version {version} in time;",
            where=str(ServerFiles(workspace).log),
            cure="read the server's log, or raise `serving.timeout_seconds`.",
        )


def _logged(row: Mapping[str, Any], entities: Mapping[str, Entity]) -> LoggedRequest:
    entity = entities.get(row["served_entity_id"])
    return LoggedRequest(
        request_id=row["databricks_request_id"],
        client_request_id=row["client_request_id"] or "",
        status=row["status_code"],
        request=row["request"],
        response=row["response"],
        served_version=entity.version if entity else "",
    )
