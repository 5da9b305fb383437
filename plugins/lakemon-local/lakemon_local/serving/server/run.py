"""Puts the server together and runs it until it is told to stop."""

from __future__ import annotations

import logging
import signal
import socket
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

from lakemon_core.tracking import ModelRegistry
from lakemon_local.serving.endpoints import EndpointFile
from lakemon_local.serving.process import Running, ServerFiles
from lakemon_local.serving.server.app import Service, make_app
from lakemon_local.serving.server.control import Control
from lakemon_local.serving.server.door import Keys
from lakemon_local.serving.server.web_apps import mounts
from lakemon_local.serving.spool import Mover, Spool

_GRACE_SECONDS = 5
_MOST_REQUESTS = 512
"""Requests in flight; more are turned away with 503 at once."""


class _UtcClock:
    def now(self) -> datetime:
        """Returns the present moment, UTC."""
        return datetime.now(UTC)


def run_server(workspace: Path, listener: socket.socket, me: Running, *, token: str) -> None:
    """Serves the endpoints of a workspace until SIGTERM or Ctrl-C, then moves what is spooled.

    Args:
        workspace: its folder.
        listener: the port, taken already.
        me: who this process is.
        token: asked for every request when it is set.

    Raises:
        WorkspaceError: LM610, LM611 when spool or endpoints cannot be read.
    """
    import uvicorn

    from lakemon_local.tables import DeltaTables

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    tables = DeltaTables(workspace / "tables")
    spool = Spool(ServerFiles(workspace).spool)
    service = Service(
        control=Control(EndpointFile(workspace), ModelRegistry(workspace), tables, _UtcClock()),
        spool=spool,
        mover=Mover(spool, tables),
        keys=Keys(me.key, token),
        identity={"pid": me.pid, "started_at": me.started_at.isoformat(), "workspace": str(workspace)},
    )
    settings = uvicorn.Config(
        make_app(service, mounts(workspace, token)),
        log_config=None,
        access_log=False,
        lifespan="on",
        limit_concurrency=_MOST_REQUESTS,
        timeout_graceful_shutdown=_GRACE_SECONDS,
        server_header=False,
    )
    signal.signal(signal.SIGTERM, _leave)  # uvicorn raises the signal again once it has shut down
    uvicorn.Server(settings).run(sockets=[listener])


def _leave(number: int, _: object) -> NoReturn:
    """Ends the process like the signal would, but lets it put its files away."""
    sys.exit(128 + number)


def drain(workspace: Path) -> int:
    """Moves what a server that was killed left in its spool; returns how many requests that were.

    Call it while holding the server's lock.

    Raises:
        WorkspaceError: LM610 when the spool cannot be read.
        DataError: when a payload table cannot be written.
    """
    from lakemon_local.tables import DeltaTables

    spool = Spool(ServerFiles(workspace).spool)
    try:
        mover = Mover(spool, DeltaTables(workspace / "tables"))
        mover.flush()
        return mover.moved
    finally:
        spool.close()
