import pytest
from fakes.fixtures import certificate, free_port, trusted
from fakes.teams import Workflow
from lakemon_teams import TeamsSink

from lakemon_core.testing.sinks import open_sink

__all__ = ["certificate", "free_port", "trusted"]


@pytest.fixture
def workflow(certificate, trusted):
    with Workflow(certificate[1]) as server:
        yield server


@pytest.fixture
def sink_at(tmp_path):
    """Opens the sink with a workflow's URL behind a reference."""

    def make(url, **settings):
        whole = {"workflow_url": "${secret:teams/risk}", "allow_private": True}
        return open_sink(TeamsSink, whole | settings, tmp_path, secrets={"${secret:teams/risk}": url})

    return make
