"""SIGKILL at every step of a delivery to a real HTTP receiver: none lost, repeats only with the same id."""

import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from lakemon_local.ledger import SqliteLedger

from lakemon_core.domain.incident import OutboxItem
from lakemon_core.testing.sinks import FixedClock, sample_notification

SENDER = """
import http.client, os, signal, sys
from pathlib import Path
from lakemon_core.alerting.outbox import Ways, drain
from lakemon_core.alerting.routing import Route
from lakemon_core.alerting.sending.pace import Pace
from lakemon_core.domain.incident import DeliveryResult, DeliveryStatus, Rendered
from lakemon_core.ports import AlertSink, SinkCheck
from lakemon_core.testing.sinks import FixedClock, open_sink
from lakemon_local.ledger import SqliteLedger

folder, port, when = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]

def die(moment):
    if when == moment:
        os.kill(os.getpid(), signal.SIGKILL)

def around(name, call):
    def wrapped(*arguments):
        die(f"before {name}")
        answer = call(*arguments)
        die(f"after {name}")
        return answer
    return wrapped

class Hook(AlertSink):
    type = "hook"

    def render(self, notification):
        die("before render")
        return Rendered(notification.key, "text/plain")

    def deliver(self, rendered, attempt):
        die("before deliver")
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        headers = {"webhook-id": attempt.key, "X-Sender": str(os.getpid())}
        connection.request("POST", "/", rendered.body, headers)
        status = connection.getresponse().status
        die("after deliver")
        refused = DeliveryResult(DeliveryStatus.REJECTED, "410")
        return DeliveryResult(DeliveryStatus.DELIVERED) if status == 200 else refused

    def check(self):
        return SinkCheck(True, "")

ledger = SqliteLedger(folder / "ledger.db", FixedClock())
for name in ("revise", "record", "commit", "put"):
    setattr(ledger, name, around(name, getattr(ledger, name)))
sinks = {"hook": open_sink(Hook, {}, folder), "other": open_sink(Hook, {}, folder)}
ways = Ways(sys.argv[4], lambda item: [Route("other")])
drain(ledger, sinks, FixedClock(), pace=Pace(budget_seconds=0), ways=ways)
"""
STEPS = [
    "before revise", "after revise", "before render", "before deliver", "on the way", "after deliver",
    "before record", "after record",
]  # fmt: skip
REPEATED = ("on the way", "after deliver", "before record")


class Receiver(ThreadingHTTPServer):
    """Keeps the ids it took; kills the sender in mid-air when told to; refuses the ids it is told to."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.taken, self.refused, self.kills = [], set(), False


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        key = self.headers["webhook-id"]
        self.rfile.read(int(self.headers["Content-Length"]))
        if key in self.server.refused:
            self.server.refused.discard(key)
            self.answer(410)
            return
        self.server.taken.append(key)
        if self.server.kills:
            self.server.kills = False
            os.kill(int(self.headers["X-Sender"]), signal.SIGKILL)
            return
        self.answer(200)

    def answer(self, status):
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments):
        """Says nothing."""


@pytest.fixture
def receiver():
    server = Receiver()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def ledger(tmp_path):
    ledger = SqliteLedger(tmp_path / "ledger.db", FixedClock())
    now = FixedClock().now()
    notes = [sample_notification(key=key, evidence=()) for key in ("first", "second")]
    ledger.commit([], [], [OutboxItem(note.key, "hook", note, "t", "due", 0, now, now) for note in notes])
    ledger.close()
    yield ledger
    ledger.close()


@pytest.fixture
def send(tmp_path, receiver):
    def run(when):
        receiver.kills = when == "on the way"
        line = [sys.executable, "-c", SENDER, str(tmp_path), str(receiver.server_port), when, "me"]
        return subprocess.run(line, timeout=60, check=False).returncode

    return run


@pytest.mark.parametrize("step", STEPS)
def test_a_sender_killed_at_any_step_loses_nothing_and_keeps_the_order(send, receiver, ledger, step):
    assert send(step) == -signal.SIGKILL
    assert send("never") == 0
    expected = ["first", "first", "second"] if step in REPEATED else ["first", "second"]
    assert receiver.taken == expected
    assert [item.status for item in ledger.outbox()] == ["delivered", "delivered"]
    assert send("never") == 0
    assert receiver.taken == expected


@pytest.mark.parametrize("step", ["before commit", "after commit", "before record", "after record"])
def test_a_sender_killed_while_a_message_dies_still_finds_the_other_way(send, receiver, ledger, step):
    receiver.refused = {"first"}
    assert send(step) == -signal.SIGKILL
    receiver.refused = {"first"} if step != "after record" else set()
    assert send("never") == 0
    assert send("never") == 0
    (other,) = [item for item in ledger.outbox() if item.sink == "other"]
    assert other.status == "delivered"
    assert Counter(receiver.taken) == Counter(["second", other.key])


def test_three_senders_at_the_same_time_send_everything_once(receiver, ledger, tmp_path):
    now = FixedClock().now()
    notes = [sample_notification(key=f"k{number}", evidence=()) for number in range(40)]
    ledger.commit(
        [], [], [OutboxItem(note.key, "hook", note, note.key, "due", 0, now, now) for note in notes]
    )
    line = [sys.executable, "-c", SENDER, str(tmp_path), str(receiver.server_port), "never"]
    senders = [subprocess.Popen([*line, owner]) for owner in ("ann", "bob", "eve")]
    assert [sender.wait(timeout=60) for sender in senders] == [0, 0, 0]
    assert Counter(receiver.taken) == Counter(["first", "second", *(note.key for note in notes)])
    assert {item.status for item in ledger.outbox()} == {"delivered"}
