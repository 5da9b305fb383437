"""The local backend keeps the contract of backends, opens lightly, and refuses an open door."""

import subprocess
import sys
from datetime import UTC, datetime

import pytest
from lakemon_local import LocalBackend, LocalConfig
from pydantic import ValidationError

from lakemon_core.domain.monitor import InferenceTableSpec, Monitor, MonitoringSpec
from lakemon_core.domain.names import TableName
from lakemon_core.domain.window import Granularity
from lakemon_core.ports import BackendSetup
from lakemon_core.testing.backend import BackendContract, Registered


class Now:
    def now(self):
        return datetime.now(UTC)


class NoSecrets:
    def reveal(self, text: str) -> str:
        return text

    def redact(self, text: str) -> str:
        return text


def monitor() -> Monitor:
    table = TableName("dev", "flights", "logs")
    return Monitor(
        environment="dev",
        backend="local",
        catalog="dev",
        schema="flights",
        model=None,
        serving=None,
        inference_table=InferenceTableSpec(table, table.sibling(suffix="_payload")),
        monitoring=MonitoringSpec("monitoring", (Granularity("1 day"),)),
    )


def open_local(workspace, **config: object) -> LocalBackend:
    return LocalBackend(BackendSetup(monitor(), workspace, Now(), NoSecrets(), LocalConfig(**config)))


class TestLocalBackend(BackendContract):
    @pytest.fixture
    def open_backend(self, site):
        return lambda: open_local(site.workspace)

    @pytest.fixture
    def registered(self, site):
        site.registry.set_alias(site.model, "champion", "1")
        return Registered(site.model, "1", "2", TableName("dev", "flights", "logs_payload"))


def test_opening_writes_nothing_and_imports_nothing_heavy(tmp_path):
    script = (
        "import sys, lakemon_local;"
        "print(sorted({'mlflow', 'deltalake', 'duckdb', 'pandas', 'pyarrow', 'numpy', 'starlette', 'uvicorn'}"
        " & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    backend = open_local(tmp_path / "ws")
    backend.close()
    assert not (tmp_path / "ws").exists()


def test_a_workspace_without_a_server_has_no_dashboard_and_nothing_to_unpack(tmp_path):
    backend = open_local(tmp_path / "ws")
    assert backend.dashboard_url is None
    assert backend.server.state() is None
    assert backend.serving.get("nobody") is None
    assert not (tmp_path / "ws").exists()
    backend.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_a_local_server_needs_no_token(host):
    assert LocalConfig(host=host).token == ""


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.7", "::", "box.example"])
def test_a_server_that_others_can_reach_needs_a_token(host):
    with pytest.raises(ValidationError, match=r"set local\.token"):
        LocalConfig(host=host)
    assert LocalConfig(host=host, token="${secret:a/b}").host == host


@pytest.mark.parametrize("port", [-1, 65536])
def test_a_port_is_a_port(port):
    with pytest.raises(ValidationError):
        LocalConfig(port=port)
