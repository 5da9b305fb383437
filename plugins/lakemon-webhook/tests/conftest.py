import socket

import pytest
from fakes.certificate import make_certificate
from fakes.receiver import Receiver
from lakemon_webhook import WebhookSink

from lakemon_core.testing.sinks import open_sink

SECRET = "whsec_" + "bGFrZW1vbiBzaWducyB3aGF0IGl0IHNlbmRz"


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def receiver(certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    with Receiver(certificate[1]) as server:
        yield server


@pytest.fixture
def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def sink_at(tmp_path):
    """Opens a sink against a server of this machine; references stand for URL and secret."""

    def make(url, **settings):
        secrets = {"${secret:hook/url}": url, "${secret:hook/secret}": SECRET}
        whole = {"url": "${secret:hook/url}", "secret": "${secret:hook/secret}", "allow_private": True}
        return open_sink(WebhookSink, whole | settings, tmp_path, secrets=secrets)

    return make
