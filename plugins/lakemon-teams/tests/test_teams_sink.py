import json
from dataclasses import replace

import pytest
from fakes.receiver import Reply
from fakes.teams import faults, shown
from hypothesis import given
from hypothesis import strategies as st
from lakemon_teams import TeamsConfig
from lakemon_teams.card import message_of
from pydantic import ValidationError

from lakemon_core.domain.incident import DeliveryStatus, Transition
from lakemon_core.testing import WebSinkContract
from lakemon_core.testing.sinks import (
    HOSTILE,
    AlertSinkContract,
    UnreachableSinkContract,
    hostile_notification,
    sample_attempt,
    sample_notification,
)

LINKS = {f"{number}": "https://e.com/" + "a" * 1900 for number in range(99)}


class TestTeamsSink(AlertSinkContract, UnreachableSinkContract):
    @pytest.fixture
    def sink(self, sink_at, workflow):
        return sink_at(workflow.workflow_url)

    @pytest.fixture
    def received(self, workflow):
        return lambda: [shown(card) for card in workflow.cards]

    @pytest.fixture
    def unreachable(self, sink_at, free_port):
        return sink_at(f"https://127.0.0.1:{free_port}/workflows/x")


class TestTeamsOverHttp(WebSinkContract):
    @pytest.fixture
    def sink_to(self, sink_at):
        return sink_at


def send(sink, *targets, **changes):
    note = sample_notification(targets=targets, **changes)
    return sink.deliver(sink.render(note), sample_attempt(targets=targets))


def test_what_a_workflow_took_is_accepted_and_never_called_delivered(sink_at, workflow):
    result = send(sink_at(workflow.workflow_url), "risk")
    assert (result.status, result.code) == (DeliveryStatus.ACCEPTED, "202")
    assert "does not say whether it is shown" in result.detail
    assert workflow.runs == [[]]


@pytest.mark.parametrize(
    ("reply", "status"),
    [
        (Reply(200), DeliveryStatus.ACCEPTED),
        (Reply(429, "", {"Retry-After": "12"}), DeliveryStatus.RETRY),
        (Reply(502), DeliveryStatus.RETRY),
        (Reply(400, "bad"), DeliveryStatus.REJECTED),
        (Reply(413), DeliveryStatus.REJECTED),
        (Reply(302, headers={"Location": "https://example.org"}), DeliveryStatus.REJECTED),
        (None, DeliveryStatus.UNKNOWN),
    ],
)
def test_each_answer_has_its_meaning(sink_at, workflow, reply, status):
    workflow.replies = [reply]
    assert send(sink_at(workflow.workflow_url)).status is status


def test_a_wrong_signature_is_rejected_and_not_shown(sink_at, workflow):
    result = send(sink_at(workflow.workflow_url + "x"))
    assert (result.status, result.code) == (DeliveryStatus.REJECTED, "401")
    assert "sig" not in repr(result)
    assert workflow.cards == []


def test_every_figure_stands_in_the_card(sink_at, workflow):
    send(sink_at(workflow.workflow_url))
    (card,) = workflow.cards
    assert card["body"][0]["inlines"][0]["color"] == "attention"
    for part in (
        "[critical] flight_delays dev: PSI of temp 3.24 > 0.2 since 2013-04-01",
        "5,812 rows",
        "Owner: ML team",
        "Runbook https://wiki.example.com/drift?model=1&x=2",
        "Report https://lakemon.example.com/report?model=1&x=2",
        "lakemon run monitoring_config.yml -e dev",
    ):
        assert part in shown(card)


@pytest.mark.parametrize("transition", Transition)
def test_every_card_would_be_shown(transition):
    assert faults(message_of(sample_notification(transition=transition))[0]) == []


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_name_is_text_and_nothing_else(name):
    body, _ = message_of(hostile_notification(name))
    assert faults(body) == []
    assert {element["type"] for element in json.loads(body)["attachments"][0]["content"]["body"]} == {
        "RichTextBlock"
    }


@given(st.text(max_size=300), st.integers(0, 60))
def test_any_text_makes_a_card_that_is_shown(name, times):
    note = replace(
        hostile_notification(name), lines=(name,) * times, facts={f"{n}{name}": name for n in range(times)}
    )
    body, _ = message_of(note)
    assert faults(body) == []
    assert len(body) <= 20_000


@pytest.mark.parametrize("name", ["🌡" * 2000, '"' * 2000, "\\" * 2000])
def test_a_flood_is_cut_and_says_so(name):
    facts = {f"{n}{name}": name for n in range(99)}
    note = replace(
        hostile_notification(name), lines=(name,) * 500, facts=facts, links=LINKS, command=f"{name}\n" * 9
    )
    body, was_cut = message_of(note)
    assert was_cut
    assert len(body) <= 20_000
    assert "shortened" in shown(json.loads(body)["attachments"][0]["content"])


DEAD = [
    "https://acme.webhook.office.com/webhookb2/x@y/IncomingWebhook/z",
    "https://outlook.office.com/webhook/x",
]


@pytest.mark.parametrize("url", DEAD)
def test_urls_of_the_dead_connectors_are_refused_with_a_way_out(sink_at, url):
    with pytest.raises(ValidationError, match="make a workflow"):
        TeamsConfig.model_validate({"workflow_url": url})
    result = send(sink_at(url))
    assert (result.status, result.code) == (DeliveryStatus.RETRY, "LM555")
    assert not sink_at(url).check().ok


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "Field required"),
        ({"workflow_url": "https://prod.logic.azure.com/x?sig=abc"}, "keep it out of the file"),
        ({"workflow_url": "${env:A}", "webhook_url": "x"}, "Extra inputs"),
    ],
)
def test_wrong_settings_are_refused(settings, message):
    with pytest.raises(ValidationError, match=message):
        TeamsConfig.model_validate(settings)
