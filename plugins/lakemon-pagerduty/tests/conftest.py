import socket

import pytest
from fakes.certificate import make_certificate
from fakes.pagerduty import KEY, EventsApi
from lakemon_pagerduty import PagerDutySink

from lakemon_core.testing.sinks import open_sink


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def pager(certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    with EventsApi(certificate[1]) as server:
        yield server


@pytest.fixture
def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def sink_at(tmp_path):
    """Opens the sink against a server of this machine."""

    def make(url, **settings):
        whole = {"routing_key": "${secret:pager/key}", "events_url": url, "allow_private": True}
        return open_sink(PagerDutySink, whole | settings, tmp_path, secrets={"${secret:pager/key}": KEY})

    return make
