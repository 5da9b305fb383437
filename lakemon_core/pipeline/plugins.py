"""The plugins of one process: discover, select, load, and hand out what the config names.

stevedore chooses the one backend, the one model type and the named sinks; pluggy calls everyone who listens.
A plugin that the config names and that does not work is an error; one that is merely installed is a row with
the reason in it, and never stops the tool.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import cast

import pluggy

from lakemon_core.domain.errors import ConfigErrors, PluginError, did_you_mean
from lakemon_core.domain.run import HookOutcome
from lakemon_core.hookspecs import HOOKS, PROJECT
from lakemon_core.pipeline.discovery import (
    COMMAND_GROUP,
    HOOK_GROUP,
    KINDS,
    Candidate,
    PluginStatus,
    find,
    installing,
    select,
)
from lakemon_core.pipeline.hooks import HookRunner
from lakemon_core.pipeline.loading import Plugin, load, strict
from lakemon_core.ports import AlertSink, Backend, ModelType, PluginConfig

ReadSettings = Callable[[str, type[PluginConfig], Mapping[str, object]], Mapping[str, object]]
"""Validates the settings of the hook plugin of this name by its `Config`, and returns them whole."""


@dataclass(frozen=True, slots=True)
class PluginRow:
    """One line of `lakemon plugins list`.

    Attributes:
        name: name of the entry point.
        kind: backend, model type, alert sink, hook plugin or command.
        distribution: who provides it.
        version: of the distribution.
        api: plugin API it needs; None when it was not loaded.
        status: active, disabled, failed, incompatible or conflict.
        hooks: hooks it listens to.
        load_ms: milliseconds of the import.
        error: why it is not active, with code and cure; empty when all is well.
    """

    name: str
    kind: str
    distribution: str
    version: str
    api: int | None
    status: str
    hooks: tuple[str, ...]
    load_ms: float
    error: str


def discover(disabled: Collection[str] = (), *, no_plugins: bool = False) -> Plugins:
    """Finds all installed plugins without importing one.

    Args:
        disabled: names of plugins or distributions; those of `LAKEMON_DISABLE_PLUGINS` (comma-separated,
            `*` for all hook plugins and commands) are added.
        no_plugins: switches all hook plugins off.
    """
    named = [name.strip() for name in os.environ.get("LAKEMON_DISABLE_PLUGINS", "").split(",")]
    return Plugins(find(), {*disabled, *filter(None, named), *(["*"] if no_plugins else [])})


class Plugins:
    """The installed plugins; each is imported when it is first asked for, and once.

    Args:
        found: what discovery found.
        disabled: names of plugins or distributions that are off.
    """

    def __init__(self, found: Iterable[Candidate], disabled: Collection[str] = ()) -> None:
        self._found = tuple(found)
        self._disabled = frozenset(disabled)
        self._candidates = select(self._found, self._disabled)
        self._loaded: dict[Candidate, Plugin] = {}

    def without(self, disabled: Collection[str]) -> Plugins:
        """Returns the same plugins with more of them off, e.g. those of `plugins.disabled`."""
        fewer = Plugins(self._found, self._disabled.union(disabled))
        fewer._loaded = self._loaded
        return fewer

    def names(self, group: str) -> tuple[str, ...]:
        """Returns the names of one group, without those that are disabled or in conflict."""
        return tuple(c.name for c in self._of(group) if c.status is PluginStatus.FOUND)

    def backend(self, name: str) -> type[Backend]:
        """Returns the class of a backend.

        Raises:
            PluginError: LM201 not installed, LM202 to LM209 installed but of no use.
        """
        return cast("type[Backend]", self._chosen("lakemon.backends", name))

    def model_type(self, name: str) -> type[ModelType]:
        """Returns the class of a model type; raises as `backend`."""
        return cast("type[ModelType]", self._chosen("lakemon.model_types", name))

    def sink(self, name: str) -> type[AlertSink]:
        """Returns the class of an alert sink by its type; raises as `backend`."""
        return cast("type[AlertSink]", self._chosen("lakemon.alert_sinks", name))

    def command(self, name: str) -> object:
        """Returns the typer app of a command; raises as `backend`."""
        return self._chosen(COMMAND_GROUP, name)

    def configs(self, group: str) -> dict[str, type[PluginConfig]]:
        """Returns name → `Config` of the working drivers of one group, for the schema of the config file."""
        drivers = (self._load(candidate) for candidate in self._of(group))
        return {
            plugin.candidate.name: cast("type[Backend]", plugin.target).Config
            for plugin in drivers
            if plugin.status is PluginStatus.ACTIVE
        }

    def hooks(
        self,
        disabled: Collection[str] = (),
        settings: Mapping[str, Mapping[str, object]] | None = None,
        *,
        autoload: bool = True,
        on_outcome: Callable[[HookOutcome], None] | None = None,
        read: ReadSettings | None = None,
    ) -> HookRunner:
        """Loads the hook plugins and returns the runner that calls them.

        Args:
            disabled: names of plugins or distributions that are off, as in `without`.
            settings: `plugins.settings` of the config; a plugin that stands here is one the config names.
            autoload: False takes only the plugins that the config names.
            on_outcome: is told the outcome of every call.
            read: validates the settings of a plugin that has a `Config`; None takes all as they stand.

        Raises:
            ConfigErrors: settings that a plugin's `Config` refuses.
            PluginError: LM201 to LM209 when a plugin that the config names cannot be used. Others that cannot
                be used are left out and named in `HookRunner.warnings`.
        """
        if disabled:
            kept = self.without(disabled)
            return kept.hooks((), settings, autoload=autoload, on_outcome=on_outcome, read=read)
        settings = settings or {}
        runner = HookRunner(on_outcome)
        installed = self._of(HOOK_GROUP)
        for name in settings.keys() - {candidate.name for candidate in installed}:
            if not self._disabled.intersection({name, "*"}):
                raise _not_installed(HOOK_GROUP, name, [candidate.name for candidate in installed])
        for candidate in installed:
            named = candidate.name in settings
            if candidate.status is PluginStatus.DISABLED or not (autoload or named):
                continue
            plugin = self._load(candidate)
            try:
                mine = _settings(plugin, settings.get(candidate.name, {}), read)
            except ConfigErrors as errors:
                if named:
                    raise
                runner.warnings.append(f"plugin {candidate.name} is left out until it is set up: {errors}")
                continue
            plugin = _listening(plugin, runner, mine)
            if named and plugin.error:
                raise plugin.failure()
            if plugin.error:
                runner.warnings.append(str(plugin.failure()))
        return runner

    def rows(self) -> list[PluginRow]:
        """Loads every plugin that is not disabled and says what became of it, sorted by group and name."""
        runner = HookRunner()
        return [_row(_listening(self._load(candidate), runner, {}), runner) for candidate in self._candidates]

    def _of(self, group: str) -> list[Candidate]:
        return [candidate for candidate in self._candidates if candidate.group == group]

    def _load(self, candidate: Candidate) -> Plugin:
        if candidate not in self._loaded:
            self._loaded[candidate] = load(candidate)
        return self._loaded[candidate]

    def _chosen(self, group: str, name: str) -> object:
        """Returns the target of the plugin that the config names."""
        known = self._of(group)
        providers = [candidate for candidate in known if candidate.name == name]
        if not providers:
            raise _not_installed(group, name, [candidate.name for candidate in known])
        usable = [candidate for candidate in providers if candidate.status is PluginStatus.FOUND]
        plugin = self._load((usable or providers)[0])
        if plugin.error:
            raise plugin.failure() from plugin.cause
        return plugin.target


def _not_installed(group: str, name: str, known: list[str]) -> PluginError:
    install = installing(name)
    cure = f"Install it: {install}." if install else did_you_mean(name, known)
    return PluginError("LM201", f"{KINDS[group]} {name!r} is not installed.", cure=cure)


def _settings(
    plugin: Plugin, settings: Mapping[str, object], read: ReadSettings | None
) -> Mapping[str, object]:
    """Returns the settings of a hook plugin, by its own `Config` where it has one."""
    config = getattr(plugin.target, "Config", None)
    if read is None or plugin.error or not (isinstance(config, type) and issubclass(config, PluginConfig)):
        return settings
    return read(plugin.candidate.name, config, settings)


def _listening(plugin: Plugin, runner: HookRunner, settings: Mapping[str, object]) -> Plugin:
    """Registers a hook plugin that is active; returns it as failed when its hooks do not fit."""
    if plugin.candidate.group != HOOK_GROUP or plugin.error:
        return plugin
    try:
        runner.add(plugin.target, plugin.candidate.id, settings)
    except PluginError as error:
        if strict():
            raise
        failed = PluginStatus.FAILED
        return replace(plugin, status=failed, code=error.code, error=error.what.rstrip(";"), cure=error.cure)
    return plugin


def _row(plugin: Plugin, runner: HookRunner) -> PluginRow:
    candidate = plugin.candidate
    hooks = runner.hooks_of(candidate.id) if candidate.group == HOOK_GROUP else _hooks_of_class(plugin.target)
    return PluginRow(
        name=candidate.name,
        kind=candidate.kind,
        distribution=candidate.distribution,
        version=candidate.version,
        api=plugin.api,
        status=plugin.status.value,
        hooks=hooks if plugin.status is PluginStatus.ACTIVE else (),
        load_ms=round(plugin.seconds * 1000, 1),
        error=" ".join((plugin.code, f"{plugin.error};", plugin.cure)) if plugin.error else "",
    )


def _hooks_of_class(driver: object) -> tuple[str, ...]:
    manager = pluggy.PluginManager(PROJECT)
    return tuple(hook for hook in HOOKS if manager.parse_hookimpl_opts(driver, hook) is not None)
