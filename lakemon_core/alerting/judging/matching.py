"""Which signals a rule is about, and why one cannot be judged. Pure."""

from __future__ import annotations

import math

from lakemon_core.alerting.judging.shelf import slice_text
from lakemon_core.domain.figures import Kind
from lakemon_core.domain.rule import EACH, Rule, Signal

_NEEDS_NO_SAMPLES = frozenset({"row_count", "row_count_ratio", "gaps", "type_change", "freshness"})


def order_of(signal: Signal) -> tuple[object, ...]:
    """Sorts signals by series, and each series by window."""
    return signal.column, slice_text(signal), signal.model_id, signal.window is None, signal.window


def is_version(rule: Rule, signal: Signal) -> bool:
    """Whether a signal is of a model version that a rule looks at."""
    if rule.model_version == EACH:
        return signal.model_id != "*"
    return signal.model_id == rule.model_version


def is_slice(rule: Rule, signal: Signal) -> bool:
    """Whether a signal is of a slice that a rule looks at."""
    wanted = rule.slice or ""
    return wanted in {slice_text(signal), f"{signal.slice_key}=*"}


def why_unknown(rule: Rule, metric: str, signal: Signal) -> tuple[Kind, str]:
    """Says why a signal cannot be judged, and whether data is missing or computing it failed."""
    too_few = signal.n < rule.min_samples and metric not in _NEEDS_NO_SAMPLES
    lacks_rows = too_few or not signal.n or metric in _NEEDS_NO_SAMPLES
    if signal.value is None:
        return (Kind.NO_DATA if lacks_rows else Kind.ERROR), signal.reason or "not computed"
    if math.isnan(signal.value):
        return Kind.ERROR, "the value is not a number"
    if too_few:
        return Kind.NO_DATA, f"rests on {signal.n} rows, the rule wants {rule.min_samples}"
    return Kind.BREACH, ""
