"""The process is killed around a delivery: nothing is lost, and what is sent twice can be recognised."""

import signal
import socket
import subprocess
import sys
from datetime import UTC, datetime
from email import message_from_bytes

import pytest
from aiosmtpd.controller import Controller
from lakemon_local.ledger import SqliteLedger

from lakemon_core.domain.incident import OutboxItem, Transition
from lakemon_core.testing.sinks import FixedClock, sample_notification

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
RUN = """
import os, signal, sys
from pathlib import Path
from lakemon_core.alerting.outbox import drain
from lakemon_core.testing.sinks import FixedClock, open_sink
from lakemon_email import EmailSink
from lakemon_local.ledger import SqliteLedger

folder, port, when = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]

def die(moment):
    if when == moment:
        os.kill(os.getpid(), signal.SIGKILL)

class DyingLedger(SqliteLedger):
    def record(self, item, result, at):
        die("accepted")
        super().record(item, result, at)
        die("noted")

class DyingSink(EmailSink):
    def deliver(self, rendered, attempt):
        die("rendered")
        return super().deliver(rendered, attempt)

settings = {"host": "127.0.0.1", "port": port, "from": "lakemon@example.com", "security": "none"}
clock = FixedClock()
ledger = DyingLedger(folder / "ledger.db", clock)
drain(ledger, {"email": open_sink(DyingSink, settings, folder)}, clock)
"""


class Receiver:
    """Keeps the mails it takes."""

    def __init__(self):
        self.mails = []

    async def handle_DATA(self, server, session, envelope):
        self.mails.append(message_from_bytes(envelope.content))
        return "250 taken"


@pytest.fixture
def receiver():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    receiver = Receiver()
    controller = Controller(receiver, hostname="127.0.0.1", port=port)
    controller.start()
    receiver.port = port
    yield receiver
    controller.stop()


@pytest.fixture
def ledger(tmp_path):
    """Holds the opening and the resolution of one incident, both still to be told."""
    ledger = SqliteLedger(tmp_path / "ledger.db", FixedClock())
    items = [
        OutboxItem(key, "email", note, "thread", "due", 0, NOW, NOW)
        for key, transition in (("a" * 32, Transition.OPENED), ("b" * 32, Transition.RESOLVED))
        for note in [
            sample_notification(key=key, transition=transition, targets=("ann@example.com",), evidence=())
        ]
    ]
    ledger.commit([], [], items)
    ledger.close()
    yield ledger
    ledger.close()


@pytest.mark.parametrize(
    ("killed", "mails"),
    [
        ("rendered", ["critical", "resolved"]),
        ("accepted", ["critical", "critical", "resolved"]),
        ("noted", ["critical", "resolved"]),
    ],
)
def test_a_killed_run_loses_no_message_and_keeps_the_order(receiver, ledger, tmp_path, killed, mails):
    def run(when):
        return subprocess.run(
            [sys.executable, "-c", RUN, str(tmp_path), str(receiver.port), when], timeout=60, check=False
        ).returncode

    assert run(killed) == -signal.SIGKILL
    assert run("never") == 0
    assert [mail["Subject"].split("]")[0].strip("[") for mail in receiver.mails] == mails
    ids = [mail["Message-ID"] for mail in receiver.mails]
    assert len(set(ids)) == 2
    assert [item.status for item in ledger.outbox()] == ["delivered", "delivered"]
