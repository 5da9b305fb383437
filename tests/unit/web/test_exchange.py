import logging
import socket
import threading
from datetime import UTC, datetime

import pytest
from fakes.receiver import Reply

from lakemon_core.domain.incident import DeliveryStatus
from lakemon_core.web import Request, probe, send

DELIVERED, RETRY = DeliveryStatus.DELIVERED, DeliveryStatus.RETRY
REJECTED, UNKNOWN = DeliveryStatus.REJECTED, DeliveryStatus.UNKNOWN
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def post(url, **more):
    return send(Request(url, b'{"a": 1}', **{"allow_private": True, "seconds": 5.0} | more), now=NOW)


def outcome(answer):
    return answer.outcome.status, answer.outcome.code


def test_a_request_arrives_as_it_was_meant(receiver):
    answer = post(
        f"{receiver.url}/hooks/a%20b?sig=X", headers={"Content-Type": "application/json", "X-Key": "k"}
    )
    (request,) = receiver.requests
    assert (request.method, request.path, request.json) == ("POST", "/hooks/a%20b?sig=X", {"a": 1})
    assert request.headers["host"] == f"127.0.0.1:{receiver.port}"
    assert (request.headers["content-type"], request.headers["x-key"]) == ("application/json", "k")
    assert outcome(answer) == (DELIVERED, "200")
    assert (answer.status, answer.text, answer.is_success) == (200, "ok", True)


def test_a_certificate_is_checked_for_the_name_that_was_asked(secured, trusted, names):
    names["hooks.example.com"] = [["127.0.0.1"]]
    assert outcome(post(f"https://hooks.example.com:{secured.port}/x")) == (DELIVERED, "200")
    assert secured.requests[0].headers["host"] == f"hooks.example.com:{secured.port}"
    names["other.example.com"] = [["127.0.0.1"]]
    answer = post(f"https://other.example.com:{secured.port}/x")
    assert answer.outcome.status is RETRY
    assert "is not trusted" in answer.outcome.detail
    assert len(secured.requests) == 1


def test_a_certificate_nobody_vouches_for_is_refused(secured):
    answer = post(f"{secured.url}/x")
    assert answer.outcome.status is RETRY
    assert "SSL_CERT_FILE" in answer.outcome.detail
    assert not secured.requests


def test_a_name_is_resolved_once_and_the_judged_address_is_used(receiver, names):
    names["rebind.example.com"] = [["127.0.0.1"], ["169.254.169.254"]]
    assert outcome(post(f"http://rebind.example.com:{receiver.port}/")) == (DELIVERED, "200")
    assert names["asked"] == ["rebind.example.com"]


def test_a_private_address_gets_nothing_unless_it_is_allowed(receiver):
    answer = post(f"https://127.0.0.1:{receiver.port}/", allow_private=False)
    assert outcome(answer) == (RETRY, "LM551")
    assert not receiver.requests


def test_proxies_of_the_environment_are_not_used(receiver, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert outcome(post(receiver.url)) == (DELIVERED, "200")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(receiver, status):
    receiver.replies = [Reply(status, headers={"Location": f"{receiver.url}/elsewhere"})]
    answer = post(receiver.url)
    assert outcome(answer) == (REJECTED, str(status))
    assert "not followed" in answer.outcome.detail
    assert len(receiver.requests) == 1


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_the_receiver_may_ask_for_patience(receiver, status):
    receiver.replies = [Reply(status, "busy", {"Retry-After": "7"})]
    answer = post(receiver.url)
    assert outcome(answer) == (RETRY, str(status))
    assert answer.outcome.retry_after == 7.0
    assert answer.outcome.detail == f"127.0.0.1:{receiver.port} answered {status} busy"


@pytest.mark.parametrize("status", [400, 401, 403, 413, 422])
def test_other_refusals_are_final(receiver, status):
    receiver.replies = [Reply(status, "no\r\nsuch \x1b[31mhook")]
    answer = post(receiver.url)
    assert outcome(answer) == (REJECTED, str(status))
    assert answer.outcome.detail.endswith("no  such [31mhook")


@pytest.mark.parametrize("status", [404, 410])
def test_an_address_that_is_gone_is_dead_and_says_what_to_do(receiver, status):
    receiver.replies = [Reply(status, "gone")]
    answer = post(receiver.url)
    assert outcome(answer) == (REJECTED, "LM558")
    assert f"answered {status} gone: the address is dead" in answer.outcome.detail
    assert "lakemon alert replay --all" in answer.outcome.detail


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("0", 0.0),
        ("120", 120.0),
        ("86400", 3600.0),
        ("Mon, 02 Mar 2026 09:00:30 GMT", 30.0),
        ("Mon, 02 Mar 2026 08:00:00 GMT", 0.0),
        ("Fri, 01 Jan 2100 00:00:00 GMT", 3600.0),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("٣", None),
        ("9" * 400, None),
        ("", None),
    ],
)
def test_retry_after_is_read_and_capped(said, seconds):
    from lakemon_core.web import retry_after

    assert retry_after(said, NOW) == seconds


def test_a_closed_port_is_tried_again(free_port):
    answer = post(f"http://127.0.0.1:{free_port}/s3cret")
    assert answer.outcome.status is RETRY
    assert "s3cret" not in repr(answer)


def test_an_unknown_host_is_tried_again():
    answer = post("https://no-such-host.invalid/s3cret")
    assert answer.outcome.status is RETRY
    assert answer.outcome.detail == "the host of no-such-host.invalid:443 is not known"


def test_a_connection_lost_before_the_answer_may_have_arrived(receiver):
    receiver.replies = [None]
    answer = post(f"{receiver.url}/s3cret")
    assert answer.outcome.status is UNKNOWN
    assert "lost before an answer came" in answer.outcome.detail


@pytest.mark.parametrize("said", [b"", b"garbage\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", b"SSH-2.0-x\r\n"])
def test_nonsense_may_have_arrived(talk, said):
    def behave(connection, _):
        connection.recv(65536)
        connection.sendall(said)

    assert post(f"http://127.0.0.1:{talk(behave)}/").outcome.status is UNKNOWN


def hang(connection, stop):
    stop.wait(20)


def drip_headers(connection, stop):
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while not stop.wait(0.02):
        connection.sendall(b"a")


def drip_body(connection, stop):
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while not stop.wait(0.02):
        connection.sendall(b"1\r\na\r\n")


@pytest.mark.parametrize("behave", [hang, drip_headers, drip_body])
def test_the_deadline_ends_everything_however_slowly_bytes_come(talk, behave):
    answer = post(f"http://127.0.0.1:{talk(behave)}/", seconds=1.0)
    assert outcome(answer) == (UNKNOWN, "timeout")
    assert "did not answer within 1 s" in answer.outcome.detail


def test_a_handshake_that_never_ends_is_cut(talk):
    def half_a_record_at_a_time(connection, stop):
        connection.recv(65536)
        connection.sendall(b"\x16\x03\x03\x40\x00")
        while not stop.wait(0.02):
            connection.sendall(b"\x02")

    answer = post(f"https://127.0.0.1:{talk(half_a_record_at_a_time)}/", seconds=0.3)
    assert outcome(answer) == (RETRY, "timeout")


def test_a_lookup_that_never_ends_is_left_behind(monkeypatch):
    stop = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: stop.wait(20))
    answer = post("https://slow.example.com/", seconds=0.2)
    stop.set()
    assert outcome(answer) == (RETRY, "timeout")


def test_an_endless_answer_is_read_in_part(receiver):
    receiver.replies = [Reply(200, "x" * 1_000_000)]
    assert len(post(receiver.url).text) == 65536


def test_json_that_is_no_object_is_empty(receiver):
    receiver.replies = [Reply(200, "[1]"), Reply(200, "no"), Reply(200, {"ok": True})]
    assert [post(receiver.url).json() for _ in range(3)] == [{}, {}, {"ok": True}]


def test_a_header_cannot_be_smuggled_in(receiver):
    answer = post(receiver.url, headers={"X-Key": "a\r\nX-Evil: 1"})
    assert answer.outcome.status is RETRY
    assert not receiver.requests


def test_looking_at_a_receiver_sends_nothing(receiver, secured, trusted, free_port):
    assert probe(Request(receiver.url, allow_private=True)) is None
    assert probe(Request(secured.url, allow_private=True)) is None
    nobody = probe(Request(f"http://127.0.0.1:{free_port}", allow_private=True))
    assert nobody.startswith(f"nothing listens on 127.0.0.1:{free_port}; check the URL")
    assert "LM551" in probe(Request(secured.url))
    assert not receiver.requests + secured.requests


def test_nothing_logs_the_url(receiver, caplog):
    caplog.set_level(logging.DEBUG)
    answer = post(f"{receiver.url}/s3cret")
    assert "s3cret" not in caplog.text + repr(answer) + repr(Request("https://a/s3cret"))


def through_a_proxy(connection, stop, seen):
    """A CONNECT proxy for one connection."""
    head = connection.recv(65536).decode()
    seen.append(head.splitlines()[0])
    if "refuse" in head:
        connection.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
        return
    port = int(head.split()[1].rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)) as there:
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")

        def copy(source, sink):
            while data := source.recv(65536):
                sink.sendall(data)

        back = threading.Thread(target=copy, args=(there, connection), daemon=True)
        back.start()
        copy(connection, there)
        back.join(2)


def test_a_named_proxy_is_used_and_resolves_the_name(secured, trusted, talk):
    seen = []
    proxy = f"http://127.0.0.1:{talk(lambda connection, stop: through_a_proxy(connection, stop, seen))}"
    answer = post(f"https://hooks.example.com:{secured.port}/x", proxy=proxy, allow_private=False)
    assert outcome(answer) == (DELIVERED, "200")
    assert seen == [f"CONNECT hooks.example.com:{secured.port} HTTP/1.1"]
    answer = post("https://refuse.example.com/x", proxy=proxy)
    assert answer.outcome.status is RETRY
    assert "407" in answer.outcome.detail


@pytest.mark.parametrize(
    ("url", "code"),
    [("https://127.0.0.1/", "LM551"), ("http://a.example.com/", "LM550"), ("https://b.example.com", "LM552")],
)
def test_behind_a_proxy_the_name_is_judged_as_far_as_it_says(url, code):
    answer = post(url, proxy="http://127.0.0.1:9", allow_private=False, hosts=("a.example.com", "127.0.0.1"))
    assert outcome(answer) == (RETRY, code)
