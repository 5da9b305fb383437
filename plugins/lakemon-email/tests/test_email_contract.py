import pytest

from lakemon_core.testing.sinks import AlertSinkContract, UnreachableSinkContract


class TestEmailSink(AlertSinkContract, UnreachableSinkContract):
    @pytest.fixture
    def mailbox(self, serve, trusted):
        return serve("starttls")

    @pytest.fixture
    def sink(self, sink_at, mailbox):
        return sink_at(mailbox.port, to=["team@example.com"])

    @pytest.fixture
    def received(self, mailbox):
        return lambda: mailbox.texts

    @pytest.fixture
    def unreachable(self, sink_at, free_port):
        return sink_at(free_port, to=["team@example.com"])
