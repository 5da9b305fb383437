"""One incident from its opening to its end, as Slack, Teams, PagerDuty and a webhook hear of it."""

import pytest
from fakes.certificate import make_certificate
from fakes.pagerduty import KEY, EventsApi
from fakes.receiver import Receiver
from fakes.slack import SlackServer
from fakes.slack.payload import shown as shown_in_slack
from fakes.slack.server import TOKEN
from fakes.teams import Workflow
from fakes.teams import shown as shown_in_teams

SECRET = "whsec_" + "bGFrZW1vbiBzaWducyB3aGF0IGl0IHNlbmRz"
SINKS = """
  slack:
    {type: slack, token: "${secret:slack/bot}", channel: "#ml", api_url: "${env:SLACK}", allow_private: true}
  risk: {type: teams, workflow_url: "${secret:teams/risk}", allow_private: true}
  oncall:
    {type: pagerduty, routing_key: "${secret:pager/key}", events_url: "${env:PAGER}", allow_private: true}
  hook: {type: webhook, url: "${secret:hook/url}", secret: "${secret:hook/key}", allow_private: true}
"""


class Channels:
    """The four receivers, and the environment in which lakemon finds them."""

    def __init__(self, folder):
        public, both = make_certificate(folder)
        self.slack, self.teams = SlackServer(both), Workflow(both)
        self.pager, self.hook = EventsApi(both), Receiver(both)
        self.environment = {
            "SSL_CERT_FILE": str(public),
            "SLACK": self.slack.api_url,
            "PAGER": self.pager.url,
            "LAKEMON_SECRET_SLACK_BOT": TOKEN,
            "LAKEMON_SECRET_TEAMS_RISK": self.teams.workflow_url,
            "LAKEMON_SECRET_PAGER_KEY": KEY,
            "LAKEMON_SECRET_HOOK_URL": self.hook.url,
            "LAKEMON_SECRET_HOOK_KEY": SECRET,
        }

    def close(self):
        for one in (self.slack, self.teams, self.pager, self.hook):
            one.close()


@pytest.fixture
def channels(tmp_path_factory, monkeypatch):
    made = Channels(tmp_path_factory.mktemp("tls"))
    for name, value in made.environment.items():
        monkeypatch.setenv(name, value)
    yield made
    made.close()


def test_every_channel_hears_of_the_opening_and_of_the_end(project, channels):
    project.config(sinks=SINKS.strip())
    project.day(0, nulls=50)
    ((_, _, opened),) = channels.slack.posts
    assert "🔴 [critical]" in shown_in_slack(opened) or "🟠 [warning]" in shown_in_slack(opened)
    assert "null rate of amount" in shown_in_teams(channels.teams.cards[0])
    (incident,) = channels.pager.alerts
    assert channels.hook.requests[0].json["data"]["incidents"][0]["incident"] == incident

    project.day(1, nulls=0)
    assert channels.pager.alerts == {}
    (root, reply) = (message for message in channels.slack.messages.values())
    assert "🟢 [resolved]" in shown_in_slack(root)
    assert reply["thread_ts"] == next(ts for _, ts in channels.slack.messages)
    assert "[resolved]" in shown_in_teams(channels.teams.cards[1])
    assert [one.json["type"].rpartition(".")[2] for one in channels.hook.requests] == ["opened", "resolved"]
    assert channels.hook.requests[1].json["data"]["incidents"][0]["incident"] == incident

    sent = project.lakemon("alert", "list")
    traces = [path.read_bytes() for path in (project.folder / ".lakemon").rglob("*") if path.is_file()]
    for secret in (TOKEN, KEY, SECRET, "s3cretOfTheWorkflow", channels.hook.url):
        assert secret not in str(sent)
        assert not [data for data in traces if secret.encode() in data]


def test_channels_that_keep_a_state_hear_that_a_rule_is_gone_and_people_do_not(project, channels):
    project.config(sinks=SINKS.strip())
    project.day(0, nulls=50)
    assert len(channels.pager.alerts) == 1
    project.config("_of_another_name", sinks=SINKS.strip())
    project.lakemon("alert")
    opened, over = (one.json["data"]["incidents"][0] for one in channels.hook.requests[:2])
    assert (over["incident"], over["transition"], over["reason"]) == (
        opened["incident"],
        "resolved",
        "rule_removed",
    )
    assert opened["incident"] not in channels.pager.alerts
    root = next(iter(channels.slack.messages.values()))
    assert "null rate of amount is not looked at as before: rule removed" in shown_in_slack(root)
    assert not any("[resolved]" in shown_in_teams(card) for card in channels.teams.cards)
