"""What a config asks for and its backend cannot measure is refused before anything runs."""

from __future__ import annotations

from collections.abc import Iterator

from lakemon_core.config import Loaded
from lakemon_core.domain.errors import ConfigErrors, Problem
from lakemon_core.domain.lookback import CALENDAR
from lakemon_core.hookspecs import RunContext
from lakemon_core.pipeline.expressions import check_expressions


def check_feasible(context: RunContext, loaded: Loaded) -> None:
    """Looks at the references of a config, then at its SQL.

    Raises:
        ConfigErrors: LM453 for references that the backend does not have; LM330 to LM337 for SQL.
    """
    if problems := list(_lookbacks(context, loaded)):
        raise ConfigErrors(problems)
    check_expressions(context, loaded)


def _lookbacks(context: RunContext, loaded: Loaded) -> Iterator[Problem]:
    """Yields each reference but the baseline and the window before, where the backend has no others."""
    if context.backend.looks_back:
        return
    monitor = context.monitor
    monitoring, section = monitor.monitoring, ("environments", monitor.environment, "monitoring")
    calendar = {one.name for one in CALENDAR}
    asked = [
        *((("references", index), one.name) for index, one in enumerate(monitoring.references)),
        *(
            (("alerts", index, "compare"), str(rule.compare))
            for index, rule in enumerate(monitoring.rules)
            if rule.compare in calendar
        ),
    ]
    for place, name in asked:
        yield loaded.locations.problem(
            (*section, *place),
            "LM453",
            f"backend {monitor.backend} compares with baseline and previous window only, not with {name};",
            "use `compare: baseline` or `compare: previous` in this environment.",
        )
