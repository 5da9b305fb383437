"""Starts the model server of a workspace: `python -m lakemon_local.serving --workspace DIR`.

The process that is called takes the port, forks, waits until its child holds the workspace, and ends; the
child goes on as the server, in a session of its own and with its output in the log. Whatever goes wrong
before that is printed as one JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

from lakemon_core.domain.errors import LakemonError
from lakemon_local.serving.process import TOKEN_VARIABLE, listen, present


def main(arguments: Sequence[str] | None = None) -> int:
    """Starts the server in the background; returns 0 when it holds the workspace."""
    parser = argparse.ArgumentParser(prog="python -m lakemon_local.serving")
    parser.add_argument("--workspace", type=Path, required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--log", type=Path, required=True)
    given = parser.parse_args(arguments)
    try:
        listener = listen(given.host, given.port)
    except LakemonError as error:
        told = {"code": error.code, "what": error.what, "where": error.where, "cure": error.cure}
        sys.stdout.write(json.dumps(told))
        return 2
    ready, child_ready = os.pipe()
    if os.fork():
        os.close(child_ready)
        return 0 if os.read(ready, 1) else 3
    _detach(given.log)
    _serve(given.workspace, listener, child_ready)
    return 0


def _detach(log: Path) -> None:
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDONLY)
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(nothing, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)


def _serve(workspace: Path, listener: socket.socket, ready: int) -> None:
    with present(workspace, listener) as me:
        os.write(ready, b"1")
        os.close(ready)
        from lakemon_local.serving.server.run import run_server

        run_server(workspace, listener, me, token=os.environ.pop(TOKEN_VARIABLE, ""))


if __name__ == "__main__":
    sys.exit(main())
