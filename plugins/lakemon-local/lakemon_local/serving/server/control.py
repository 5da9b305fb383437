"""The endpoints in memory: which model answers, and how the next one takes its place."""

from __future__ import annotations

import logging
import os
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from lakemon_core.domain.errors import LakemonError, ModelError
from lakemon_core.domain.names import TableName
from lakemon_core.ports import Clock, Tables
from lakemon_core.tracking import ModelRegistry, demand_trust
from lakemon_local.serving.endpoints import Endpoint, EndpointFile, Entity
from lakemon_local.serving.server.scoring import LoadedModel, load
from lakemon_local.serving.server.wire import Refused, no_endpoint
from lakemon_local.serving.spool import payload_schema

_log = logging.getLogger(__name__)


class Update(StrEnum):
    """Databricks' words for where a config update stands."""

    NOT_UPDATING = "NOT_UPDATING"
    IN_PROGRESS = "IN_PROGRESS"
    FAILED = "UPDATE_FAILED"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a deploy asks for.

    Attributes:
        model: registered three-level name.
        version: the number, as text.
        trust_model: may be loaded from pickle or code.
        environment: variables for the model; values stay in memory.
        rollback: it is the version before; nothing is kept to go back to afterwards.
        workload_size: echoed.
        scale_to_zero: echoed.
    """

    model: str
    version: str
    trust_model: bool = False
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    rollback: bool = False
    workload_size: str = "Small"
    scale_to_zero: bool = True


@dataclass(slots=True)
class Live:
    """One endpoint while the server runs."""

    endpoint: Endpoint
    loaded: LoadedModel | None = None
    update: Update = Update.NOT_UPDATING
    pending: Entity | None = None
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    error: LakemonError | None = None


@dataclass(frozen=True, slots=True)
class _Change:
    entity: Entity
    environment: Mapping[str, str]
    rollback: bool = False


class Control:
    """Creates and updates endpoints; models load one at a time, in the background.

    Args:
        file: what is remembered over restarts.
        registry: where models come from.
        tables: where payload tables are made.
        clock: the time.
    """

    def __init__(self, file: EndpointFile, registry: ModelRegistry, tables: Tables, clock: Clock) -> None:
        self._file = file
        self._registry = registry
        self._tables = tables
        self._clock = clock
        self._lock = threading.Lock()
        self._loading = threading.Lock()
        self._live = {name: Live(endpoint) for name, endpoint in file.read().items()}

    def resume(self) -> None:
        """Loads what answered when the server ended."""
        with self._lock:
            for name in self._names():
                live = self._live[name]
                if live.endpoint.current is not None:
                    self._begin(live, _Change(live.endpoint.current, {}))

    def names(self) -> list[str]:
        """Returns the names of all endpoints, sorted."""
        with self._lock:
            return self._names()

    def find(self, name: str) -> Live | None:
        """Returns a copy of an endpoint as it stands now, or None."""
        with self._lock:
            return replace(self._live[name]) if name in self._names() else None

    def create(self, name: str, wanted: Wanted, payload: TableName | None) -> None:
        """Makes an endpoint with its payload table on, and begins to load its model.

        Raises:
            Refused: 409 when there is one of this name.
            DataError: when the payload table cannot be made.
        """
        if self.find(name) is not None:
            message = f"Serving endpoint with name {name} already exists."
            raise Refused(409, "RESOURCE_ALREADY_EXISTS", message)
        if payload is not None:
            self._make(payload)
        with self._lock:
            before = self._live.get(name)  # a deleted one of this name: its rows are still known
            past = before.endpoint.past if before else ()
            self._live[name] = Live(Endpoint(name, self._clock.now(), payload, past=past))
            self._remember()
        self.configure(name, wanted)

    def configure(self, name: str, wanted: Wanted) -> None:
        """Begins to load another version; what answers now goes on until that one does.

        A version that answers already under the same trust and variables is left alone.

        Raises:
            Refused: 404 unknown endpoint, 409 while another update is under way.
        """
        with self._lock:
            live = self._existing(name)
            if live.update is Update.IN_PROGRESS:
                raise Refused(409, "RESOURCE_CONFLICT", f"Endpoint {name} is being updated.")
            environment = live.environment if wanted.rollback else wanted.environment
            change = _Change(self._entity(wanted), environment, wanted.rollback)
            stands = live.loaded is not None and change.entity.same(live.endpoint.current)
            if stands and dict(environment) == dict(live.environment):
                live.update, live.pending, live.error = Update.NOT_UPDATING, None, None
                return
            self._begin(live, change)

    def log_to(self, name: str, payload: TableName | None) -> None:
        """Sets the payload table; None switches logging off.

        Raises:
            Refused: 404 unknown endpoint.
            DataError: when the payload table cannot be made.
        """
        if payload is not None:
            self._make(payload)
        with self._lock:
            live = self._existing(name)
            live.endpoint = replace(live.endpoint, payload=payload)
            self._remember()

    def delete(self, name: str) -> None:
        """Removes an endpoint; its payload table stays.

        Raises:
            Refused: 404 unknown endpoint.
        """
        with self._lock:
            live = self._existing(name)
            self._live[name] = Live(replace(live.endpoint, current=None, previous=None, deleted=True))
            self._remember()

    def _names(self) -> list[str]:
        return sorted(name for name, live in self._live.items() if not live.endpoint.deleted)

    def _existing(self, name: str) -> Live:
        if name not in self._names():
            raise no_endpoint(name)
        return self._live[name]

    def _entity(self, wanted: Wanted) -> Entity:
        return Entity(
            id=uuid.uuid4().hex,
            model=wanted.model,
            version=wanted.version,
            trust_model=wanted.trust_model,
            at=self._clock.now(),
            workload_size=wanted.workload_size,
            scale_to_zero=wanted.scale_to_zero,
        )

    def _make(self, payload: TableName) -> None:
        if not self._tables.exists(payload):
            self._tables.append(payload, payload_schema().empty_table())

    def _remember(self) -> None:
        self._file.write({name: live.endpoint for name, live in self._live.items()})

    def _begin(self, live: Live, change: _Change) -> None:
        """Loads a model in the background; the caller holds the lock."""
        live.update, live.pending, live.error = Update.IN_PROGRESS, change.entity, None
        threading.Thread(target=self._change, args=(live, change), name="load", daemon=True).start()

    def _change(self, live: Live, change: _Change) -> None:
        """Loads a model and puts it in the place of the one that answers."""
        entity = change.entity
        try:
            loaded = self._load(entity, change.environment)
            with self._lock:
                live.endpoint = _moved_to(live.endpoint, change)
                self._remember()  # first, so that every logged id is known whatever happens next
                live.loaded, live.environment = loaded, dict(change.environment)
                live.update, live.pending = Update.NOT_UPDATING, None
        except Exception as error:  # noqa: BLE001 - a thread has nobody to raise to: the endpoint's state tells
            _log.exception("%s does not load", entity.name)
            with self._lock:
                live.update, live.error = Update.FAILED, _told(error, entity)
            return
        _log.info("endpoint %s answers with %s", live.endpoint.name, entity.name)

    def _load(self, entity: Entity, environment: Mapping[str, str]) -> LoadedModel:
        label = f"{entity.model} version {entity.version}"
        with self._loading:
            folder = self._registry.folder(self._registry.resolve(entity.model, entity.version))
            demand_trust(folder, label, trust_model=entity.trust_model)
            os.environ.update(environment)
            return load(folder, label)


def _told(error: Exception, entity: Entity) -> LakemonError:
    if isinstance(error, LakemonError):
        return error
    return ModelError(
        "LM411",
        f"{entity.model} version {entity.version} does not load: {error!r};",
        cure="read the log of the model server, mend the cause and deploy again.",
    )


def _moved_to(endpoint: Endpoint, change: _Change) -> Endpoint:
    """Returns the endpoint after a version took over; the same entity again (a restart) moves nothing."""
    before, entity = endpoint.current, change.entity
    if before is not None and before.id == entity.id:
        return endpoint
    previous = endpoint.previous if entity.same(before) else before
    return replace(
        endpoint,
        current=entity,
        previous=None if change.rollback else previous,
        past=(*endpoint.past, entity),
    )
