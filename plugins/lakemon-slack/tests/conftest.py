import pytest
from fakes.fixtures import certificate, free_port, trusted
from fakes.slack import SlackServer
from fakes.slack.server import TOKEN
from lakemon_slack import SlackSink

from lakemon_core.testing.sinks import open_sink

__all__ = ["certificate", "free_port", "trusted"]


@pytest.fixture
def slack(certificate, trusted):
    with SlackServer(certificate[1]) as server:
        yield server


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
