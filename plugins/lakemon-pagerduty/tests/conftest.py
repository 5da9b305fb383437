import pytest
from fakes.fixtures import certificate, free_port, trusted
from fakes.pagerduty import KEY, EventsApi
from lakemon_pagerduty import PagerDutySink

from lakemon_core.testing.sinks import open_sink

__all__ = ["certificate", "free_port", "trusted"]


@pytest.fixture
def pager(certificate, trusted):
    with EventsApi(certificate[1]) as server:
        yield server


@pytest.fixture
def sink_at(tmp_path):
    """Opens the sink against a server of this machine."""

    def make(url, **settings):
        whole = {"routing_key": "${secret:pager/key}", "events_url": url, "allow_private": True}
        return open_sink(PagerDutySink, whole | settings, tmp_path, secrets={"${secret:pager/key}": KEY})

    return make
