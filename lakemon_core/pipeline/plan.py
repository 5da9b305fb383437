"""The plan: what a run would do, in order, with which plugins. Nothing is started, written or sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from lakemon_core.domain.errors import LakemonError
from lakemon_core.domain.monitor import ServingSpec
from lakemon_core.domain.run import Stage
from lakemon_core.hookspecs import RunContext
from lakemon_core.lifecycle.analyze import rules_of
from lakemon_core.lifecycle.baseline import Baseline
from lakemon_core.lifecycle.deploy import resolve_model
from lakemon_core.lifecycle.due import Watermark, definition_of, find_due
from lakemon_core.pipeline.feasible import check_feasible
from lakemon_core.pipeline.result import RunRequest
from lakemon_core.pipeline.session import Session, open_session
from lakemon_core.pipeline.stages import STAGES
from lakemon_core.ports import Clock


@dataclass(frozen=True, slots=True)
class PlannedStage:
    """One stage: what core would do, a line each, and the plugins it would call with their deadline."""

    name: Stage
    steps: tuple[str, ...]
    plugins: tuple[str, ...]
    deadline_seconds: float


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run would do.

    Attributes:
        environment: its name.
        backend: name of the backend.
        workspace: folder for state.
        stages: in order.
    """

    environment: str
    backend: str
    workspace: str
    stages: tuple[PlannedStage, ...]

    def document(self) -> dict[str, object]:
        """Returns the plan as plain JSON values."""
        return {
            "environment": self.environment,
            "backend": self.backend,
            "workspace": self.workspace,
            "stages": [
                {
                    "name": stage.name.value,
                    "steps": list(stage.steps),
                    "plugins": list(stage.plugins),
                    "deadline_seconds": stage.deadline_seconds,
                }
                for stage in self.stages
            ],
        }


def plan(request: RunRequest, *, clock: Clock | None = None) -> Plan:
    """Returns what a run of this request would do.

    Raises:
        ConfigErrors, PluginError: as `run` would.
    """
    with open_session(request, clock=clock) as session:
        context = session.context("plan")
        check_feasible(context, session.loaded, reach=True)
        return Plan(
            environment=session.monitor.environment,
            backend=session.monitor.backend,
            workspace=str(session.workspace),
            stages=tuple(_stage(session, context, stage) for stage in Stage if stage in request.stages),
        )


def _stage(session: Session, context: RunContext, stage: Stage) -> PlannedStage:
    work = STAGES[stage]
    try:
        steps = tuple(_STEPS[stage](session, context))
    except LakemonError as error:
        steps = (f"would stop: {error}",)
    return PlannedStage(stage, steps, session.hooks.listeners(work.hook), work.deadline)


def _deploy(_: Session, context: RunContext) -> list[str]:
    spec = context.monitor.serving
    if spec is None:
        return ["nothing: the inference table is filled in batches"]
    model = resolve_model(context)
    payload = context.monitor.inference_table.payload
    now = context.backend.serving.get(spec.endpoint_name)
    if now is None:
        return [f"create {spec.endpoint_name} with {model.name} version {model.version}, logged to {payload}"]
    if now.ready and now.version == model.version:
        step = f"nothing: {spec.endpoint_name} answers with version {model.version} already"
    else:
        step = f"update {spec.endpoint_name} from version {now.version or 'none'} to {model.version}"
    return [step, *context.backend.foretell(spec, payload)]


def _validate(_: Session, context: RunContext) -> list[str]:
    spec: ServingSpec | None = context.monitor.serving
    if spec is None:
        info = context.backend.tables.info(context.monitor.inference_table.name)
        return [f"check the columns of {info.name} (version {info.version})"]
    return [f"send test requests to {spec.endpoint_name}, unless this version was validated with this config"]


def _monitor(_: Session, context: RunContext) -> list[str]:
    monitor = context.monitor
    steps = [f"unpack {monitor.inference_table.payload}"] if monitor.serving else []
    if monitor.inference_table.labels:
        steps.append(f"merge labels from {monitor.inference_table.labels.table}")
    if not context.backend.tables.exists(monitor.inference_table.name):
        return [*steps, f"{monitor.inference_table.name} does not exist yet"]
    info = context.backend.tables.info(monitor.inference_table.name)
    schema = None if context.backend.profiles else info.schema  # the lake finds new columns by itself
    definition = definition_of(monitor, context.roles, Baseline.of(context).version, schema)
    for granularity in monitor.monitoring.granularities:
        now = Watermark(definition, info.version)
        if Watermark.noted(context, granularity) == now:
            steps.append(f"nothing new in windows of {granularity}")
            continue
        due = find_due(context, granularity, now).windows
        span = f", {due[0]} to {due[-1]}" if due else ""
        steps.append(f"measure {len(due)} windows of {granularity}{span}")
    return steps


def _analyze(_: Session, context: RunContext) -> list[str]:
    rules = rules_of(context)
    origin = "of the config" if context.monitor.monitoring.rules else "by default"
    return [f"judge {rule.name} against {rule.threshold:g} ({origin})" for rule in rules]


def _alert(session: Session, context: RunContext) -> list[str]:
    due = len(context.backend.ledger.due(context.clock.now()))
    waiting = [f"send {due} messages that are due from earlier runs"] if due else []
    return [*waiting, f"send what opens or resolves to: {', '.join(sorted(session.sinks))}"]


_STEPS: Mapping[Stage, Callable[[Session, RunContext], list[str]]] = {
    Stage.DEPLOY: _deploy,
    Stage.VALIDATE: _validate,
    Stage.MONITOR: _monitor,
    Stage.ANALYZE: _analyze,
    Stage.ALERT: _alert,
}
