"""Model serving endpoints of a workspace: the port `Serving`, through the SDK."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import chain, repeat
from typing import TYPE_CHECKING

from lakemon_core.domain.errors import ModelError
from lakemon_core.domain.monitor import ServingSpec
from lakemon_core.domain.names import TableName
from lakemon_core.ports import (
    EndpointState,
    LoggedRequest,
    ModelVersion,
    PayloadHealth,
    Progress,
    ServingResponse,
)
from lakemon_databricks.opened import Opened
from lakemon_databricks.serving.changing import Changing, demand_ours, version_before
from lakemon_databricks.serving.described import MARK, Described
from lakemon_databricks.serving.entities import Wanted, variables, wanted
from lakemon_databricks.serving.gateway import log_into
from lakemon_databricks.serving.history import Deployment, note, read
from lakemon_databricks.serving.readiness import Waiting
from lakemon_databricks.serving.scoring import score

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient

    from lakemon_databricks.serving.payload_rows import PayloadRows

_ROLLBACK_SECONDS = 2700.0
_LOOKS = (1.0, 2.0, 5.0, 10.0)
"""Seconds between two looks into the payload table; the last one repeats."""


class DatabricksServing:
    """Endpoints of one workspace.

    What an endpoint served before is kept in its tags, so that every machine can roll back.

    Args:
        backend: whose client, statements, ledger and config are used, each when it is needed.
    """

    def __init__(self, backend: Opened) -> None:
        self._backend = backend

    def get(self, name: str) -> EndpointState | None:
        """Returns the endpoint, or None."""
        found = self.look(name)
        return found.state if found else None

    def look(self, name: str) -> Described | None:
        """Returns the endpoint as the workspace describes it, or None."""
        from databricks.sdk.errors import NotFound

        try:
            raw = self._client.serving_endpoints.get(name)
        except NotFound:
            return None
        return Described(raw, self._client.config.host or "")

    def deploy(
        self, spec: ServingSpec, model: ModelVersion, payload: TableName, *, progress: Progress
    ) -> EndpointState:
        """Brings the endpoint to a version; see `Serving.deploy`.

        Raises:
            ModelError: LM410 not ready in time, LM416 removed meanwhile, LM422 to LM429 as the workspace
                refuses: each says why.
            UsageError: LM151 for a payload table or a traffic split that cannot be.
        """
        backend = self._backend
        asked = wanted(spec, model, backend.config.workload_type, backend.setup.secrets)
        logged_to = payload if backend.setup.monitor.inference_table.enabled else None
        changing = self._changing(spec.endpoint_name, spec.timeout_seconds, progress)
        found = changing.waiting.settled() or changing.create(asked, model.version, logged_to)
        changed = True
        if found is not None:
            demand_ours(found)
            log_into(self._client, spec.endpoint_name, found.raw.ai_gateway, logged_to)
            changed = changing.update(found, asked, model.version, version_before(found, model.version))
        return self._ready(changing, asked, changed=changed)

    def rollback(self, name: str, *, progress: Progress) -> EndpointState | None:
        """Puts the previous version back, with all of the traffic; None when there was none.

        Raises:
            ModelError: as `deploy`.
        """
        found = self.look(name)
        if found is None or not found.previous or not found.entities:
            return None
        backend = self._backend
        spec = backend.setup.monitor.serving
        given = variables(spec.environment_vars, backend.setup.secrets) if spec else {}
        asked = Wanted((replace(found.entities[0], version=found.previous, share=100),), given)
        changing = self._changing(name, spec.timeout_seconds if spec else _ROLLBACK_SECONDS, progress)
        changed = changing.update(found, asked, found.previous, previous="")
        return self._ready(changing, asked, changed=changed)

    def query(
        self, name: str, records: Sequence[Mapping[str, object]], *, client_request_id: str = ""
    ) -> ServingResponse:
        """Sends one scoring request as `dataframe_records`.

        Raises:
            ModelError: LM416 there is no such endpoint, LM417 records that are not JSON.
        """
        url, versions = self._address(name)
        answer = score(self._scoring, url, records, client_request_id)
        if answer.served_version and answer.served_version not in versions:
            self._addresses.pop(name)
            versions = self._address(name)[1]
        return replace(answer, served_version=versions.get(answer.served_version, ""))

    def logged(
        self, payload: TableName, request_ids: Sequence[str], *, wait_seconds: float, progress: Progress
    ) -> Sequence[LoggedRequest]:
        """Finds requests again in the payload table; waits up to `wait_seconds` for all of them."""
        wanted_ids = list(dict.fromkeys(request_ids))
        if not wanted_ids:
            return []
        rows = self._payload_rows(payload)
        spec = self._backend.setup.monitor.serving
        deployments = read(self._backend.ledger, spec.endpoint_name) if spec else ()
        until = time.monotonic() + wait_seconds
        for pause in chain(_LOOKS, repeat(_LOOKS[-1])):
            found = rows.find(wanted_ids, self._backend.setup.clock.now(), deployments)
            progress.update(f"looking for requests in {payload}", len(found), len(wanted_ids))
            left = until - time.monotonic()
            if len(found) == len(wanted_ids) or left <= 0:
                return [found[one] for one in wanted_ids if one in found]
            time.sleep(min(pause, left))
        raise AssertionError("unreachable")

    def health(self, payload: TableName) -> PayloadHealth | None:
        """Counts what was logged in the last two days; None while the payload table is not there."""
        return self._payload_rows(payload).health(self._backend.setup.clock.now())

    def foretell(self, spec: ServingSpec, payload: TableName) -> list[str]:
        """Returns what a deployment would meet beside the version: what cannot be, and what changes place."""
        found = self.look(spec.endpoint_name)
        if found is None:
            return []
        told: list[str] = []
        try:
            demand_ours(found)
        except ModelError as error:
            told.append(f"would stop: {error}")
        if found.updating:
            told.append(f"wait for the update that is under way: {found.detail}")
        enabled = self._backend.setup.monitor.inference_table.enabled
        if found.payload is None and enabled:
            told.append(f"switch logging on, into {payload}; requests before that are not logged")
        elif found.payload is not None and not enabled:
            told.append(f"switch logging off; what was logged stays in {found.payload}")
        elif found.payload not in {None, payload}:
            told.append(f"log into {payload} from then on; what was logged stays in {found.payload}")
        if found.raw.route_optimized:
            told.append("it is route optimized, which cannot be changed: requests need OAuth, at its own URL")
        return told

    @property
    def _client(self) -> WorkspaceClient:
        return self._backend.client

    @cached_property
    def _scoring(self) -> WorkspaceClient:
        from lakemon_databricks.workspace.connection import for_scoring

        return for_scoring(self._client)

    @cached_property
    def _addresses(self) -> dict[str, tuple[str, Mapping[str, str]]]:
        return {}

    def _address(self, name: str) -> tuple[str, Mapping[str, str]]:
        """Returns where requests go, and the version behind each entity's name."""
        if name not in self._addresses:
            found = self.look(name)
            if found is None:
                raise ModelError(
                    "LM416", f"there is no endpoint {name};", cure="make it with `lakemon deploy`."
                )
            names = {one.name or "": one.entity_version or "" for one in found.outputs}
            self._addresses[name] = (found.url, names)
        return self._addresses[name]

    def _changing(self, name: str, seconds: float, progress: Progress) -> Changing:
        until = time.monotonic() + seconds
        waiting = Waiting(self._client, lambda: self.look(name), progress, until)
        setup, config = self._backend.setup, self._backend.config
        ours = {"lakemon_config": setup.monitor.config_hash, "lakemon_git_sha": setup.git_sha}
        tags = {**config.tags, **{key: value for key, value in ours.items() if value}}
        return Changing(self._client, name, tags, waiting)

    def _ready(self, changing: Changing, asked: Wanted, *, changed: bool) -> EndpointState:
        """Waits until the endpoint answers, and notes what it serves from now on.

        Only now the mark is set: an update that is sent, but not marked, is sent again by the next run.
        """
        shares = {one.version: one.share for one in asked.entities}
        ready = changing.waiting.ready(changing.endpoint, shares, changed=changed)
        changing.tag(ready, {MARK: asked.mark})
        deployment = Deployment(self._backend.setup.clock.now(), asked.entities[0].model, shares)
        note(self._backend.ledger, changing.endpoint, deployment)
        return ready.state

    def _payload_rows(self, payload: TableName) -> PayloadRows:
        from lakemon_databricks.serving.payload_rows import PayloadRows

        return PayloadRows(self._backend.statements, payload)
