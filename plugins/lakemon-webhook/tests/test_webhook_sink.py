import json
from dataclasses import replace
from datetime import timedelta

import pytest
from fakes.receiver import Reply
from lakemon_webhook import WebhookConfig
from pydantic import ValidationError
from standardwebhooks import Webhook, WebhookVerificationError

from lakemon_core.domain.incident import DeliveryStatus, Transition
from lakemon_core.testing import WebSinkContract
from lakemon_core.testing.sinks import (
    AlertSinkContract,
    UnreachableSinkContract,
    hostile_evidence,
    hostile_notification,
    sample_attempt,
    sample_notification,
)

SECRET = "whsec_" + "bGFrZW1vbiBzaWducyB3aGF0IGl0IHNlbmRz"
OTHER = "whsec_" + "YW5vdGhlciBzZWNyZXQgb2YgdGhlIHNhbWUga2luZA=="


class TestWebhookSink(AlertSinkContract, UnreachableSinkContract):
    @pytest.fixture
    def sink(self, sink_at, receiver):
        return sink_at(receiver.url)

    @pytest.fixture
    def received(self, receiver):
        return lambda: ["\n".join(texts(request.json)) for request in receiver.requests]

    @pytest.fixture
    def unreachable(self, sink_at, free_port):
        return sink_at(f"https://127.0.0.1:{free_port}")


class TestWebhookOverHttp(WebSinkContract):
    @pytest.fixture
    def sink_to(self, sink_at):
        return sink_at


def texts(value):
    """All texts of a JSON value, as a program reads them."""
    if isinstance(value, dict):
        return [text for pair in value.items() for one in pair for text in texts(one)]
    if isinstance(value, list):
        return [text for one in value for text in texts(one)]
    return [str(value)]


def send(sink, note=None, **attempt):
    return sink.deliver(sink.render(note or sample_notification()), sample_attempt(**attempt))


@pytest.fixture
def of_today(monkeypatch):
    """The verifier's clock stands where that of the sink stands."""
    import standardwebhooks.webhooks as verifier

    from lakemon_core.testing.sinks import FixedClock

    class Today(verifier.datetime):
        @classmethod
        def now(cls, tz=None):
            return FixedClock().moment

    monkeypatch.setattr(verifier, "datetime", Today)


def test_the_official_verifier_accepts_what_was_sent_and_nothing_else(sink_at, receiver, of_today):
    send(sink_at(receiver.url))
    (request,) = receiver.requests
    assert Webhook(SECRET).verify(request.body, request.headers) == request.json
    for body, headers in [
        (request.body.replace(b"3.24", b"0.01"), request.headers),
        (request.body, request.headers | {"webhook-id": "another"}),
        (request.body, request.headers | {"webhook-timestamp": "1"}),
    ]:
        with pytest.raises(WebhookVerificationError):
            Webhook(SECRET).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(OTHER).verify(request.body, request.headers)


def test_an_old_message_cannot_be_replayed(sink_at, receiver, of_today):
    sink = sink_at(receiver.url)
    sink.setup.clock.moment -= timedelta(minutes=10)
    send(sink)
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(receiver.requests[0].body, receiver.requests[0].headers)


def test_while_a_secret_is_replaced_both_receivers_accept(sink_at, receiver, of_today):
    send(sink_at(receiver.url, secret=["${secret:hook/secret}", OTHER.removeprefix("whsec_")]))
    (request,) = receiver.requests
    for secret in (SECRET, OTHER):
        Webhook(secret).verify(request.body, request.headers)


def test_every_attempt_has_the_same_id_and_body(sink_at, receiver):
    receiver.replies = [Reply(503)]
    sink = sink_at(receiver.url)
    assert send(sink, number=1).status is DeliveryStatus.RETRY
    assert send(sink, number=2).status is DeliveryStatus.DELIVERED
    first, second = receiver.requests
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == sample_attempt().key
    assert first.body == second.body


def test_a_program_finds_every_figure(sink_at, receiver):
    send(sink_at(receiver.url), sample_notification(transition=Transition.RESOLVED))
    body = receiver.requests[0].json
    assert (body["type"], body["timestamp"]) == ("lakemon.incident.resolved", "2013-04-29T06:00:00Z")
    (incident,) = body["data"]["incidents"]
    assert incident["incident"] == "a1b2c3d4e5f60718.1"
    assert (incident["value"], incident["limit"], incident["n"]) == (3.24, 0.2, 5812)
    assert (incident["lower"], incident["upper"], incident["since"]) == (
        3.1,
        3.4,
        "2013-04-01T00:00:00+00:00",
    )
    assert incident["contributors"][1] == {"column": "dest", "statistic": "psi", "value": 0.4}
    assert body["data"]["links"]["Report"] == "https://lakemon.example.com/report?model=1&x=2"
    assert body["data"]["commands"] == ["lakemon run monitoring_config.yml -e dev"]


def test_a_cloud_event_has_what_its_standard_asks_for(sink_at, receiver, of_today):
    send(sink_at(receiver.url, format="cloudevents"))
    (request,) = receiver.requests
    event = request.json
    assert request.headers["content-type"] == "application/cloudevents+json"
    assert (event["specversion"], event["type"]) == ("1.0", "lakemon.incident.opened")
    assert event["source"] == "/lakemon/dev/mlops_dev.flights.flight_delays"
    assert (event["id"], event["subject"]) == (sample_notification().key, sample_notification().thread)
    Webhook(SECRET).verify(request.body, request.headers)


LINKS = {f"{number}": "https://e.com/" + "a" * 1900 for number in range(99)}


@pytest.mark.parametrize("form", ["standard", "cloudevents"])
@pytest.mark.parametrize("name", ["🌡" * 500, '"' * 500, "<!channel>"], ids=["wide", "escaped", "short"])
def test_no_name_makes_a_body_too_large(sink_at, form, name):
    hostile = replace(hostile_notification(name), evidence=(hostile_evidence(name),) * 500)
    long = replace(hostile, lines=(name,) * 50, facts={f"{n}{name}": name for n in range(99)})
    flood = replace(long, command=f"{name}\n" * 99, links=LINKS)
    for note in (hostile, long, flood):
        rendered = sink_at("https://127.0.0.1", format=form).render(note)
        assert len(rendered.body) < 20_000
        assert json.loads(rendered.body)["data"]["incidents_left_out"] > 0
        assert rendered.truncated


def test_further_headers_are_sent(sink_at, receiver):
    send(sink_at(receiver.url, headers={"Authorization": "Bearer ${secret:hook/secret}"}))
    assert receiver.requests[0].headers["authorization"] == f"Bearer {SECRET}"


def test_a_receiver_that_is_gone_is_not_asked_again(sink_at, receiver):
    receiver.replies = [Reply(410)]
    assert send(sink_at(receiver.url)).status is DeliveryStatus.REJECTED


@pytest.mark.parametrize("secret", ["short", "whsec_!!!", "whsec_" + "QQ=="])
def test_a_secret_that_is_none_is_said_without_showing_it(sink_at, receiver, secret):
    sink = sink_at(receiver.url)
    sink.setup.secrets.values["${secret:hook/secret}"] = secret
    result = send(sink)
    assert (result.status, result.code) == (DeliveryStatus.RETRY, "LM554")
    assert not sink.check().ok
    assert secret not in result.detail + sink.check().detail
    assert not receiver.requests


LEAST = {"url": "https://hooks.example.com/x", "secret": "${secret:a/b}"}


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"url": "http//x"}, "begin with https://"),
        ({"url": "https://user:pw@x.example.com"}, "user or password"),
        ({"secret": SECRET}, "keep it out of the file"),
        ({"secret": []}, "at least 1 item"),
        ({"format": "xml"}, "'standard' or 'cloudevents'"),
        ({"headers": {"webhook-id": "x"}}, "cannot be set"),
        ({"headers": {"Host": "x"}}, "cannot be set"),
        ({"headers": {"a b": "x"}}, "cannot be set"),
        ({"headers": {"": "x"}}, "cannot be set"),
        ({"timeout": 0}, "greater than 0"),
        ({"proxy": "proxy:3128"}, "begin with https://"),
        ({"urls": []}, "Extra inputs"),
    ],
)
def test_wrong_settings_are_refused(more, message):
    with pytest.raises(ValidationError, match=message) as caught:
        WebhookConfig.model_validate(LEAST | more)
    assert "bGFr" not in str(caught.value)


def test_a_config_shows_neither_url_nor_secret():
    config = WebhookConfig.model_validate(LEAST | {"headers": {"X-Key": "k3y"}})
    assert "hooks.example.com" not in repr(config)
    assert "k3y" not in repr(config)
