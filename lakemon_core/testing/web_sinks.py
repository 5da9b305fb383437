"""What every sink over HTTP must do when its receiver misbehaves, as tests.

class TestPagerOverHttp(WebSinkContract):
    @pytest.fixture
    def sink_to(self, tmp_path):
        return lambda url: open_sink(PagerSink, {"url": url, "allow_private": True}, tmp_path)
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from lakemon_core.domain.incident import DeliveryResult, DeliveryStatus
from lakemon_core.ports import AlertSink
from lakemon_core.testing.sinks import sample_attempt, sample_notification

SinkTo = Callable[[str], AlertSink]

CANARY = "5ecretOfTheUrl"


@dataclass(frozen=True, slots=True)
class Misbehaviour:
    """What a receiver does with every request.

    Attributes:
        status: of its answer; 0 hangs up after the request.
        headers: of its answer.
        is_silent: it never answers.
    """

    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    is_silent: bool = False


@contextmanager
def receiver(does: Misbehaviour) -> Generator[tuple[str, Sequence[str]]]:
    """Runs a receiver on this machine; gives its URL and the paths that were asked for so far."""
    paths: list[str] = []
    stop = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            paths.append(self.path)
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.close_connection = True
            if does.is_silent:
                stop.wait(30)
            elif does.status:
                self.send_response(does.status)
                for name, value in does.headers.items():
                    self.send_header(name, value)
                self.end_headers()

        def do_GET(self) -> None:
            self.do_POST()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the library's
            """Stays silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/{CANARY}", paths
    finally:
        stop.set()
        server.shutdown()
        server.server_close()


class WebSinkContract:
    """What every sink over HTTP must do; the fixture `sink_to` opens the sink against a URL."""

    def test_a_busy_receiver_is_asked_again_when_it_wants_to_be(self, sink_to: SinkTo) -> None:
        """`Retry-After` comes as seconds and as a date; the clock of the sink stands at 09:00:00."""
        for status in (429, 503):
            for said in ("30", "Mon, 02 Mar 2026 09:00:30 GMT"):
                result, _ = _deliver(sink_to, Misbehaviour(status, {"Retry-After": said}))
                assert (result.status, result.retry_after) == (DeliveryStatus.RETRY, 30.0)

    def test_a_redirect_is_not_followed(self, sink_to: SinkTo) -> None:
        """A message goes where the config says and nowhere else."""
        for status in (301, 302, 303, 307, 308):
            result, paths = _deliver(sink_to, Misbehaviour(status, {"Location": "/elsewhere"}))
            assert result.status in {DeliveryStatus.REJECTED, DeliveryStatus.RETRY}
            assert len(paths) == 1
            assert "elsewhere" not in paths[0]

    def test_an_answer_that_never_came_may_mean_that_it_arrived(self, sink_to: SinkTo) -> None:
        """The connection is lost after the request."""
        result, paths = _deliver(sink_to, Misbehaviour())
        assert result.status is DeliveryStatus.UNKNOWN
        assert len(paths) == 1

    def test_the_deadline_is_kept(self, sink_to: SinkTo) -> None:
        """A receiver that is silent holds nobody up."""
        result, _ = _deliver(sink_to, Misbehaviour(is_silent=True), seconds=0.3)
        assert result.status is DeliveryStatus.UNKNOWN

    def test_no_result_shows_the_url(self, sink_to: SinkTo) -> None:
        """The URL of a channel is its credential."""
        for does in (Misbehaviour(), Misbehaviour(404), Misbehaviour(500), Misbehaviour(302)):
            result, paths = _deliver(sink_to, does)
            assert CANARY not in repr(result)
            assert CANARY in paths[0]


def _deliver(
    sink_to: SinkTo, does: Misbehaviour, *, seconds: float = 10.0
) -> tuple[DeliveryResult, Sequence[str]]:
    with receiver(does) as (url, paths):
        sink = sink_to(url)
        rendered = sink.render(sample_notification())
        return sink.deliver(rendered, sample_attempt(deadline_seconds=seconds)), paths
