import socket

import pytest
from fakes.certificate import make_certificate
from fakes.teams import Workflow
from lakemon_teams import TeamsSink

from lakemon_core.testing.sinks import open_sink


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def workflow(certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    with Workflow(certificate[1]) as server:
        yield server


@pytest.fixture
def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def sink_at(tmp_path):
    """Opens the sink with a workflow's URL behind a reference."""

    def make(url, **settings):
        whole = {"workflow_url": "${secret:teams/risk}", "allow_private": True}
        return open_sink(TeamsSink, whole | settings, tmp_path, secrets={"${secret:teams/risk}": url})

    return make
