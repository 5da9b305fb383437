import pytest
from fakes.fixtures import certificate, free_port, trusted
from fakes.receiver import Receiver
from lakemon_webhook import WebhookSink

from lakemon_core.testing.sinks import open_sink

__all__ = ["certificate", "free_port", "trusted"]

SECRET = "whsec_" + "bGFrZW1vbiBzaWducyB3aGF0IGl0IHNlbmRz"


@pytest.fixture
def receiver(certificate, trusted):
    with Receiver(certificate[1]) as server:
        yield server


@pytest.fixture
def sink_at(tmp_path):
    """Opens a sink against a server of this machine; references stand for URL and secret."""

    def make(url, **settings):
        secrets = {"${secret:hook/url}": url, "${secret:hook/secret}": SECRET}
        whole = {"url": "${secret:hook/url}", "secret": "${secret:hook/secret}", "allow_private": True}
        return open_sink(WebhookSink, whole | settings, tmp_path, secrets=secrets)

    return make
