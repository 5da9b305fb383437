"""A session: the config of one environment with everything it names chosen, validated and opened."""

from __future__ import annotations

import secrets as random
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from lakemon_core.alerting.routing import builtin_sinks
from lakemon_core.config import EnvironmentSecrets, Loaded, load, validate_settings
from lakemon_core.config.explain import in_file_order
from lakemon_core.domain.errors import ConfigErrors, Problem, UsageError
from lakemon_core.domain.monitor import Monitor, Roles, SinkSpec
from lakemon_core.domain.run import HookOutcome
from lakemon_core.hookspecs import RunContext
from lakemon_core.pipeline.hooks import HookRunner
from lakemon_core.pipeline.own_sinks import PYTHON, own_sink
from lakemon_core.pipeline.plugins import Plugins, discover
from lakemon_core.pipeline.result import RunRequest
from lakemon_core.ports import (
    AlertSink,
    Backend,
    BackendSetup,
    Clock,
    ModelType,
    PluginConfig,
    Progress,
    Secrets,
    SinkSetup,
)


class SystemClock:
    """The time of this machine."""

    def now(self) -> datetime:
        """Returns the present moment, UTC."""
        return datetime.now(UTC)


class Silent:
    """Progress that nobody looks at."""

    def update(self, what: str, done: int | None = None, total: int | None = None) -> None:
        """Does nothing."""


@dataclass(frozen=True, slots=True)
class Session:
    """Everything a stage or a command works with.

    Attributes:
        monitor: the resolved config.
        workspace: folder for state.
        backend: opened.
        model_type: chosen; None when the config names no model.
        sinks: by name, with the built-in ones.
        hooks: the plugins that listen.
        clock: the time.
        progress: tells a person what is going on.
        secrets: resolves references, and redacts what it resolved.
        loaded: the config with the places of its values.
    """

    monitor: Monitor
    workspace: Path
    backend: Backend
    model_type: ModelType | None
    sinks: Mapping[str, AlertSink]
    hooks: HookRunner
    clock: Clock
    progress: Progress
    secrets: Secrets
    loaded: Loaded

    def context(self, run_id: str) -> RunContext:
        """Returns what every stage knows.

        Raises:
            UsageError: LM140 when the config names no model.
        """
        if self.model_type is None:
            raise UsageError(
                "LM140",
                "the config names no model;",
                where=str(self.monitor.source or ""),
                cure="add `model: {name: my_model, type: classification}`.",
            )
        return RunContext(
            run_id=run_id,
            monitor=self.monitor,
            backend=self.backend,
            model_type=self.model_type,
            roles=self._roles(self.model_type),
            clock=self.clock,
            progress=self.progress,
        )

    def _roles(self, model_type: ModelType) -> Roles:
        """Keys, and when labels came, are no features."""
        roles = model_type.roles()
        table = self.monitor.inference_table
        of_labels = table.labels.columns if table.labels else ()
        others = [*roles.others, *of_labels, *table.key, "client_request_id"]
        return replace(
            roles, others=tuple(dict.fromkeys(name for name in others if name not in roles.features))
        )


def new_run_id(clock: Clock) -> str:
    """Returns a sortable id, `20261123T123000-4f2a`."""
    return f"{clock.now():%Y%m%dT%H%M%S}-{random.token_hex(2)}"


def workspace_of(monitor: Monitor, given: Path | None) -> Path:
    """Returns the workspace: the given folder, or `.lakemon` beside the config or in the current folder."""
    if given is not None:
        return given.absolute()
    return (monitor.source.absolute().parent if monitor.source else Path.cwd()) / ".lakemon"


@contextmanager
def open_session(
    request: RunRequest,
    *,
    progress: Progress | None = None,
    clock: Clock | None = None,
    trace: Callable[[HookOutcome], None] | None = None,
) -> Generator[Session]:
    """Opens the session of a request and closes it at the end.

    Raises:
        ConfigErrors: everything that is wrong in the config, at once.
        PluginError: LM201 to LM209 when a plugin that the config names cannot be used.
    """
    plugins = discover(no_plugins=request.no_plugins)
    loaded = _loaded(request)
    monitor = loaded.monitor
    opening = _Opening(
        loaded=loaded,
        monitor=monitor,
        plugins=plugins.without(monitor.plugins.disabled),
        workspace=workspace_of(monitor, request.workspace),
        clock=clock or SystemClock(),
        git_sha=request.git_sha or "",
    )
    session = opening.open(progress or Silent(), trace)
    try:
        yield session
    finally:
        session.backend.close()


def _loaded(request: RunRequest) -> Loaded:
    if isinstance(request.config, Loaded):
        return request.config
    return load(request.config, request.environment, catalog=request.catalog, schema=request.schema)


@dataclass(frozen=True, slots=True)
class _Opening:
    """Chooses what the config names and validates each plugin's settings, before anything is opened."""

    loaded: Loaded
    monitor: Monitor
    plugins: Plugins
    workspace: Path
    clock: Clock
    git_sha: str
    secrets: EnvironmentSecrets = field(default_factory=EnvironmentSecrets)

    def open(self, progress: Progress, trace: Callable[[HookOutcome], None] | None) -> Session:
        """Opens the session; the backend comes last, when all else is known to be right."""
        spec = self.monitor.plugins
        model_type, sinks = self._chosen()
        hooks = self.plugins.hooks(
            settings=spec.settings, autoload=spec.autoload, on_outcome=trace, read=self._hook_settings
        )
        backend = self._backend()
        self.secrets.ask(backend.secret)
        hooks.register(backend, f"lakemon.backends:{backend.type}")
        if model_type is not None:
            hooks.register(model_type, f"lakemon.model_types:{model_type.type}")
        for name, sink in sinks.items():
            hooks.register(sink, f"lakemon.alert_sinks:{name}")
        return Session(
            self.monitor,
            self.workspace,
            backend,
            model_type,
            sinks,
            hooks,
            self.clock,
            progress,
            self.secrets,
            self.loaded,
        )

    def _hook_settings(
        self, name: str, config: type[PluginConfig], settings: Mapping[str, object]
    ) -> Mapping[str, object]:
        return validate_settings(config, settings, f"plugins.settings.{name}", self.loaded).model_dump()

    def _backend(self) -> Backend:
        monitor = self.monitor
        chosen = self.plugins.backend(monitor.backend)
        where = f"environments.{monitor.environment}.{monitor.backend}"
        config = validate_settings(chosen.Config, monitor.backend_settings, where, self.loaded)
        setup = BackendSetup(monitor, self.workspace, self.clock, self.secrets, config, self.git_sha)
        return chosen(setup)

    def _model_type(self) -> ModelType | None:
        model = self.monitor.model
        if model is None:
            return None
        chosen = self.plugins.model_type(model.type)
        return chosen(validate_settings(chosen.Config, model.settings, "model", self.loaded))

    def _chosen(self) -> tuple[ModelType | None, dict[str, AlertSink]]:
        """Returns model type and sinks; what is wrong with both is raised at once."""
        try:
            model_type = self._model_type()
        except ConfigErrors as errors:
            try:
                self._sinks()
            except ConfigErrors as others:
                raise ConfigErrors(in_file_order([*errors.problems, *others.problems])) from None
            raise
        return model_type, self._sinks()

    def _sinks(self) -> dict[str, AlertSink]:
        """The sinks of the config and the built-in ones; what is wrong with several is raised at once."""
        sinks: dict[str, AlertSink] = {}
        problems: list[Problem] = []
        for name, spec in (builtin_sinks() | dict(self.monitor.sinks)).items():
            try:
                sinks[name] = self._sink(name, spec)
            except ConfigErrors as errors:
                problems += errors.problems
        if problems:
            raise ConfigErrors(in_file_order(problems))
        return sinks

    def _sink(self, name: str, spec: SinkSpec) -> AlertSink:
        settings = dict(spec.settings)
        if spec.type == PYTHON:
            source = self.monitor.source
            chosen = own_sink(name, settings, source.parent if source else Path.cwd())
            del settings["target"]
        else:
            chosen = self.plugins.sink(spec.type)
        config = validate_settings(chosen.Config, settings, f"sinks.{name}", self.loaded)
        return chosen(SinkSetup(name, config, self.secrets, self.clock, self.workspace))
