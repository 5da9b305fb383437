"""How numbers, signals and incidents are put into words. Pure."""

from __future__ import annotations

from datetime import datetime
from math import isfinite

from lakemon_core.domain.figures import Kind
from lakemon_core.domain.names import plain
from lakemon_core.domain.rule import Compare, Signal, Status, Verdict

_STATISTICS = {
    "psi": "PSI",
    "js_distance": "JS distance",
    "ks_test": "KS distance",
    "tv_distance": "TV distance",
    "l_infinity_distance": "L∞ distance",
    "wasserstein_distance": "Wasserstein distance",
    "chi_squared_test": "chi²",
    "cramers_v": "Cramér's V",
}
_METRICS = {
    "roc_auc": "ROC AUC",
    "f1": "F1",
    "null_rate": "null rate",
    "rmse": "RMSE",
    "mae": "MAE",
    "mape": "MAPE",
    "mse": "MSE",
    "wape": "WAPE",
    "smape": "sMAPE",
    "mase": "MASE",
    "rmsse": "RMSSE",
    "r2": "R²",
}
_REFERENCES = {
    Compare.BASELINE: "",
    Compare.PREVIOUS: " against the window before",
    Compare.LAST_WEEK: " against the week before",
    Compare.LAST_YEAR: " against the year before",
}


_COUNTED = {"columns": "columns with", "share_of_columns": "share of columns with"}
_TROUBLES = {
    Kind.BREACH: "is unknown",
    Kind.NO_DATA: "has no data",
    Kind.ERROR: "could not be computed",
}


def number(value: float, *, unlike: float | None = None) -> str:
    """Returns a number as people read it: 3.24, 0.653, 5,812.

    Args:
        value: the number.
        unlike: a different number that must not read the same, e.g. the limit.
    """
    if not isfinite(value):
        return str(value)
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    kinds = [f",.{digits}f" for digits in range(12)] if 1e3 <= abs(value) < 1e15 else []
    kinds += [f".{digits}g" for digits in range(3, 18)]
    told_apart = (
        kind for kind in kinds if unlike in {None, value} or format(value, kind) != format(unlike, kind)
    )
    return format(value, next(told_apart, ""))


def moment(when: datetime) -> str:
    """Returns the date, with the time unless it is midnight."""
    midnight = (when.hour, when.minute, when.second) == (0, 0, 0)
    return when.strftime("%Y-%m-%d" if midnight else "%Y-%m-%d %H:%M")


def statistic_name(name: str) -> str:
    """Returns what people call a statistic of drift: `PSI`, `JS distance`."""
    return _STATISTICS.get(name) or plain(name.replace("_", " "))


def subject_of(signal: Signal) -> str:
    """Returns what a signal measures: `PSI of temp`, `ROC AUC`, `null rate of gust where origin=JFK`."""
    what = _STATISTICS.get(signal.statistic) if signal.statistic != signal.name else None
    if signal.statistic in _COUNTED:
        what = f"{_COUNTED[signal.statistic]} {plain(signal.name.replace('_', ' '))}"
    name = what or _METRICS.get(signal.name) or plain(signal.name.replace("_", " "))
    column = "" if signal.column == ":table" else f" of {plain(signal.column)}"
    part = "" if signal.slice_key is None else f" where {plain(f'{signal.slice_key}={signal.slice_value}')}"
    model = "" if signal.model_id == "*" else f" of version {plain(signal.model_id)}"
    reference = _against(signal.compare) if signal.compare else ""
    return f"{name}{column}{part}{model}{reference}"


def _against(compare: str) -> str:
    known = {one.value: words for one, words in _REFERENCES.items()}
    return known.get(compare, f" against {plain(compare)}")


def title_of(verdict: Verdict) -> str:
    """Returns one sentence: `PSI of temp 3.24 > 0.2`."""
    what, value, limit = subject_of(verdict.signal), verdict.signal.value, verdict.limit
    is_troubled = verdict.kind is not Kind.BREACH and verdict.status is Status.BREACHED and verdict.reason
    if verdict.status is Status.UNKNOWN or value is None or is_troubled:
        return f"{what} {_TROUBLES[verdict.kind]}: {plain(verdict.reason, 200)}"
    read, bound = number(value, unlike=limit), number(limit, unlike=value)
    if verdict.signal.name == "hours_without_data":
        return f"no data for {read} hours, expected every {bound}"
    if verdict.signal.statistic in _COUNTED:
        return _counted(verdict.signal)
    if verdict.status is Status.OK:
        return f"{what} {read}, limit {bound}"
    return f"{what} {read} {_sign(value, limit)} {bound}"


def _counted(signal: Signal) -> str:
    """Returns `null rate beyond its limit in 2 of 3 columns`; the numbers stand in the method."""
    _, _, counts = signal.method.partition(" ")
    part = "" if signal.slice_key is None else f" where {plain(f'{signal.slice_key}={signal.slice_value}')}"
    name = _METRICS.get(signal.name) or plain(signal.name.replace("_", " "))
    return f"{name} beyond its limit in {counts} columns{part}"


def _sign(value: float, limit: float) -> str:
    if value == limit:
        return "="
    return ">" if value > limit else "<"
