"""The HTTP server: reads requests from the socket, lets a desk answer them, and carries out faults."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from .faults import Fault
from .messages import Answer, Request

Desk = Callable[[Request], tuple[Answer, Fault | None]]
"""Answers a request, and says which fault the answer suffers on its way."""


class Server:
    """A server on a free port of the loopback, in threads of its own."""

    def __init__(self, desk: Desk) -> None:
        self._stopped = threading.Event()
        self._server = _Quiet(("127.0.0.1", 0), _handler(desk, self._stopped))
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        self._thread.start()

    @property
    def host(self) -> str:
        """The address, `http://127.0.0.1:PORT`."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def stop(self) -> None:
        """Stops to listen and ends every wait."""
        self._stopped.set()
        self._server.shutdown()
        self._server.server_close()
        self._server.hang_up()
        self._thread.join(timeout=5)


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, *given: Any) -> None:
        self._open: dict[threading.Thread, socket.socket] = {}
        super().__init__(*given)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serves one connection, and remembers it while it is open."""
        self._open[threading.current_thread()] = request
        super().process_request_thread(request, client_address)
        self._open.pop(threading.current_thread(), None)

    def hang_up(self) -> None:
        """Closes the connections that clients keep open, and waits for their threads."""
        for thread, connection in list(self._open.items()):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            thread.join(timeout=5)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is no error here."""


def _handler(desk: Desk, stopped: threading.Event) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def _answer(self) -> None:
            answer, fault = desk(_read(self))
            _send(self, answer, fault or Fault(""), stopped)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = _answer  # noqa: N815 - the library names them so

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library names it so
            """Nothing is printed: the journal knows."""

    return Handler


def _read(handler: BaseHTTPRequestHandler) -> Request:
    address = urlsplit(handler.path)
    length = int(handler.headers.get("Content-Length") or 0)
    return Request(
        method=handler.command,
        path=unquote(address.path),
        query=dict(parse_qsl(address.query, keep_blank_values=True)),
        headers={name.lower(): value for name, value in handler.headers.items()},
        body=handler.rfile.read(length) if length else b"",
    )


def _send(handler: BaseHTTPRequestHandler, answer: Answer, fault: Fault, stopped: threading.Event) -> None:
    if fault.waits:
        stopped.wait(fault.waits)
    if fault.hangs_up or fault.cuts:
        handler.close_connection = True
    if fault.hangs_up:
        return
    head = {
        "Content-Type": answer.content_type,
        "Content-Length": str(len(answer.body)),
        **answer.headers,
    }
    reason = HTTPStatus(answer.status).phrase if answer.status in set(HTTPStatus) else "Unknown"
    lines = [f"HTTP/1.1 {answer.status} {reason}", *(f"{name}: {value}" for name, value in head.items())]
    body = answer.body[: len(answer.body) - fault.cuts] if handler.command != "HEAD" else b""
    message = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace") + body
    with contextlib.suppress(ConnectionError):
        for piece in _pieces(message, fault.drips):
            handler.wfile.write(piece)
            if fault.drips:
                stopped.wait(fault.drips)


def _pieces(message: bytes, drips: float) -> Iterable[bytes]:
    if not drips:
        return [message]
    return (message[index : index + 1] for index in range(len(message)))
