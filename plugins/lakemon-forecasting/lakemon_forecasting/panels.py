"""What the report shows of forecasts: the error along the horizon and by series, and coverage."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isfinite

from lakemon_core.domain.panels import Dot, Line, LinesPanel, MatrixPanel, PanelSpec
from lakemon_core.domain.rule import Signal
from lakemon_core.domain.window import Window
from lakemon_core.ports import Measured
from lakemon_forecasting.config import ForecastingConfig

_ERRORS = ("mase", "wape", "mae")
"""Errors that can be compared between horizons and series, best first."""

_NAMES = {"mase": "MASE", "wape": "WAPE", "mae": "MAE", "coverage": "coverage"}
MOST_WINDOWS, MOST_SERIES = 12, 20


def panels(measured: Measured, config: ForecastingConfig) -> Iterator[PanelSpec]:
    """Yields what the sliced signals of the newest windows tell."""
    error = next((name for name in _ERRORS if _slices(measured, name)), None)
    if config.horizon_col:
        if error:
            yield from _by_horizon(measured, config.horizon_col, error, None)
        if config.interval:
            low, high = config.interval
            yield from _by_horizon(measured, config.horizon_col, "coverage", round(high - low, 6))
    if error:
        for column in config.series:
            yield from _by_series(measured, column, error)


def _slices(measured: Measured, name: str, column: str | None = None) -> list[Signal]:
    """Returns the values of a metric by the values of a slice."""
    return [
        one
        for one in measured.signals
        if one.name == name
        and one.value is not None
        and one.window is not None
        and one.slice_key is not None
        and one.slice_value is not None
        and column in {None, one.slice_key.strip("`").replace("``", "`")}
    ]


def _by_horizon(measured: Measured, column: str, name: str, promised: float | None) -> Iterator[PanelSpec]:
    """Yields a metric along the horizon: the newest window, and the windows before together."""
    found = [(step, one) for one in _slices(measured, name, column) if (step := _step(one)) is not None]
    windows = sorted({one.window for _, one in found if one.window})
    if not windows:
        return
    newest = windows[-1]
    now = [
        Dot(step, one.value, one.lower, one.upper, one.n, f"horizon {step:g}")
        for step, one in sorted(found, key=lambda pair: pair[0])
        if one.window == newest
    ]
    before: dict[float, list[Signal]] = {}
    for step, one in found:
        if one.window != newest:
            before.setdefault(step, []).append(one)
    lines = [Line(f"window of {newest}", now)]
    if before:
        mean = [Dot(step, _mean(all_), n=sum(one.n for one in all_)) for step, all_ in sorted(before.items())]
        count = len(windows) - 1
        lines.append(Line(f"{count} windows before" if count > 1 else "the window before", mean))
    said = f"; a share of {promised:g} is promised" if promised else ""
    yield LinesPanel(
        f"forecasting.{name}_by_horizon",
        f"{_NAMES[name]} by horizon".capitalize() if promised else f"{_NAMES[name]} by horizon",
        lines,
        x_title=f"{column}, steps ahead",
        y_title=_NAMES[name],
        limit=promised,
        order=20 if promised else 10,
        note=f"Windows before: their mean, weighted by rows{said}. Whiskers are 95 % intervals.",
    )


def _step(signal: Signal) -> float | None:
    """Returns the horizon of a slice; None for one that is no number."""
    try:
        step = float(str(signal.slice_value))
    except ValueError:
        return None
    return step if isfinite(step) else None


def _mean(signals: Sequence[Signal]) -> float | None:
    rows = sum(one.n for one in signals)
    return sum((one.value or 0.0) * one.n for one in signals) / rows if rows else None


def _by_series(measured: Measured, column: str, name: str) -> Iterator[PanelSpec]:
    """Yields a matrix of series and newest windows, the series with the greatest error first."""
    found = {(str(one.slice_value), one.window): one for one in _slices(measured, name, column)}
    windows = sorted({window for _, window in found if window})[-MOST_WINDOWS:]
    if not windows:
        return
    worst = {series: -1.0 for series, window in found if window in windows}
    for (series, window), one in found.items():
        if window in windows:
            worst[series] = max(worst[series], one.value or 0.0)
    kept = sorted(worst, key=lambda series: (-worst[series], series))[:MOST_SERIES]
    left_out = (
        f" {len(worst) - len(kept)} series with smaller errors are left out."
        if len(worst) > len(kept)
        else ""
    )
    yield MatrixPanel(
        f"forecasting.{name}_by_{column}",
        f"{_NAMES[name]} by {column}, window by window",
        kept,
        [str(window) for window in windows],
        [[_value(found, series, window) for window in windows] for series in kept],
        row_title=column,
        column_title="window",
        order=15,
        note=f"Greatest error first, dark is much.{left_out}",
    )


def _value(found: dict[tuple[str, Window | None], Signal], series: str, window: Window) -> float | None:
    one = found.get((series, window))
    return one.value if one else None
