"""How long no data has come, as a signal of its own. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from lakemon_core.domain.rule import Signal


def hours_without_data(signals: Sequence[Signal], now: datetime) -> Signal:
    """Returns the hours since the newest window that holds rows; no value when none ever did.

    Args:
        signals: of one rule, at least one.
        now: the present moment.
    """
    newest = max((one.window.end for one in signals if one.window and one.n), default=None)
    return replace(
        signals[-1],
        window=None,
        column=":table",
        name="hours_without_data",
        statistic="hours_without_data",
        compare=None,
        value=(now - newest).total_seconds() / 3600 if newest else None,
        n=0,
        method="hours_without_data:1",
        lower=None,
        upper=None,
        baseline=None,
        p_value=None,
        chance_level=None,
    )
