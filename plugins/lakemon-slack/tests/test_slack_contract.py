import pytest
from fakes.slack.payload import shown

from lakemon_core.testing import WebSinkContract
from lakemon_core.testing.sinks import AlertSinkContract, UnreachableSinkContract


class TestSlackWebhook(AlertSinkContract, UnreachableSinkContract):
    @pytest.fixture
    def sink(self, hook_at, slack):
        return hook_at(slack.hook_url)

    @pytest.fixture
    def received(self, slack):
        return lambda: [shown(message) for _, _, message in slack.posts]

    @pytest.fixture
    def unreachable(self, hook_at, free_port):
        return hook_at(f"https://127.0.0.1:{free_port}/services/x")


class TestSlackBot(TestSlackWebhook):
    @pytest.fixture
    def sink(self, bot_at, slack):
        return bot_at(slack)

    @pytest.fixture
    def unreachable(self, bot_at, slack, free_port):
        return bot_at(slack, api_url=f"https://127.0.0.1:{free_port}/api")


class TestSlackWebhookOverHttp(WebSinkContract):
    @pytest.fixture
    def sink_to(self, hook_at):
        return hook_at


class TestSlackBotOverHttp(WebSinkContract):
    @pytest.fixture
    def sink_to(self, bot_at, slack):
        return lambda url: bot_at(slack, api_url=url)
