"""Logging in with an access token, as Microsoft 365 asks for."""

from datetime import timedelta
from urllib.parse import parse_qs

import pytest
from fakes.receiver import Receiver, Reply

from lakemon_core.domain.incident import DeliveryStatus
from lakemon_core.testing.sinks import sample_attempt, sample_notification

ANN = "ann@example.com"
SECRETS = {"${secret:mail/client}": "cl1ent-s3cret"}

pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")


@pytest.fixture
def provider(certificate, trusted):
    """An identity provider that gives a token for an hour."""
    with Receiver(certificate[1]) as server:
        server.answer = lambda request: Reply(200, {"access_token": "good-token", "expires_in": 3600})
        yield server


@pytest.fixture
def sink(serve, sink_at, provider):
    oauth2 = {
        "token_url": f"{provider.url}/tenant/oauth2/v2.0/token",
        "client_id": "app",
        "client_secret": "${secret:mail/client}",
        "allow_private": True,
    }
    mailbox = serve(login=True)
    made = sink_at(mailbox.port, SECRETS, username="lakemon@example.com", oauth2=oauth2)
    made.mailbox = mailbox
    return made


def send(sink):
    note = sample_notification(targets=(ANN,))
    return sink.deliver(sink.render(note), sample_attempt(targets=(ANN,)))


def test_a_token_stands_in_for_the_password(sink, provider):
    result = send(sink)
    assert result.status is DeliveryStatus.DELIVERED, result.detail
    assert sink.mailbox.logins == ["user=lakemon@example.com\x01auth=Bearer good-token\x01\x01"]
    (request,) = provider.requests
    assert {name: values[0] for name, values in parse_qs(request.body.decode()).items()} == {
        "grant_type": "client_credentials",
        "client_id": "app",
        "client_secret": "cl1ent-s3cret",
        "scope": "https://outlook.office365.com/.default",
    }


def test_a_token_is_kept_until_it_is_about_to_expire(sink, provider):
    send(sink)
    send(sink)
    assert len(provider.requests) == 1
    sink.setup.clock.moment += timedelta(minutes=59, seconds=1)
    assert sink.check().ok
    assert len(provider.requests) == 2


def test_a_token_that_the_mail_server_refuses_is_tried_again_and_not_shown(sink, provider):
    provider.replies = [Reply(200, {"access_token": "b4d-token"})]
    result = send(sink)
    assert (result.status, result.code) == (DeliveryStatus.RETRY, "535")
    assert "check username and oauth2" in result.detail
    assert "b4d-token" not in repr(result)
    assert sink.mailbox.envelopes == []


@pytest.mark.parametrize(
    "reply",
    [
        Reply(401, {"error": "invalid_client", "error_description": "cl1ent-s3cret is wrong"}),
        Reply(200, {"token": "x"}),
        Reply(200, {"access_token": "a\r\nb"}),
        Reply(200, "<html>"),
        Reply(302, headers={"Location": "https://example.org"}),
        Reply(503),
    ],
)
def test_without_a_token_the_mail_waits(sink, provider, reply):
    provider.replies = [reply, reply]
    result = send(sink)
    assert (result.status, result.code) == (DeliveryStatus.RETRY, "LM557")
    assert not sink.check().ok
    assert "cl1ent-s3cret" not in repr(result)


def test_a_token_may_come_from_elsewhere(serve, sink_at, trusted):
    mailbox = serve(login=True)
    sink = sink_at(mailbox.port, {"${env:TOKEN}": "good-token"}, username="u", token="${env:TOKEN}")
    assert send(sink).status is DeliveryStatus.DELIVERED
