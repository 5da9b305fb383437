"""The model server as a `lakemon` call sees it: the port `ModelServer`."""

from __future__ import annotations

import time
from pathlib import Path

from lakemon_core.domain.errors import WorkspaceBusy
from lakemon_core.ports import Progress, ServerState
from lakemon_local.lock import hold
from lakemon_local.serving.client import API, Client
from lakemon_local.serving.endpoint_json import Described
from lakemon_local.serving.process import (
    ServerFiles,
    did_not_start,
    listen,
    note_config,
    present,
    running,
    start,
    stop,
)

START_SECONDS = 120.0
"""A server that does not answer its health check within this time did not start."""


class LocalModelServer:
    """The one server process of a workspace.

    Args:
        workspace: its folder.
        host: where it listens.
        port: of `serve`, and of a deploy that asks for none; 0 takes a free one.
        token: asked for every request when it is set.
        config: the file of this call, for the server's pages.
    """

    def __init__(
        self,
        workspace: Path,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        token: str = "",
        config: Path | None = None,
    ) -> None:
        self._workspace = workspace
        self._host = host
        self._port = port
        self._token = token
        self._config = config

    def state(self) -> ServerState | None:
        """Returns the server that runs, or None.

        Raises:
            ModelError: LM415 when it runs but does not answer.
        """
        client = self.client()
        if client is None:
            return None
        listed = client.call("GET", API).json().get("endpoints", [])
        return ServerState(
            url=client.server.url,
            pid=client.server.pid,
            started_at=client.server.started_at,
            endpoints=[Described(found).state(client.server.url) for found in listed],
            log=str(ServerFiles(self._workspace).log),
        )

    def stop(self) -> bool:
        """Stops it after its requests are logged; False when none ran.

        Raises:
            WorkspaceError: LM612 when it does not end.
        """
        return stop(self._workspace)

    def serve(self) -> None:
        """Serves in this process until it is interrupted.

        Raises:
            ModelError: LM412 when the port is taken.
            WorkspaceBusy: LM601 when a server of this workspace runs already.
        """
        from lakemon_local.serving.server.run import run_server

        self._note()
        with listen(self._host, self._port) as listener, present(self._workspace, listener) as me:
            run_server(self._workspace, listener, me, token=self._token)

    def client(self) -> Client | None:
        """Returns a client of the server that runs, or None."""
        found = running(self._workspace)
        return Client(found, self._token) if found else None

    def ensure(self, port: int, progress: Progress) -> Client:
        """Returns a client of a server that answers; starts one where none runs or another port is asked for.

        Raises:
            ModelError: LM412 when the port is taken, LM415 when the server does not start.
        """
        self._note()
        found = running(self._workspace)
        wanted = port or self._port
        if found is not None and wanted not in {0, found.port}:
            progress.update(f"moving the model server to port {wanted}")
            stop(self._workspace)
            found = None
        if found is None:
            progress.update("starting the model server")
            start(self._workspace, host=self._host, port=wanted, token=self._token)
        return self._answering(progress)

    def flush(self) -> None:
        """Has every answered request moved into its payload table.

        Where no server runs, what a killed one left in the spool is moved by this process.

        Raises:
            LakemonError: when a table cannot be written; the requests stay in the spool.
        """
        client = self.client()
        if client is not None:
            client.flush()
            return
        files = ServerFiles(self._workspace)
        if not files.spool.exists():
            return
        from lakemon_local.serving.server.run import drain

        try:
            with hold(files.lock, "draining the spool"):
                drain(self._workspace)
        except WorkspaceBusy:  # a server has just started, and moves the spool itself
            self.flush()

    def _note(self) -> None:
        if self._config is not None:
            note_config(self._workspace, self._config)

    def _answering(self, progress: Progress) -> Client:
        deadline = time.monotonic() + START_SECONDS
        while (client := self.client()) is not None and time.monotonic() < deadline:
            if client.health(seconds=2.0):
                return client
            progress.update("waiting for the model server")
        raise did_not_start(self._workspace)
