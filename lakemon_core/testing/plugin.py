"""Fixtures for plugin authors: put `pytest_plugins = ["lakemon_core.testing.plugin"]` into your conftest.

`lakemon_host` calls the hooks of a plugin as a run does, `run_lakemon` runs a command as a person does.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lakemon_core.config import from_dict
from lakemon_core.domain.monitor import Roles
from lakemon_core.domain.run import HookOutcome
from lakemon_core.hookspecs import (
    AlertContext,
    AnalyzeContext,
    DeployContext,
    MonitorContext,
    RunContext,
    StageContext,
    ValidateContext,
)
from lakemon_core.pipeline.hooks import HookRunner
from lakemon_core.pipeline.session import Silent, SystemClock
from lakemon_core.ports import PluginConfig

CONTEXTS: Mapping[str, type[RunContext] | None] = {
    "lakemon_deploy": DeployContext,
    "lakemon_validate": ValidateContext,
    "lakemon_monitor": MonitorContext,
    "lakemon_analyze": AnalyzeContext,
    "lakemon_alert": AlertContext,
    "lakemon_before_stage": StageContext,
    "lakemon_after_stage": StageContext,
    "lakemon_on_stage_error": StageContext,
    "lakemon_metrics": None,
    "lakemon_report_panels": AnalyzeContext,
}
"""Hook → the context it takes."""

SAMPLE_CONFIG = {
    "model": {"name": "sample", "type": "classification"},
    "environments": {"test": {"catalog": "main", "schema": "sample"}},
}
DEADLINE = 30.0


class Host:
    """A run that never discovers anything: it calls what a test puts into it."""

    def __init__(self) -> None:
        self.runner = HookRunner()

    def use(
        self, plugin: object, settings: Mapping[str, object] | None = None, *, name: str = "mine"
    ) -> None:
        """Lets a plugin listen, with its `plugins.settings`; its `Config` reads them, where it has one.

        Args:
            plugin: an instance, or a module with hooks.

        Raises:
            PluginError: LM208 when its hooks do not fit.
            ValidationError: of pydantic, for settings that its `Config` refuses.
        """
        config = getattr(plugin, "Config", None)
        if isinstance(config, type) and issubclass(config, PluginConfig):
            settings = config.model_validate(dict(settings or {})).model_dump()
        self.runner.add(plugin, f"lakemon.plugins:{name}", settings or {})

    def call(self, hook: str, *, deadline: float = DEADLINE, **fields: Any) -> list[HookOutcome]:
        """Calls a hook; `fields` go into its context, e.g. `rows=` for `lakemon_validate`."""
        made = CONTEXTS[hook]
        context = None if made is None else made(**_ordinary() | fields)
        return self.runner.call(hook, context, deadline=deadline)


def _ordinary() -> dict[str, Any]:
    """What every context holds when a test does not say otherwise; backend and model type are the test's."""
    return {
        "run_id": "test",
        "monitor": from_dict(SAMPLE_CONFIG).monitor,
        "backend": None,
        "model_type": None,
        "roles": Roles(),
        "clock": SystemClock(),
        "progress": Silent(),
    }


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """What a command line came to."""

    code: int
    stdout: str
    stderr: str

    def assert_ok(self) -> RunOutcome:
        """Fails unless the exit code is 0; returns itself."""
        return self.assert_failed(0)

    def assert_failed(self, code: int) -> RunOutcome:
        """Fails unless the exit code is `code`; returns itself."""
        assert self.code == code, f"exit code {self.code}\n{self.stdout}\n{self.stderr}"
        return self

    @property
    def document(self) -> Any:
        """The JSON document on stdout."""
        return json.loads(self.stdout)


@pytest.fixture
def lakemon_host() -> Host:
    """A host to put plugins into: `lakemon_host.use(MyPlugin())`."""
    return Host()


@pytest.fixture
def run_lakemon(tmp_path: Path) -> Callable[..., RunOutcome]:
    """Runs `lakemon` in an empty folder: `run_lakemon("plugins", "list", "--output", "json").assert_ok()`."""

    def run(*arguments: str) -> RunOutcome:
        command = [sys.executable, "-m", "lakemon_core", *arguments]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)  # noqa: S603 - as asked
        return RunOutcome(done.returncode, done.stdout, done.stderr)

    return run
