"""The server's process: where it listens, how a `lakemon` call finds it, starts it and stops it."""

from __future__ import annotations

import errno
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from lakemon_core.domain.codec import decode, encode
from lakemon_core.domain.errors import ModelError, WorkspaceError
from lakemon_local.lock import hold, holder

TOKEN_VARIABLE = "LAKEMON_SERVER_TOKEN"  # noqa: S105 - the name of a variable, not a secret
STOP_SECONDS = 15.0
"""How long a server may take to answer what it has begun and to move its spool."""
_REACHED_BY = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - names what others chose to listen on
_LOG_LIMIT = 10 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Running:
    """A server that runs.

    Attributes:
        pid: its process.
        host: by which this machine reaches it.
        port: it listens on.
        started_at: UTC; with the pid it tells this server from any other.
        key: lets a caller change endpoints.
    """

    pid: int
    host: str
    port: int
    started_at: datetime
    key: str

    @property
    def url(self) -> str:
        """The address without a path."""
        return f"http://[{self.host}]:{self.port}" if ":" in self.host else f"http://{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class ServerFiles:
    """Where the server of a workspace keeps its files."""

    workspace: Path

    @property
    def lock(self) -> Path:
        """Held by the server for as long as it lives."""
        return self.workspace / "server.lock"

    @property
    def state(self) -> Path:
        """Who the server is; readable by its owner only, for it holds the key."""
        return self.workspace / "server.json"

    @property
    def log(self) -> Path:
        """What the server prints."""
        return self.workspace / "server.log"

    @property
    def configs(self) -> Path:
        """Paths of the config files whose calls used the server, as JSON."""
        return self.workspace / "configs.json"

    @property
    def spool(self) -> Path:
        """Requests on their way to the lake."""
        return self.workspace / "spool.db"


def running(workspace: Path) -> Running | None:
    """Returns the server of a workspace, or None.

    The lock says whether it lives: the operating system frees it with the process, and a process that got the
    same pid later does not hold it.
    """
    files = ServerFiles(workspace)
    held = holder(files.lock)
    if held is None:
        return None
    try:
        found = decode(Running, files.state.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if found.pid == held.pid else None


def known_configs(workspace: Path) -> tuple[Path, ...]:
    """Returns the config files whose calls used the server of a workspace, as far as they are there."""
    try:
        noted = json.loads(ServerFiles(workspace).configs.read_text(encoding="utf-8"))
        return tuple(path for path in map(Path, noted) if path.is_file())
    except (OSError, ValueError, TypeError):
        return ()


def note_config(workspace: Path, config: Path) -> None:
    """Notes a config file, so that the server's pages know what to show."""
    known = known_configs(workspace)
    if config.absolute() not in known:
        file = ServerFiles(workspace).configs
        file.parent.mkdir(parents=True, exist_ok=True)
        draft = file.with_name(f".{file.name}.{os.getpid()}")
        draft.write_text(json.dumps([str(path) for path in (*known, config.absolute())]), encoding="utf-8")
        draft.replace(file)


def listen(host: str, port: int) -> socket.socket:
    """Takes a port; 0 takes a free one.

    Raises:
        ModelError: LM412 when it is taken or may not be used.
    """
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(256)
    except OSError as error:
        listener.close()
        taken = error.errno == errno.EADDRINUSE
        raise ModelError(
            "LM412",
            f"port {port} of {host} is taken by another program;" if taken
            else f"port {port} of {host} cannot be used: {error.strerror};",
            cure="set `serving.port` to another one, or to 0 for a free one.",
        ) from error  # fmt: skip
    return listener


@contextmanager
def present(workspace: Path, listener: socket.socket) -> Generator[Running]:
    """Makes this process the server of a workspace for as long as the block runs.

    Raises:
        WorkspaceBusy: LM601 when a server runs already.
    """
    files = ServerFiles(workspace)
    address: tuple[str, int] = listener.getsockname()[:2]
    host = _REACHED_BY.get(address[0], address[0])
    with hold(files.lock, "model server"):
        me = Running(os.getpid(), host, address[1], datetime.now(UTC), secrets.token_urlsafe(24))
        _write_private(files.state, encode(me))
        try:
            yield me
        finally:
            files.state.unlink(missing_ok=True)


def start(workspace: Path, *, host: str, port: int, token: str) -> None:
    """Starts a server in the background; it goes on after this process has ended.

    Returns when it holds the workspace and its port, before it has loaded anything.

    Raises:
        ModelError: LM412 when the port is taken, LM415 when the process does not come up.
    """
    files = ServerFiles(workspace)
    workspace.mkdir(parents=True, exist_ok=True)
    _turn_over(files.log)
    environment = {"OMP_NUM_THREADS": "1", **os.environ, TOKEN_VARIABLE: token}
    command = [sys.executable, "-m", "lakemon_local.serving", "--workspace", str(workspace)]
    command += ["--host", host, "--port", str(port), "--log", str(files.log)]
    done = subprocess.run(  # noqa: S603 - our own module, arguments as a list
        command, env=environment, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    if done.returncode == 0 or running(workspace) is not None:
        return
    raise _told(done.stdout) or did_not_start(workspace, done.stderr)


def stop(workspace: Path) -> bool:
    """Ends the server of a workspace after it has answered and moved what it had; False when none ran.

    Raises:
        WorkspaceError: LM612 when it does not end, even when killed.
    """
    found = running(workspace)
    if found is None:
        return False
    os.kill(found.pid, signal.SIGTERM)
    if _gone(workspace, found, STOP_SECONDS):
        return True
    os.kill(found.pid, signal.SIGKILL)
    if _gone(workspace, found, 5.0):
        return True
    raise WorkspaceError(
        "LM612", f"the model server (pid {found.pid}) does not end;", cure="end it yourself."
    )


def did_not_start(workspace: Path, said: str = "") -> ModelError:
    """Returns the error for a server that ended while it started, with the last lines of its log."""
    files = ServerFiles(workspace)
    text = said or (files.log.read_text(encoding="utf-8", errors="replace") if files.log.exists() else "")
    last = " | ".join(line.strip() for line in text.strip().splitlines()[-3:])
    return ModelError(
        "LM415",
        f"the model server did not start: {last or 'it said nothing'};",
        where=str(files.log),
        cure="read its log, mend the cause and deploy again.",
    )


def _told(said: str) -> ModelError | None:
    """Returns the error that the launching process printed, if it printed one."""
    try:
        told = json.loads(said)
        return ModelError(told["code"], told["what"], where=told["where"], cure=told["cure"])
    except (ValueError, KeyError, TypeError):
        return None


def _gone(workspace: Path, found: Running, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        held = holder(ServerFiles(workspace).lock)
        if held is None or held.pid != found.pid:
            return True
        time.sleep(0.05)
    return False


def _write_private(path: Path, text: str) -> None:
    fresh = path.with_suffix(".tmp")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    fresh.replace(path)


def _turn_over(log: Path) -> None:
    if log.exists() and log.stat().st_size > _LOG_LIMIT:
        log.replace(log.with_suffix(".log.1"))
