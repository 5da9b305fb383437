"""Runs the dashboard until it is stopped: takes a port, says the address once, opens the browser."""

from __future__ import annotations

import errno
import importlib.util
import secrets
import socket
import threading
import webbrowser
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from lakemon_core.domain.errors import UsageError, WorkspaceError
from lakemon_core.ui.dashboard import Dashboard

DEFAULT_PORT = 8421
_NEEDED = ("starlette", "uvicorn")
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_ANY = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - what a person may ask for, and how this machine reaches it


@dataclass(frozen=True, slots=True)
class Listening:
    """A port that was taken, and the address that opens the dashboard.

    Attributes:
        socket: listening.
        url: with the token, where one is asked for.
        token: empty where only this machine can come in.
    """

    socket: socket.socket
    url: str
    token: str


def check_installed() -> None:
    """Looks whether the extra is there.

    Raises:
        UsageError: LM188 when it is not.
    """
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise UsageError(
            "LM188",
            f"the dashboard needs {' and '.join(missing)}, not installed here;",
            cure='pip install "lakemon[ui]".',
        )


def listen(host: str, port: int | None) -> Listening:
    """Takes a port.

    Args:
        host: where to listen; anything but this machine's own addresses asks every browser for a token.
        port: 0 takes a free one; None the usual one, or a free one when that is taken.

    Raises:
        WorkspaceError: LM642 when it cannot be used.
    """
    try:
        taken = _bound(host, DEFAULT_PORT if port is None else port)
    except OSError as error:
        if port is not None or error.errno != errno.EADDRINUSE:
            reason = (
                "another program has it" if error.errno == errno.EADDRINUSE else error.strerror or str(error)
            )
            raise WorkspaceError(
                "LM642",
                f"port {port if port is not None else DEFAULT_PORT} of {host} cannot be used: {reason};",
                cure="name another with --port, or 0 for a free one.",
            ) from None
        taken = _bound(host, 0)
    number: int = taken.getsockname()[1]
    token = "" if host in _LOOPBACK else secrets.token_urlsafe(24)
    shown = _ANY.get(host, host)
    place = f"[{shown}]" if ":" in shown else shown
    return Listening(taken, f"http://{place}:{number}/{'?token=' + token if token else ''}", token)


def serve(dashboard: Dashboard, listening: Listening, *, opens: bool, ready: Callable[[], object]) -> None:
    """Serves until Ctrl-C.

    Args:
        dashboard: what is shown.
        listening: the port.
        opens: a browser is opened once the pages answer.
        ready: called when they answer.
    """
    import uvicorn

    from lakemon_core.ui.app import make_app

    app = make_app(dashboard, token=listening.token)
    settings = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=3,
        lifespan="on",
    )
    server = uvicorn.Server(settings)

    def tell() -> None:
        ready()
        threading.Thread(target=_warm, args=(dashboard,), name="lakemon-ui-warm", daemon=True).start()
        if opens:
            webbrowser.open(listening.url)

    threading.Timer(0.3, tell).start()
    server.run(sockets=[listening.socket])


def _warm(dashboard: Dashboard) -> None:
    """Judges everything once, so that the first page has something to show."""
    for one in dashboard.all():
        with suppress(Exception):  # the page of it tells what is wrong
            one.view()


def _bound(host: str, port: int) -> socket.socket:
    taken = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind((host, port))
        taken.listen(128)
    except OSError:
        taken.close()
        raise
    return taken
