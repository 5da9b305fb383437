"""Signals that depend on the present moment or on other windows: they are judged, but never stored."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from statistics import median

from lakemon_core.domain.rule import Rule, Signal
from lakemon_core.domain.window import Granularity, Window
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


USUAL = 28
"""So many windows before say how many rows are usual."""
_ENOUGH = 3


def volume(signals: Sequence[Signal], rules: Sequence[Rule]) -> list[Signal]:
    """Returns `row_count_ratio` and `gaps` of every window of a length of time, when a rule asks for one.

    A window's value rests on windows before it, which may change without it: so it is made from what is
    stored, never stored.

    Args:
        signals: all that are stored, in window order.
        rules: of the run.
    """
    if not any(rule.metric in {"row_count_ratio", "gaps"} for rule in rules):
        return []
    whole = (one.model_id == "*" and one.slice_key is None for one in signals)
    counts = [
        one for one, is_whole in zip(signals, whole, strict=True) if is_whole and one.name == "row_count"
    ]
    by_length = groupby(sorted(counts, key=_length), key=_length)
    in_time = ((Granularity(length), list(series)) for length, series in by_length)
    return [made for one, series in in_time if one.rows is None for made in _volume(one, series)]


def _length(signal: Signal) -> str:
    return signal.granularity


def _volume(granularity: Granularity, series: Sequence[Signal]) -> Iterator[Signal]:
    for place, one in enumerate(series):
        yield _ratio(one, series[max(0, place - USUAL) : place])
        if place:
            missing = _missing(granularity, series[place - 1].window, one.window)
            yield replace(one, name="gaps", statistic="gaps", value=float(missing), method="gaps:1")


def _ratio(one: Signal, before: Sequence[Signal]) -> Signal:
    blank = replace(one, name="row_count_ratio", statistic="row_count_ratio", method="row_count_ratio:1")
    if len(before) < _ENOUGH:
        return replace(blank, value=None, reason=f"fewer than {_ENOUGH} windows lie before it")
    usual = median(earlier.n for earlier in before)
    return replace(blank, value=one.n / usual, baseline=1.0)


def _missing(granularity: Granularity, before: Window | None, after: Window | None) -> int:
    """Counts the windows between two that hold no rows."""
    assert before is not None
    assert after is not None
    count, window = 0, granularity.following(before)
    while window.start < after.start:
        count, window = count + 1, granularity.following(window)
    return count
