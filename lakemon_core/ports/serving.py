"""Registered models and serving endpoints whose requests are logged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from lakemon_core.domain.monitor import ServingSpec
from lakemon_core.domain.names import TableName
from lakemon_core.ports.setting import Progress

if TYPE_CHECKING:
    import pyarrow as pa


PROBE_PREFIX = "lakemon-validate-"
"""A client_request_id that starts so marks a test request: it is logged, but never unpacked or measured."""


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """A registered version, resolved to its number.

    Attributes:
        name: registered three-level name.
        version: the number, as text.
        aliases: of this version.
        run_id: MLflow run that logged it; may be empty.
        inputs: column name → MLflow type of the signature, in order; empty when there is no signature.
        outputs: the same for the outputs.
        flavors: of the MLmodel file.
        tags: of the version; `lakemon.classes` (JSON list) names the classes of a classifier.
        uri: `models:/name/version`.
    """

    name: str
    version: str
    aliases: tuple[str, ...] = ()
    run_id: str = ""
    inputs: Mapping[str, str] = field(default_factory=dict[str, str])
    outputs: Mapping[str, str] = field(default_factory=dict[str, str])
    flavors: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict[str, str])
    uri: str = ""


class Registry(Protocol):
    """Registered models."""

    def point(self) -> None:
        """Points mlflow of this process at this registry and its tracking store."""
        ...

    def resolve(self, name: str, version: str) -> ModelVersion:
        """Turns a number, an alias or `latest` into a version.

        Raises:
            ModelError: LM401 unknown model, LM402 unknown version or alias; both name the nearest.
        """
        ...

    def input_example(self, version: ModelVersion) -> pa.Table | None:
        """Returns the example that was logged with the model, or None."""
        ...


@dataclass(frozen=True, slots=True)
class EndpointState:
    """A serving endpoint as it stands.

    Attributes:
        name: of the endpoint.
        ready: answers requests.
        version: version that answers now; empty when none does.
        previous: version that answered before the last update; empty when none did.
        url: where requests go.
        payload: its payload table.
        detail: state in the backend's own words.
    """

    name: str
    ready: bool
    version: str
    previous: str
    url: str
    payload: TableName | None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class ServingResponse:
    """The answer to one scoring request. `status` is the HTTP status; `error` is empty for 200."""

    request_id: str
    client_request_id: str
    status: int
    predictions: Sequence[object] = ()
    served_version: str = ""
    error: str = ""
    milliseconds: float = 0.0


@dataclass(frozen=True, slots=True)
class LoggedRequest:
    """One request as it was found in the payload table."""

    request_id: str
    client_request_id: str
    status: int
    request: str | None
    response: str | None
    served_version: str


@dataclass(frozen=True, slots=True)
class PayloadHealth:
    """What a payload table holds of the last days; every request counts once.

    Attributes:
        requests: that were logged.
        doubled: rows that repeat a request.
        failed: requests whose status is not 200.
        oversize: requests whose body was too large to be logged.
        newest: when the newest one came, UTC; None for an empty table.
    """

    requests: int
    doubled: int
    failed: int
    oversize: int
    newest: datetime | None


class Serving(Protocol):
    """Serving endpoints whose requests are logged."""

    def get(self, name: str) -> EndpointState | None:
        """Returns the endpoint, or None."""
        ...

    def deploy(
        self, spec: ServingSpec, model: ModelVersion, payload: TableName, *, progress: Progress
    ) -> EndpointState:
        """Creates or updates the endpoint, its payload table on from creation, and waits until READY.

        The version before keeps answering until the new one does. Calling it again with the same version
        changes nothing.

        Raises:
            ModelError: LM410 not ready in time, LM411 the model does not load, LM412 the port is taken,
                LM413 the model is stored as pickle or code and `trust_model` is not set.
        """
        ...

    def rollback(self, name: str, *, progress: Progress) -> EndpointState | None:
        """Puts the previous version back; None when there was none."""
        ...

    def query(
        self, name: str, records: Sequence[Mapping[str, object]], *, client_request_id: str = ""
    ) -> ServingResponse:
        """Sends one scoring request as `dataframe_records`."""
        ...

    def logged(
        self, payload: TableName, request_ids: Sequence[str], *, wait_seconds: float, progress: Progress
    ) -> Sequence[LoggedRequest]:
        """Finds requests again in the payload table; waits up to `wait_seconds` for all of them."""
        ...


@dataclass(frozen=True, slots=True)
class UnpackResult:
    """What unpacking did.

    Attributes:
        requests: read from the payload table.
        rows: new rows in the inference table.
        failed: requests whose status is not 200, left out and counted.
        unreadable: requests or responses that could not be understood, with the first reason each.
    """

    requests: int = 0
    rows: int = 0
    failed: int = 0
    unreadable: Mapping[str, int] = field(default_factory=dict[str, int])


@dataclass(frozen=True, slots=True)
class ServerState:
    """The local model server as it stands.

    Attributes:
        url: where it listens.
        pid: its process.
        started_at: UTC.
        endpoints: what it serves.
        log: file it writes to.
    """

    url: str
    pid: int
    started_at: datetime
    endpoints: Sequence[EndpointState] = ()
    log: str = ""


class ModelServer(Protocol):
    """The process that serves the endpoints of a workspace, where a backend has one of its own."""

    def state(self) -> ServerState | None:
        """Returns the server that runs, or None."""
        ...

    def stop(self) -> bool:
        """Stops it after its requests are logged; False when none ran."""
        ...

    def serve(self) -> None:
        """Serves in this process until it is interrupted.

        Raises:
            ModelError: LM412 when the port is taken.
            WorkspaceBusy: LM601 when a server of this workspace runs already.
        """
        ...
