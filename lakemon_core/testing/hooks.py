"""What every hook plugin has to hold; subclass it and name the entry point."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import Any, ClassVar, cast

from lakemon_core.domain.panels import PanelSpec, problem_of
from lakemon_core.domain.run import HookStatus
from lakemon_core.pipeline.plugins import PluginRow, discover
from lakemon_core.testing.plugin import Host

HEAVY = frozenset(
    {"mlflow", "databricks", "pandas", "sklearn", "scipy", "pyarrow", "duckdb", "deltalake", "polars"}
)
"""Libraries that a plugin imports inside its functions, if at all."""


def imported_by(module: str) -> set[str]:
    """Returns the top-level modules that a fresh Python has after importing a module."""
    code = f"import json, sys, {module}; print(json.dumps(sorted(sys.modules)))"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - our own code
    return {name.partition(".")[0] for name in json.loads(done.stdout.splitlines()[-1])}


class HookPluginContract:
    """A suite for one hook plugin; subclass it in your tests.

        class TestMyPlugin(HookPluginContract):
            name = "my-plugin"

    The plugin must be installed, e.g. with `pip install -e .`.

    Attributes:
        name: of the entry point in the group `lakemon.plugins`.
        settings: what stands under `plugins.settings` while it is tested.
    """

    name: ClassVar[str]
    settings: ClassVar[Mapping[str, object]] = {}

    def test_lakemon_finds_the_plugin_and_it_works(self) -> None:
        """It is active: installed once, importable, of this plugin API, with hooks that fit."""
        row = self._row()
        assert row.status == "active", row.error

    def test_it_listens_to_at_least_one_hook(self) -> None:
        """A plugin without hooks is a plugin whose `@hookimpl` was forgotten."""
        assert self._row().hooks

    def test_importing_it_is_light(self) -> None:
        """Its module is imported in every run, so it imports heavy libraries inside its functions."""
        (entry,) = entry_points(group="lakemon.plugins", name=self.name)
        assert not imported_by(entry.module) & HEAVY

    def test_its_signals_are_named_after_it(self) -> None:
        """`NAME.signal`, so that two plugins never declare the same one."""
        for outcome in self._host().call("lakemon_metrics"):
            assert outcome.status is HookStatus.OK, outcome.error
            assert isinstance(outcome.value, tuple)
            for metric in outcome.value:
                assert metric.name.startswith(f"{self.name}."), metric.name

    def test_its_panels_can_be_drawn(self) -> None:
        """Of a report without signals; ids are `NAME.panel`."""
        for outcome in self._host().call("lakemon_report_panels", **self.report()):
            assert outcome.status is HookStatus.OK, outcome.error
            panels = cast("tuple[PanelSpec, ...]", outcome.value)
            assert [(panel.id, problem_of(panel)) for panel in panels if problem_of(panel)] == []
            assert all(panel.id.startswith(f"{self.name}.") for panel in panels)
            assert len({panel.id for panel in panels}) == len(panels)

    def report(self) -> Mapping[str, Any]:
        """Returns fields of the context that `lakemon_report_panels` needs, e.g. signals."""
        return {}

    def _host(self) -> Host:
        host = Host()
        (entry,) = entry_points(group="lakemon.plugins", name=self.name)
        target = entry.load()
        host.use(target() if isinstance(target, type) else target, self.settings, name=self.name)
        return host

    def _row(self) -> PluginRow:
        rows = [row for row in discover().rows() if (row.kind, row.name) == ("hook plugin", self.name)]
        assert rows, f"no entry point {self.name!r} in the group lakemon.plugins; is the plugin installed?"
        return rows[0]
