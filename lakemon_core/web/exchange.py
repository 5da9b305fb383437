"""One request and its answer: to a checked address, over checked TLS, within a deadline, nothing followed."""

from __future__ import annotations

import http.client
import queue
import socket
import ssl
import threading
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from time import monotonic
from types import TracebackType
from typing import TypeVar

from lakemon_core.domain.errors import DeliveryError, LakemonError
from lakemon_core.domain.incident import DeliveryResult, DeliveryStatus
from lakemon_core.domain.names import plain
from lakemon_core.web.address import Place, addresses_of, check_public, read_url
from lakemon_core.web.answer import Answer, outcome_of

LARGEST_ANSWER = 65_536
"""Bytes of an answer's body that are read; the rest is left."""

_TROUBLE = (LakemonError, OSError, http.client.HTTPException, UnicodeError)
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Request:
    """One request of a sink.

    Attributes:
        url: where to; it may be a credential, so it never shows.
        body: bytes to send.
        headers: further headers; `Content-Type` among them.
        seconds: the whole exchange ends within this time.
        method: POST unless something is only looked up.
        allow_private: addresses of private networks are allowed.
        proxy: URL of an HTTP proxy; it resolves the name, so guarding addresses is its task then.
        hosts: names or endings of hosts that are allowed; empty allows all.
    """

    url: str = field(repr=False)
    body: bytes = field(default=b"", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    seconds: float = 20.0
    method: str = "POST"
    allow_private: bool = False
    proxy: str = field(default="", repr=False)
    hosts: Collection[str] = ()


def send(request: Request, *, now: datetime | None = None) -> Answer:
    """Sends one request and returns what became of it; errors of the channel are answers, not exceptions.

    Redirects are not followed, proxies of the environment are not used, certificates are always checked
    against the authorities of the system or those of `SSL_CERT_FILE`. What fails before the request is on
    its way can be tried again; afterwards it may have arrived.

    Args:
        request: what to send.
        now: the present moment, for a `Retry-After` that is a date.
    """
    with _Exchange(request) as exchange:
        try:
            return exchange.ask(now or datetime.now(UTC))
        except _TROUBLE as error:
            status = DeliveryStatus.UNKNOWN if exchange.is_sent else DeliveryStatus.RETRY
            return Answer(DeliveryResult(status, exchange.code(error), exchange.explain(error)))


def probe(request: Request) -> str | None:
    """Connects and secures the connection without sending anything; returns what failed, or None."""
    with _Exchange(request) as exchange:
        try:
            exchange.connect()
        except _TROUBLE as error:
            return exchange.explain(error)
    return None


class _Exchange(AbstractContextManager["_Exchange"]):
    """One connection with a deadline over all of it: a timer cuts it, however slowly bytes drip in."""

    def __init__(self, request: Request) -> None:
        self.is_sent = False
        self._request = request
        self._place = "the receiver"
        self._end = monotonic() + request.seconds
        self._is_late = False
        self._socket: socket.socket | None = None
        self._timer = threading.Timer(request.seconds, self._cut)
        self._timer.daemon = True

    def __enter__(self) -> _Exchange:
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        if self._socket is not None:
            self._socket.close()

    def connect(self) -> http.client.HTTPConnection:
        """Resolves, judges, connects, and secures the connection for the name that was asked for."""
        request, place = self._request, read_url(self._request.url)
        self._place = str(place)
        if request.proxy:
            if not request.allow_private:
                check_public(place, request.hosts)
            connected = self._through(read_url(request.proxy), place)
        else:
            judge = partial(addresses_of, place, allow_private=request.allow_private, hosts=request.hosts)
            connected = self._reach(self._in_time(judge), place.port)
        if place.scheme == "https":
            self._secure(connected, place.host)
        connection = http.client.HTTPConnection(place.host, place.port)
        connection.sock = self._socket
        return connection

    def ask(self, now: datetime) -> Answer:
        """Sends the request and reads the answer."""
        connection, request = self.connect(), self._request
        connection.putrequest(request.method, read_url(request.url).target, skip_accept_encoding=True)
        sent = {"User-Agent": "lakemon", "Content-Length": str(len(request.body)), "Connection": "close"}
        for name, value in (sent | dict(request.headers)).items():
            connection.putheader(name, _one_line(name, value))
        self.is_sent = True
        connection.endheaders(request.body)
        response = connection.getresponse()
        text = response.read(LARGEST_ANSWER).decode(errors="replace")
        headers = {name.lower(): value for name, value in response.getheaders()}
        self._left()  # what was cut off reads like an end
        result = outcome_of(response.status, text, headers, place=self._place, now=now)
        return Answer(result, response.status, text, headers)

    def code(self, error: Exception) -> str:
        """Returns our code of an error, or its kind."""
        if self._is_late or isinstance(error, TimeoutError):
            return "timeout"
        return error.code if isinstance(error, LakemonError) else type(error).__name__

    def explain(self, error: Exception) -> str:
        """Says in one line what went wrong and what to look at; holds no URL."""
        place = self._place
        match error:
            case _ if self._is_late or isinstance(error, TimeoutError):
                return f"{place} did not answer within {self._request.seconds:g} s"
            case LakemonError():
                return str(error)
            case ssl.SSLCertVerificationError():
                cure = "set SSL_CERT_FILE to a file with its authority's certificate"
                return f"the certificate of {place} is not trusted ({error.verify_message}); {cure}"
            case ssl.SSLError():
                return f"no secure connection to {place} ({error.reason})"
            case socket.gaierror() | UnicodeError():
                return f"the host of {place} is not known"
            case _ if self.is_sent:
                return f"{place}: the connection was lost before an answer came ({plain(str(error), 200)})"
            case ConnectionRefusedError():
                return f"nothing listens on {place}; check the URL, and whether the receiver is up"
            case OSError() if error.strerror:
                return f"{place}: {error.strerror}"
            case _:
                return f"{place}: {plain(str(error), 200)}"

    def _through(self, proxy: Place, place: Place) -> socket.socket:
        """Returns a connection to a place through an HTTP proxy."""
        find = partial(socket.getaddrinfo, proxy.host, proxy.port, type=socket.SOCK_STREAM)
        connected = self._reach([str(one[4][0]) for one in self._in_time(find)], proxy.port)
        wanted = f"[{place.host}]:{place.port}" if ":" in place.host else str(place)
        connected.sendall(f"CONNECT {wanted} HTTP/1.1\r\nHost: {wanted}\r\n\r\n".encode())
        answer = http.client.HTTPResponse(connected, method="CONNECT")
        answer.begin()
        if answer.status != 200:
            raise ConnectionError(f"the proxy {proxy} answered {answer.status} {answer.reason}")
        return connected

    def _reach(self, addresses: Collection[str], port: int) -> socket.socket:
        """Connects to the first of some addresses that answers."""
        failure: OSError = ConnectionError("it has no address")
        for address in addresses:
            try:
                self._socket = socket.create_connection((address, port), timeout=self._left())
            except OSError as error:
                failure = error
            else:
                self._left()
                return self._socket
        raise failure

    def _secure(self, connected: socket.socket, host: str) -> None:
        """Turns the connection into one whose certificate is checked; the timer can cut it from here on."""
        checked = ssl.create_default_context()
        secured = checked.wrap_socket(connected, server_hostname=host, do_handshake_on_connect=False)
        self._socket = secured
        self._left()
        secured.do_handshake()

    def _in_time(self, work: Callable[[], _T]) -> _T:
        """Returns what some work returns or raises; looking up a name takes no deadline of its own."""
        answers: queue.Queue[tuple[_T | None, Exception | None]] = queue.Queue(1)

        def run() -> None:
            try:
                answers.put((work(), None))
            except Exception as error:  # noqa: BLE001 - raised again below, in the thread that waits
                answers.put((None, error))

        threading.Thread(target=run, daemon=True, name="lakemon-lookup").start()
        try:
            found, error = answers.get(timeout=self._left())
        except queue.Empty:
            raise TimeoutError from None
        if error is not None:
            raise error
        return found  # type: ignore[return-value] - without an error there is a value

    def _left(self) -> float:
        left = self._end - monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def _cut(self) -> None:
        """Ends the connection under whoever waits for it; SSL's own shutdown would wait too."""
        self._is_late = True
        if self._socket is not None:
            with suppress(OSError):
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


def _one_line(name: str, value: str) -> str:
    if not (value.isascii() and value.isprintable()):
        raise DeliveryError(
            "LM553",
            f"the header {name} would hold a line break or other characters than ASCII;",
            cure="mend the secret or variable it comes from.",
        )
    return value
