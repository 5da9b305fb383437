"""The sink of the guide works as it stands there."""

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from lakemon_core.domain.incident import DeliveryStatus
from lakemon_core.testing.sinks import open_sink, sample_attempt, sample_notification

GUIDE = Path(__file__).parents[3] / "docs/guide/write-a-sink.md"


@pytest.fixture
def pager_sink():
    return defined(1)["PagerSink"]


def defined(number):
    """What the Python block of this number defines."""
    blocks = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    names = {"__name__": "guide"}
    exec(blocks[number], names)
    return names


@pytest.fixture
def pager():
    """A server that answers with `status` and keeps what it got."""

    class Pager(BaseHTTPRequestHandler):
        status, got = 200, []

        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self.got.append((self.headers["Idempotency-Key"], body))
            self.send_response(self.status)
            self.end_headers()

        def log_message(self, *args):
            """Stays silent."""

    server = HTTPServer(("127.0.0.1", 0), Pager)
    Pager.url = f"http://127.0.0.1:{server.server_port}/page"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield Pager
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("code", "status"),
    [
        (202, DeliveryStatus.DELIVERED),
        (429, DeliveryStatus.RETRY),
        (503, DeliveryStatus.RETRY),
        (400, DeliveryStatus.REJECTED),
    ],
)
def test_the_sink_of_the_guide_delivers_and_says_what_came_of_it(pager_sink, pager, tmp_path, code, status):
    pager.status = code
    url = {"${secret:pager/url}": pager.url}
    settings = {"url": "${secret:pager/url}", "allow_private": True}
    sink = open_sink(pager_sink, settings, tmp_path, secrets=url)
    result = sink.deliver(sink.render(sample_notification()), sample_attempt(key="k1"))
    assert (result.status, result.code) == (status, str(code))
    ((key, body),) = pager.got
    assert (key, body["state"], body["incidents"]) == ("k1", "critical", ["a1b2c3d4e5f60718.1"])


def test_the_ten_lines_of_the_guide_deliver(pager, tmp_path):
    url = {"${secret:pager/url}": pager.url}
    sink = open_sink(defined(0)["page"], {"url": "${secret:pager/url}"}, tmp_path, secrets=url)
    note = sample_notification()
    assert sink.deliver(sink.render(note), sample_attempt()).status is DeliveryStatus.DELIVERED
    ((_, body),) = pager.got
    assert body == {"id": note.key, "text": f"[critical] {note.title}"}


def test_the_sink_of_the_guide_survives_a_pager_that_is_down(pager_sink, tmp_path):
    sink = open_sink(pager_sink, {"url": "http://127.0.0.1:9/", "allow_private": True}, tmp_path)
    result = sink.deliver(sink.render(sample_notification()), sample_attempt())
    assert result.status is DeliveryStatus.RETRY
    assert not sink.check().ok
