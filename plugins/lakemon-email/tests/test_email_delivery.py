import pytest

from lakemon_core.domain.incident import DeliveryStatus, Transition
from lakemon_core.testing.sinks import HOSTILE, hostile_notification, sample_attempt, sample_notification

ANN, BOB, EVE = "ann@example.com", "bob@example.com", "eve@example.com"
DELIVERED, PARTIAL, RETRY = DeliveryStatus.DELIVERED, DeliveryStatus.PARTIAL, DeliveryStatus.RETRY
REJECTED, UNKNOWN = DeliveryStatus.REJECTED, DeliveryStatus.UNKNOWN

pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")


def send(sink, *targets, attempt_targets=None, **changes):
    note = sample_notification(targets=targets, **changes)
    return sink.deliver(sink.render(note), sample_attempt(targets=attempt_targets or targets))


def by_target(result):
    return {one.target: (one.status, one.code) for one in result.targets}


@pytest.mark.parametrize("security", ["starttls", "ssl"])
@pytest.mark.parametrize("login", [False, True])
def test_a_mail_goes_over_a_secured_connection(serve, sink_at, trusted, security, login):
    mailbox = serve(security, login=login)
    user = {"username": "lakemon", "password": "${secret:smtp/password}"} if login else {}
    secrets = {"${secret:smtp/password}": "s3cret"}
    result = send(sink_at(mailbox.port, secrets, security=security, **user), ANN)
    assert result.status is DELIVERED, result.detail
    assert mailbox.logins == ([("lakemon", "s3cret")] if login else [])
    assert [envelope.rcpt_tos for envelope in mailbox.envelopes] == [[ANN]]


def test_a_mail_goes_in_plain_text_only_where_the_config_says_so(serve, sink_at):
    mailbox = serve("none")
    assert send(sink_at(mailbox.port, security="none"), ANN).status is DELIVERED
    assert mailbox.envelopes[0].mail_from == "lakemon@example.com"


def test_the_mail_is_whole(serve, sink_at, trusted):
    mailbox = serve()
    send(sink_at(mailbox.port), ANN, "Bob Ö <bob@bücher.example>")
    (mail,) = mailbox.mails
    assert mail["Subject"] == "[critical] flight_delays dev: PSI of temp 3.24 > 0.2 since 2013-04-01"
    assert mail["From"] == "lakemon <lakemon@example.com>"
    assert [one.addr_spec for one in mail["To"].addresses] == [ANN, "bob@xn--bcher-kva.example"]
    assert mail["Date"].datetime == sample_notification().created_at
    assert mail["Message-ID"] == "<5f0c3a1be2d94c7788aa0b1c2d3e4f50@example.com>"
    assert mail["References"] == mail["In-Reply-To"] == "<a1b2c3d4e5f60718.1@example.com>"
    assert mail["List-Id"] == "<flight-delays.dev.lakemon.example.com>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["X-Auto-Response-Suppress"] == "All"
    assert [part.get_content_type() for part in mail.walk()] == [
        "multipart/alternative", "text/plain", "text/html",
    ]  # fmt: skip
    assert mailbox.envelopes[0].rcpt_tos == [ANN, "bob@xn--bcher-kva.example"]


def test_a_retry_is_the_same_mail_to_those_who_still_need_it(serve, sink_at, trusted):
    mailbox = serve()
    sink = sink_at(mailbox.port)
    send(sink, ANN, BOB)
    send(sink, ANN, BOB, attempt_targets=(BOB,))
    first, second = mailbox.envelopes
    assert first.content == second.content
    assert (first.rcpt_tos, second.rcpt_tos) == ([ANN, BOB], [BOB])


def test_resolution_stands_in_the_thread_of_the_opening(serve, sink_at, trusted):
    mailbox = serve()
    sink = sink_at(mailbox.port)
    send(sink, ANN)
    send(sink, ANN, key="f" * 32, transition=Transition.RESOLVED)
    opened, resolved = mailbox.mails
    assert opened["References"] == resolved["References"]
    assert opened["Message-ID"] != resolved["Message-ID"]
    assert resolved["Subject"].startswith("[resolved] ")


def test_rules_without_recipients_reach_those_of_the_sink(serve, sink_at, trusted):
    mailbox = serve()
    result = send(sink_at(mailbox.port, to=[ANN, "${env:BOSS}"], secrets={"${env:BOSS}": BOB}))
    assert mailbox.envelopes[0].rcpt_tos == [ANN, BOB]
    assert by_target(result) == {ANN: (DELIVERED, "250"), BOB: (DELIVERED, "250")}


def test_every_recipient_is_taken_or_refused_for_itself(serve, sink_at, trusted):
    mailbox = serve(**{BOB: "550 no such user", EVE: "451 greylisted, come again"})
    result = send(sink_at(mailbox.port), ANN, BOB, EVE, "not an address")
    assert result.status is PARTIAL
    assert by_target(result) == {
        ANN: (DELIVERED, "250"),
        BOB: (REJECTED, "550"),
        EVE: (RETRY, "451"),
        "not an address": (REJECTED, "not_an_address"),
    }
    assert mailbox.envelopes[0].rcpt_tos == [ANN]


@pytest.mark.parametrize(
    ("replies", "status", "code"),
    [
        ({ANN: "550 no such user"}, REJECTED, "550"),
        ({ANN: "450 mailbox busy"}, RETRY, "450"),
        ({ANN: "421 going down"}, RETRY, "421"),
        ({"MAIL": "550 sender not allowed"}, REJECTED, "550"),
        ({"MAIL": "552 too large"}, REJECTED, "552"),
        ({"MAIL": "530 log in first"}, RETRY, "530"),
        ({"MAIL": "451 later"}, RETRY, "451"),
        ({"DATA": "554 looks like spam"}, REJECTED, "554"),
        ({"DATA": "452 disk full"}, RETRY, "452"),
        ({"DATA": "421 going down"}, RETRY, "421"),
    ],
)
def test_a_refusal_is_final_with_5xx_and_tried_again_with_4xx(serve, sink_at, trusted, replies, status, code):
    result = send(sink_at(serve(**replies).port), ANN)
    assert (result.status, result.code) == (status, code)
    assert result.detail in next(iter(replies.values()))


def test_a_connection_lost_after_the_mail_was_handed_over_is_unknown(serve, sink_at, trusted):
    mailbox = serve(DATA="abort")
    result = send(sink_at(mailbox.port), ANN, BOB)
    assert result.status is UNKNOWN
    assert by_target(result) == {ANN: (UNKNOWN, "lost"), BOB: (UNKNOWN, "lost")}
    assert len(mailbox.envelopes) == 1


EHLO = "250 localhost"


@pytest.mark.parametrize(
    ("lines", "status", "said"),
    [
        (["554 no service here"], RETRY, "554 no service here"),
        (["421 too busy"], RETRY, "421 too busy"),
        ([None], RETRY, "Connection unexpectedly closed"),
        (["HTTP/1.1 400 Bad Request"], RETRY, "127.0.0.1"),
        (["220 hello", "500 what", "500 what"], RETRY, "500 what"),
        (["220 hello", EHLO, None], RETRY, "Connection unexpectedly closed"),
        (["220 hello", EHLO, "250 ok", None], RETRY, "Connection unexpectedly closed"),
        (["220 hello", EHLO, "250 ok", "250 ok", None], UNKNOWN, "lost while the mail was handed over"),
        (["220 hello", EHLO, "250 ok", "250 ok", "451 not now"], RETRY, "not now"),
        (["220 hello", EHLO, "250 ok", "250 ok", "554 never"], REJECTED, "never"),
    ],
)
def test_each_stage_of_the_conversation_may_fail(serve_lines, sink_at, lines, status, said):
    result = send(sink_at(serve_lines(*lines), security="none"), ANN)
    assert result.status is status
    assert said in result.detail


@pytest.mark.parametrize("lines", [["..."], ["220 hello", "..."], ["220 hello", EHLO, "..."]])
def test_silence_ends_at_the_timeout(serve_lines, sink_at, lines):
    result = send(sink_at(serve_lines(*lines), security="none", timeout=0.2), ANN)
    assert result.status is RETRY
    assert "did not answer within 0.2 s" in result.detail


def test_the_attempts_deadline_is_kept_when_it_is_shorter(serve_lines, sink_at):
    sink = sink_at(serve_lines("..."), security="none", timeout=60)
    rendered = sink.render(sample_notification(targets=(ANN,)))
    result = sink.deliver(rendered, sample_attempt(targets=(ANN,), deadline_seconds=0.2))
    assert "did not answer within 0.2 s" in result.detail


def test_a_server_without_starttls_gets_no_mail(serve, sink_at):
    mailbox = serve("none")
    result = send(sink_at(mailbox.port), ANN)
    assert result.status is RETRY
    assert "offers no STARTTLS" in result.detail
    assert mailbox.envelopes == []


def test_a_password_never_goes_over_a_connection_that_could_not_be_secured(serve, sink_at):
    mailbox = serve("none", login=False)
    result = send(sink_at(mailbox.port, username="lakemon", password="s3cret"), ANN)
    assert result.status is RETRY
    assert mailbox.logins == []
    assert mailbox.envelopes == []


@pytest.mark.parametrize("security", ["starttls", "ssl"])
def test_a_certificate_that_is_not_trusted_stops_the_mail(serve, sink_at, security):
    mailbox = serve(security)
    sink = sink_at(mailbox.port, security=security)
    result = send(sink, ANN)
    assert result.status is RETRY
    assert "is not trusted" in result.detail
    assert "SSL_CERT_FILE" in sink.check().detail
    assert mailbox.envelopes == []


def test_a_wrong_password_is_tried_again_later_and_said_without_the_password(serve, sink_at, trusted):
    mailbox = serve(login=True)
    sink = sink_at(mailbox.port, username="lakemon", password="wr0ng-s3cret")
    result = send(sink, ANN)
    assert (result.status, result.code) == (RETRY, "535")
    assert "refused the login" in result.detail
    assert "wr0ng" not in repr(result)
    assert "wr0ng" not in sink.check().detail
    assert mailbox.envelopes == []


def test_a_password_outside_ascii_is_an_error_that_does_not_show_it(serve, sink_at, trusted):
    result = send(sink_at(serve(login=True).port, username="lakemon", password="pässwörd"), ANN)
    assert (result.status, result.detail) == (RETRY, "username and password must be plain ASCII")


@pytest.mark.parametrize("host", ["no such host", "a..b", "x" * 64])
def test_an_unknown_host_is_said(sink_at, host):
    result = send(sink_at(25, host=host), ANN)
    assert (result.status, result.detail) == (RETRY, f"the host {host} is not known")


def test_a_port_from_a_reference_must_be_a_number(sink_at):
    sink = sink_at("${env:PORT}", secrets={"${env:PORT}": "many"})
    result = send(sink, ANN)
    assert (result.status, result.code) == (RETRY, "LM512")
    assert not sink.check().ok


def test_nobody_to_send_to_is_a_refusal(serve, sink_at, trusted):
    mailbox = serve()
    result = send(sink_at(mailbox.port))
    assert (result.status, result.code) == (REJECTED, "no_recipient")
    assert send(sink_at(mailbox.port), "no address").status is REJECTED


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_name_adds_no_header_no_recipient_and_no_part(serve, sink_at, trusted, name):
    mailbox = serve()
    sink = sink_at(mailbox.port)
    plain, note = sample_notification(targets=(ANN,)), hostile_notification(name)
    sink.deliver(sink.render(plain), sample_attempt(targets=(ANN,)))
    sink.deliver(sink.render(note), sample_attempt(targets=(ANN,)))
    tame, hostile = mailbox.mails
    assert hostile.keys() == tame.keys()
    assert [part.get_content_type() for part in hostile.walk()] == [
        part.get_content_type() for part in tame.walk()
    ]
    assert mailbox.envelopes[1].rcpt_tos == [ANN]
    html = hostile.get_body(("html",)).get_content()
    assert "<script" not in html
    assert "<img" not in html
    assert "<b>forged" not in html
