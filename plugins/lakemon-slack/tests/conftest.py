import socket

import pytest
from fakes.certificate import make_certificate
from fakes.slack import SlackServer
from fakes.slack.server import TOKEN
from lakemon_slack import SlackSink

from lakemon_core.testing.sinks import open_sink


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def slack(certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    with SlackServer(certificate[1]) as server:
        yield server


@pytest.fixture
def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def bot_at(tmp_path):
    """Opens the sink with a bot token against a server of this machine."""

    def make(server, **settings):
        whole = {
            "token": "${secret:slack/bot}",
            "channel": "#ml",
            "api_url": server.api_url,
            "allow_private": True,
        }
        return open_sink(SlackSink, whole | settings, tmp_path, secrets={"${secret:slack/bot}": TOKEN})

    return make


@pytest.fixture
def hook_at(tmp_path):
    """Opens the sink with an incoming webhook at a URL."""

    def make(url, **settings):
        whole = {"webhook_url": "${secret:slack/hook}", "allow_private": True}
        return open_sink(SlackSink, whole | settings, tmp_path, secrets={"${secret:slack/hook}": url})

    return make
