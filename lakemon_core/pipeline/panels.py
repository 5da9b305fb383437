"""Asks model type and plugins for their panels of the report; none of them can hurt it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import cast

from lakemon_core.domain.panels import PanelSpec
from lakemon_core.domain.run import HookStatus
from lakemon_core.hookspecs import AnalyzeContext, RunContext
from lakemon_core.lifecycle.analyze import Analyzed
from lakemon_core.pipeline.hooks import HookRunner
from lakemon_core.pipeline.loading import one_line, strict
from lakemon_core.ports import Measured, ModelType
from lakemon_core.report.panels import Contribution

SECONDS = 30.0
"""Deadline of a plugin."""


def contributions(
    hooks: HookRunner, context: RunContext, judged: Analyzed, measured: Sequence[Measured]
) -> tuple[Contribution, ...]:
    """Returns what each has to show, or the error it came to.

    Args:
        hooks: who listens.
        context: of the report; it has no run.
        judged: signals and findings, for `lakemon_report_panels`.
        measured: one for each granularity, for the model type.
    """
    own = {name: getattr(context, name) for name in RunContext.__dataclass_fields__}
    told = AnalyzeContext(**own, signals=judged.signals, findings=judged.findings)
    return (
        *(_of_type(context.model_type, one) for one in measured),
        *_of_plugins(hooks, told),
    )


def _of_type(model_type: ModelType, measured: Measured) -> Contribution:
    source = f"lakemon.model_types:{model_type.type}"
    try:
        panels = tuple(model_type.panels(measured))
        strange = next((one for one in panels if not isinstance(one, cast("type", PanelSpec))), None)
        if strange is not None:
            raise TypeError(f"panels() answers with a list of PanelSpec; one is a {type(strange).__name__}")
    except Exception as error:
        if strict():
            raise
        return Contribution(source, (), one_line(error), measured.granularity)
    return Contribution(source, panels, "", measured.granularity)


def _of_plugins(hooks: HookRunner, context: AnalyzeContext) -> Iterator[Contribution]:
    for outcome in hooks.call("lakemon_report_panels", context, deadline=SECONDS):
        if outcome.status is HookStatus.OK:
            panels = cast("tuple[PanelSpec, ...]", outcome.value or ())
            yield Contribution(outcome.plugin, panels)
        else:
            yield Contribution(outcome.plugin, (), outcome.error)
