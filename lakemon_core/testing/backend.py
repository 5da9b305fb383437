"""What every backend must do, as tests: subclass `BackendContract` and give it yours.

    class TestMyBackend(BackendContract):
        @pytest.fixture
        def open_backend(self, tmp_path):
            return lambda: opened_backend(MyBackend, {}, tmp_path)

        @pytest.fixture
        def registered(self, tmp_path):
            return Registered("dev.flights.delays", "1", "2", TableName("dev", "flights", "logs_payload"))

Its tables and its ledger have suites of their own: `TablesContract` and `LedgerContract`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest

from lakemon_core.config import from_dict
from lakemon_core.domain.errors import ModelError, WorkspaceBusy
from lakemon_core.domain.monitor import ServingSpec
from lakemon_core.domain.names import TableName
from lakemon_core.pipeline.session import SystemClock
from lakemon_core.ports import (
    API_VERSION,
    Backend,
    BackendSetup,
    EndpointState,
    ModelVersion,
    PluginConfig,
    ServingResponse,
)
from lakemon_core.testing.sinks import GivenSecrets


@dataclass(frozen=True, slots=True)
class Registered:
    """What a backend author has registered for the suite.

    Attributes:
        model: three-level name of a model with a signature and an input example.
        first: one of its versions; the alias `champion` points to it.
        second: its newest version; answers the same inputs.
        payload: a payload table that may be made.
    """

    model: str
    first: str
    second: str
    payload: TableName


class Quiet:
    """Progress that nobody looks at."""

    def update(self, what: str, done: int | None = None, total: int | None = None) -> None:
        """Does nothing."""


def opened_backend(backend_class: type[Backend], settings: Mapping[str, object], workspace: Path) -> Backend:
    """Opens a backend as lakemon does, with the settings that its section in an environment would have."""
    place = {"backend": backend_class.type, "catalog": "dev", "schema": "flights"}
    monitor = from_dict({"environments": {"dev": place}}).monitor
    config = backend_class.Config.model_validate(dict(settings))
    return backend_class(BackendSetup(monitor, workspace, SystemClock(), GivenSecrets(), config))


class BackendContract:
    """A suite for one implementation of `Backend`.

    Override `open_backend` (each call opens the same workspace anew, as the next `lakemon` call does) and
    `registered`. Deploying may take long: `ready_seconds` and `logged_seconds` say how long.
    """

    endpoint: ClassVar[str] = "lakemon-contract"
    ready_seconds: ClassVar[float] = 120.0
    logged_seconds: ClassVar[float] = 30.0

    @pytest.fixture
    def open_backend(self) -> Callable[[], Backend]:
        """Opens the backend; to be overridden."""
        raise NotImplementedError

    @pytest.fixture
    def registered(self) -> Registered:
        """What is registered; to be overridden."""
        raise NotImplementedError

    @pytest.fixture
    def backend(self, open_backend: Callable[[], Backend]) -> Iterator[Backend]:
        """The backend, opened."""
        backend = open_backend()
        yield backend
        backend.close()

    def test_it_says_what_it_is(self, backend: Backend) -> None:
        """Type, API version and a strict config."""
        assert backend.type
        assert backend.lakemon_api == API_VERSION
        assert issubclass(backend.Config, PluginConfig)

    def test_closing_twice_is_no_error(self, open_backend: Callable[[], Backend]) -> None:
        """Also when nothing was used."""
        backend = open_backend()
        backend.close()
        backend.close()

    def test_a_second_run_is_told_who_holds_the_workspace(
        self, backend: Backend, open_backend: Callable[[], Backend]
    ) -> None:
        """And comes in once the first has ended."""
        other = open_backend()
        with backend.hold("run-1"), pytest.raises(WorkspaceBusy, match=r"LM601 .*run-1"), other.hold("run-2"):
            pass
        with other.hold("run-2"):
            pass
        other.close()

    def test_what_the_ledger_notes_is_there_for_the_next_call(
        self, backend: Backend, open_backend: Callable[[], Backend]
    ) -> None:
        """Also after closing."""
        backend.ledger.put("contract", "noted")
        backend.close()
        other = open_backend()
        assert other.ledger.get("contract") == "noted"
        other.close()

    def test_a_version_is_found_by_number_alias_and_latest(
        self, backend: Backend, registered: Registered
    ) -> None:
        """With its signature."""
        registry = backend.registry
        first = registry.resolve(registered.model, registered.first)
        assert first.version == registered.first
        assert first.inputs
        assert registry.resolve(registered.model, "champion") == first
        assert registry.resolve(registered.model, "latest").version == registered.second

    def test_what_is_not_registered_is_named(self, backend: Backend, registered: Registered) -> None:
        """With the nearest that is."""
        with pytest.raises(ModelError, match="LM401") as unknown:
            backend.registry.resolve(registered.model + "x", "1")
        assert registered.model in str(unknown.value)
        with pytest.raises(ModelError, match="LM402") as missing:
            backend.registry.resolve(registered.model, "champoin")
        assert "champion" in str(missing.value)

    def test_the_input_example_has_the_inputs_of_the_signature(
        self, backend: Backend, registered: Registered
    ) -> None:
        """As an Arrow table."""
        version = backend.registry.resolve(registered.model, registered.first)
        example = backend.registry.input_example(version)
        assert example is not None
        assert example.column_names == list(version.inputs)

    def test_an_endpoint_that_was_never_deployed_is_none(self, backend: Backend) -> None:
        """Also for a rollback."""
        assert backend.serving.get("never-deployed") is None
        assert backend.serving.rollback("never-deployed", progress=Quiet()) is None

    def test_an_endpoint_lives(
        self, backend: Backend, open_backend: Callable[[], Backend], registered: Registered
    ) -> None:
        """Deployed, asked, found again in its payload table, updated, rolled back."""
        first = self._deploy(backend, registered, registered.first)
        assert (first.ready, first.version, first.payload) == (True, registered.first, registered.payload)
        answer = self._ask(backend, registered)
        assert answer.status == 200
        assert answer.served_version == registered.first
        assert len(answer.predictions) == 1
        found = backend.serving.logged(
            registered.payload, [answer.request_id], wait_seconds=self.logged_seconds, progress=Quiet()
        )
        assert [(entry.request_id, entry.client_request_id, entry.status) for entry in found] == [
            (answer.request_id, "contract-1", 200)
        ]
        assert found[0].served_version == registered.first

        again = open_backend()
        assert again.serving.get(self.endpoint) == first
        assert self._deploy(again, registered, registered.first) == first
        second = self._deploy(again, registered, registered.second)
        assert (second.version, second.previous) == (registered.second, registered.first)
        back = again.serving.rollback(self.endpoint, progress=Quiet())
        assert back is not None
        assert back.version == registered.first
        assert self._ask(again, registered).served_version == registered.first
        again.close()

    def _deploy(self, backend: Backend, registered: Registered, number: str) -> EndpointState:
        version = backend.registry.resolve(registered.model, number)
        spec = ServingSpec(self.endpoint, timeout_seconds=self.ready_seconds)
        return backend.serving.deploy(spec, version, registered.payload, progress=Quiet())

    def _ask(self, backend: Backend, registered: Registered) -> ServingResponse:
        version: ModelVersion = backend.registry.resolve(registered.model, registered.first)
        example = backend.registry.input_example(version)
        assert example is not None
        record: Mapping[str, object] = example.slice(0, 1).to_pylist()[0]
        return backend.serving.query(self.endpoint, [record], client_request_id="contract-1")
