"""Runs `lakemon` as a person does, in an empty folder, with distributions of a test's own."""

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest


@dataclass(frozen=True)
class Outcome:
    """What a command line came to."""

    code: int
    stdout: str
    stderr: str

    @property
    def document(self) -> Any:
        return json.loads(self.stdout)

    @property
    def error(self) -> dict[str, Any]:
        return self.document["error"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder that commands run in."""
    made = tmp_path / "here"
    made.mkdir()
    return made


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder on the path of the commands."""
    made = tmp_path / "site"
    made.mkdir()
    return made


@pytest.fixture
def command(folder: Path, site: Path) -> Callable[..., tuple[list[str], dict[str, Any]]]:
    """Returns the arguments of `subprocess` for a command line."""

    def made(*arguments: str, program: str = "", **environment: str) -> tuple[list[str], dict[str, Any]]:
        code = (
            f"import sys; from lakemon_core.cli.scripts import {program} as main; sys.argv[0] = 'x'; main()"
        )
        start = ["-c", code] if program else ["-m", "lakemon_core"]
        ours = ("LAKEMON_", "MLFLOW_", "_MLFLOW_")
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        env = {**inherited, "PYTHONPATH": str(site), "COLUMNS": "200", **environment}
        return [sys.executable, *start, *arguments], {"cwd": folder, "env": env, "text": True}

    return made


@pytest.fixture
def lakemon(command) -> Callable[..., Outcome]:
    """Runs one command line to its end."""

    def run(*arguments: str, **options: str) -> Outcome:
        line, settings = command(*arguments, **options)
        done = subprocess.run(line, capture_output=True, check=False, timeout=120, **settings)
        return Outcome(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def install(site: Path) -> Callable[..., None]:
    """Installs a distribution: `install(name, {group: {entry: target}}, module=source, …)`."""

    def write(name: str, entry_points: Mapping[str, Mapping[str, str]], **modules: str) -> None:
        for module, source in modules.items():
            (site / f"{module}.py").write_text(textwrap.dedent(source))
        info = site / f"{name.replace('-', '_')}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        lines = [f"[{group}]\n" + "\n".join(f"{entry} = {target}" for entry, target in entries.items())
                 for group, entries in entry_points.items()]  # fmt: skip
        (info / "entry_points.txt").write_text("\n".join(lines))

    return write
