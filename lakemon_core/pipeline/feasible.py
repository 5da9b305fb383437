"""What a config asks for and its backend cannot measure is refused before anything runs."""

from __future__ import annotations

from collections.abc import Iterator

from lakemon_core.config import Loaded
from lakemon_core.domain.errors import ConfigErrors, Problem
from lakemon_core.domain.lookback import CALENDAR
from lakemon_core.domain.window import Granularity
from lakemon_core.hookspecs import RunContext
from lakemon_core.pipeline.expressions import check_expressions


def check_feasible(context: RunContext, loaded: Loaded, *, reach: bool) -> None:
    """Looks at the windows and references of a config, then at its SQL.

    Args:
        context: the run.
        loaded: the config, which knows its lines.
        reach: whether a lake may be asked, too.

    Raises:
        ConfigErrors: LM453 for references that the windows do not have, LM454 for windows that the backend
            does not have; LM330 to LM337 for SQL.
    """
    if problems := [*_windows(context, loaded), *_counted(context, loaded)]:
        raise ConfigErrors(problems)
    check_expressions(context, loaded, reach=reach)


def _windows(context: RunContext, loaded: Loaded) -> Iterator[Problem]:
    """Yields each granularity in rows, where the lake measures by itself: it knows lengths of time only."""
    if not context.backend.is_lake:
        return
    for index, granularity in enumerate(context.monitor.monitoring.granularities):
        if granularity.rows is not None:
            yield loaded.locations.problem(
                (*_section(context), "granularities", index),
                "LM454",
                f'backend {context.monitor.backend} has no windows of so many rows, as "{granularity}";',
                'use a length of time in this environment, e.g. "1 day".',
            )


def _counted(context: RunContext, loaded: Loaded) -> Iterator[Problem]:
    """Yields each rule that compares windows of so many rows with those of a calendar."""
    monitoring = context.monitor.monitoring
    calendar = {one.name for one in CALENDAR}
    for index, rule in enumerate(monitoring.rules):
        granularity = Granularity(rule.granularity or str(monitoring.granularities[0]))
        if granularity.rows is not None and rule.compare in calendar:
            yield loaded.locations.problem(
                (*_section(context), "alerts", index, "compare"),
                "LM453",
                f"windows of {granularity} are not those of a calendar: they have no {rule.compare};",
                "use `previous`, a name of `references`, or a granularity that is a length of time.",
            )


def _section(context: RunContext) -> tuple[str, ...]:
    return ("environments", context.monitor.environment, "monitoring")
