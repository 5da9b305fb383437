"""The data of the page's charts as rows of the definitions in `domain.charts`: whole Vega-Lite documents."""

from __future__ import annotations

from collections.abc import Iterator

from lakemon_core.alerting.wording import number
from lakemon_core.domain import charts
from lakemon_core.domain.charts import VegaLite
from lakemon_core.domain.names import plain
from lakemon_core.domain.rule import Status
from lakemon_core.domain.window import Window
from lakemon_core.report.heat import Cell, HeatMap
from lakemon_core.report.parts import Split
from lakemon_core.report.trends import Point, Trend

MOST_COLUMNS, MOST_WINDOWS = 40, 60
"""Of a picture of drift: the columns with the greatest drift, and the newest windows."""

NAME_LENGTH = 40


def trend_document(trend: Trend, *, title: str = "") -> VegaLite:
    """Returns a number over time.

    Args:
        title: instead of the number's name.
    """
    rows = [_row(trend, point) for point in trend.points]
    limits = [point.limit for point in trend.points if point.limit is not None]
    if limits:
        last = limits[-1]
        rows[-1] |= {"limit": last, "limit_note": f"limit {_limit(trend, last)}"}
    if trend.baseline is not None:
        rows[-1]["baseline_note"] = f"baseline {number(trend.baseline)}"
    starts = {point.window.start for point in trend.points}
    marks = [
        {"window": opened.isoformat(), "title": plain(said, 200)}
        for opened, said in trend.incidents
        if opened in starts
    ]
    chart = charts.trend(plain(title or trend.title, 90), is_two_sided=trend.is_two_sided)
    return chart.spec(rows, marks)


def split_document(split: Split) -> VegaLite:
    """Returns a metric by the values of a slice."""
    rows = [
        {
            "name": plain(bar.name, NAME_LENGTH),
            "value": bar.signal.value,
            "lower": bar.signal.lower,
            "upper": bar.signal.upper,
            "whole": split.whole,
        }
        for bar in split.bars
    ]
    return charts.split(f"{plain(split.title, 90)}, {split.window}").spec(rows)


def drift_document(heat: HeatMap) -> VegaLite:
    """Returns the drift of columns and windows: of very many the worst columns and the newest windows."""
    windows = heat.windows[-MOST_WINDOWS:]
    rows = list(_cells(heat, windows))
    return charts.drift_map(f"Drift, windows of {heat.granularity}").spec(rows)


def _cells(heat: HeatMap, windows: tuple[Window, ...]) -> Iterator[dict[str, object]]:
    for row in heat.rows[:MOST_COLUMNS]:
        for window in windows:
            cell = row.cells.get(window)
            if cell is not None and cell.value is not None:
                yield {"column": plain(row.column, NAME_LENGTH), "window": str(window), "part": _part(cell)}


def _part(cell: Cell) -> float:
    """Returns drift in parts of its limit; what chance alone gives is no breach."""
    value, limit = cell.value or 0.0, cell.limit or 1.0
    by_chance = cell.chance is not None and value <= cell.chance and cell.status is not Status.BREACHED
    return min(value / limit, 1.0) if by_chance else value / limit


def _row(trend: Trend, point: Point) -> dict[str, object]:
    opposite = -point.limit if trend.is_two_sided and point.limit is not None else None
    return {
        "window": point.window.start.isoformat(),
        "value": point.value,
        "lower": point.lower,
        "upper": point.upper,
        "limit": point.limit,
        "opposite": opposite,
        "baseline": trend.baseline,
        "breached": point.status is Status.BREACHED,
        "settled": point.is_mature,
    }


def _limit(trend: Trend, limit: float) -> str:
    return f"±{number(abs(limit))}" if trend.is_two_sided else number(limit)
