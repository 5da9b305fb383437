"""Signals that depend on the present moment: they are judged, but never stored."""

from collections.abc import Sequence

from lakemon_core.domain.rule import Rule, Signal
from lakemon_core.hookspecs import RunContext
from lakemon_core.lifecycle.retention import newest_timestamp


def freshness(context: RunContext, rules: Sequence[Rule]) -> list[Signal]:
    """Returns how many hours ago the newest row was made, when a rule asks for it.

    Reading the whole timestamp column is not free, and a number that changes with every run would make
    every run change the signals table.
    """
    if not any(rule.metric == "freshness" for rule in rules):
        return []
    newest = newest_timestamp(context)
    hours = (context.clock.now() - newest).total_seconds() / 3600 if newest else None
    return [
        Signal(
            window=None,
            granularity="",
            model_id="*",
            slice_key=None,
            slice_value=None,
            column=":table",
            name="freshness",
            statistic="freshness",
            compare=None,
            value=hours,
            n=1 if newest else 0,
            method="freshness_hours:1",
            reason="" if newest else "the inference table holds no timestamp",
        )
    ]
