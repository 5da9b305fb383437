"""The folder of a demo: its config and its workspace."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TypeVar

from lakemon_core.domain.errors import UsageError
from lakemon_core.pipeline.result import RunRequest
from lakemon_core.pipeline.session import open_session

Part = TypeVar("Part")

CONFIG = "monitoring_config.yml"
WORKSPACE = ".lakemon"
_MARK = "demo"


@dataclass(frozen=True, slots=True)
class Home:
    """Where a demo lives.

    Attributes:
        folder: holds the config and the workspace.
    """

    folder: Path

    @property
    def config(self) -> Path:
        """The config file; whoever changes it plays on with the change."""
        return self.folder / CONFIG

    @property
    def workspace(self) -> Path:
        """Tables, models, ledger and mails."""
        return self.folder / WORKSPACE

    @property
    def report(self) -> Path:
        """The page that is written at the end."""
        return self.folder / "report.html"

    @property
    def request(self) -> RunRequest:
        """What `lakemon run -c <config>` asks for."""
        return RunRequest(self.config)

    def furnish(self) -> None:
        """Makes the folder with its config; what is there already stays as it is.

        Raises:
            UsageError: LM171 for a folder that holds something else.
        """
        if self.folder.exists() and not self._is_ours():
            raise UsageError(
                "LM171",
                "is there already and holds no demo;",
                where=str(self.folder),
                cure="name another one with --directory.",
            )
        self.workspace.mkdir(parents=True, exist_ok=True)
        (self.workspace / _MARK).touch()
        if not self.config.exists():
            self.config.write_text(packaged_config(), encoding="utf-8")

    def clear(self) -> None:
        """Stops the model server and removes what a demo made; anything else is left alone.

        Raises:
            WorkspaceBusy: LM601 when a run holds the workspace.
        """
        if not (self.workspace / _MARK).exists():
            return
        self.config.write_text(packaged_config(), encoding="utf-8")
        with open_session(self.request) as session, session.backend.hold("demo --fresh"):
            if session.backend.server is not None:
                session.backend.server.stop()
        shutil.rmtree(self.workspace)
        self.report.unlink(missing_ok=True)
        self.config.unlink()

    def _is_ours(self) -> bool:
        if (self.workspace / _MARK).exists():
            return True
        return self.folder.is_dir() and not any(self.folder.iterdir())


def packaged_config() -> str:
    """Returns the config that the demo writes; examples/flights holds the same."""
    return (resources.files("lakemon_core.demo") / CONFIG).read_text(encoding="utf-8")


def demand(part: Part | None, key: str) -> Part:
    """Returns a part of the config that the story cannot do without.

    Raises:
        UsageError: LM173 when somebody took it out.
    """
    if part is None:
        raise UsageError(
            "LM173",
            f"the demo needs `{key}:` in its config;",
            cure="put it back, or start again with --fresh.",
        )
    return part
