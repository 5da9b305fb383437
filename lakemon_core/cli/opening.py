"""Opens the session of a command that looks at tables, the server or the ledger."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from lakemon_core.cli.options import DEFAULT_CONFIG, config_path

if TYPE_CHECKING:
    from lakemon_core.pipeline.session import Session
    from lakemon_core.ports import Progress


@contextmanager
def opened(
    option: Path | None,
    environment: str | None,
    workspace: Path | None,
    *,
    argument: Path | None = None,
    progress: Progress | None = None,
    no_plugins: bool = True,
) -> Generator[Session]:
    """Opens the session of a config, without hook plugins unless the command calls some.

    Where no config is named and none lies here, the local workspace of this folder is opened, so that tables
    can be imported before there is a config; then all table names need three parts.
    """
    from lakemon_core.config import from_dict
    from lakemon_core.pipeline.result import RunRequest
    from lakemon_core.pipeline.session import open_session

    path = config_path(argument, option)
    here = path != DEFAULT_CONFIG or path.exists() or environment is not None
    config = (
        path if here else from_dict({"environments": {"local": {"catalog": "main", "schema": "default"}}})
    )
    request = RunRequest(config, environment if here else None, workspace=workspace, no_plugins=no_plugins)
    with open_session(request, progress=progress) as session:
        yield session
