"""Panels of lines and bars as SVG."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import groupby

from markupsafe import Markup

from lakemon_core.alerting.wording import moment, number
from lakemon_core.domain.names import plain
from lakemon_core.domain.panels import Bar, BarsPanel, Dot, Line, LinesPanel, Place
from lakemon_core.report.svg import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, Scale, dot, line, svg, text

SQUARE = 310
BAR_HEIGHT, NAME_WIDTH, NAME_LENGTH = 22, 120, 18
MOST_DOTS = 60


def lines_chart(panel: LinesPanel) -> Markup:
    """Draws lines over numbers or time, with intervals as whiskers; a square one with its diagonal."""
    height = SQUARE if panel.is_square else HEIGHT + 14
    bottom = height - BOTTOM - 14
    dots = [dot for line in panel.lines for dot in line.points]
    across = [_across(one.x) for one in dots]
    heights = [end for one in dots for end in (one.y, one.lower, one.upper) if end is not None]
    heights += [panel.limit] if panel.limit is not None else []
    if panel.is_square:
        across = heights = [*across, *heights]
    right = LEFT + bottom - TOP if panel.is_square else WIDTH - RIGHT
    y, x = Scale.over(heights, bottom, TOP), Scale.over(across, LEFT + 6, right)
    parts = [*_y_axis(y, right), *_x_axis(panel, dots, x, bottom)]
    if panel.is_square:
        low, high = x.low, x.high
        parts.append(line(x(low), y(low), x(high), y(high), "baseline"))
    if panel.limit is not None:
        parts += [line(LEFT, y(panel.limit), right, y(panel.limit), "limit")]
        parts += [text(right - 2, y(panel.limit) - 4, f"limit {number(panel.limit)}", "note limit-note end")]
    for place, one in reversed(list(enumerate(panel.lines))):
        parts += _line(one, place, x, y, is_marked=len(dots) <= MOST_DOTS * len(panel.lines))
    if panel.x_title:
        parts.append(text((LEFT + right) / 2, height - 4, plain(panel.x_title, 60), "axis middle"))
    return svg(parts, _lines_said(panel), height)


def bars_chart(panel: BarsPanel) -> Markup:
    """Draws a bar and its interval for each part, from 0, and lines for the whole and the limit."""
    height = TOP + BAR_HEIGHT * len(panel.bars) + BOTTOM
    known = [end for bar in panel.bars for end in (bar.value, bar.lower, bar.upper)]
    ends = [one for one in (*known, panel.whole, panel.limit, 0.0) if one is not None]
    x, bottom = Scale.over(ends, NAME_WIDTH + 8, WIDTH - 56), height - BOTTOM
    parts = [text(x(tick), height - 8, number(tick), "tick middle") for tick in x.ticks()]
    parts += [line(x(tick), TOP, x(tick), bottom, "grid") for tick in x.ticks()]
    for place, bar in enumerate(panel.bars):
        parts += _bar(bar, TOP + BAR_HEIGHT * (place + 0.5), x)
    if panel.whole is not None:
        parts.append(line(x(panel.whole), TOP, x(panel.whole), bottom, "baseline"))
    if panel.limit is not None:
        parts.append(line(x(panel.limit), TOP, x(panel.limit), bottom, "limit"))
    said = "; ".join(f"{plain(bar.name)} {_told(bar.value)}" for bar in panel.bars)
    return svg(parts, f"{plain(panel.title)}: {said}.", height)


def _across(place: Place) -> float:
    return place.timestamp() if isinstance(place, datetime) else float(place)


def _y_axis(y: Scale, right: float) -> Iterator[Markup]:
    for tick in y.ticks():
        yield line(LEFT, y(tick), right, y(tick), "grid")
        yield text(LEFT - 6, y(tick) + 4, number(tick), "tick end")


def _x_axis(panel: LinesPanel, dots: Sequence[Dot], x: Scale, bottom: float) -> Iterator[Markup]:
    moments = sorted({one.x for one in dots if isinstance(one.x, datetime)})
    if moments:
        for when, anchor in zip((moments[0], moments[-1]), ("start", "end"), strict=True):
            yield text(x(when.timestamp()), bottom + 15, moment(when), f"tick {anchor}")
        return
    for tick in x.ticks(5 if panel.is_square else 8):
        yield line(x(tick), bottom, x(tick), bottom + 4, "grid")
        yield text(x(tick), bottom + 16, number(tick), "tick middle")


def _line(one: Line, place: int, x: Scale, y: Scale, *, is_marked: bool) -> Iterator[Markup]:
    """Draws one line; a point without a value leaves a gap."""
    for known, points in groupby(one.points, key=lambda point: point.y is not None):
        run = list(points)
        if known:
            path = "L".join(f"{x(_across(point.x))} {y(point.y or 0.0)}" for point in run)
            yield Markup('<path class="line level{}" d="M{}"/>').format(place, path)
    for point in one.points:
        if point.lower is not None and point.upper is not None:
            at = x(_across(point.x))
            yield line(at, y(point.lower), at, y(point.upper), f"whisker thin level{place}")
        if point.y is not None and is_marked:
            yield dot(x(_across(point.x)), y(point.y), f"dot level{place}", _dot_said(one, point))


def _bar(bar: Bar, y: float, x: Scale) -> Iterator[Markup]:
    yield text(NAME_WIDTH, y + 4, plain(bar.name, NAME_LENGTH), "tick end", plain(bar.name))
    if bar.value is None:
        yield text(x(0.0) + 4, y + 4, "not known", "tick")
        return
    start, end = sorted((x(0.0), x(bar.value)))
    yield Markup('<rect class="bar" x="{}" y="{}" width="{}" height="14"/>').format(
        start, y - 7, round(end - start, 1)
    )
    last = bar.value
    if bar.lower is not None and bar.upper is not None:
        yield line(x(bar.lower), y, x(bar.upper), y, "whisker thin")
        last = max(last, bar.upper)
    yield text(x(max(last, 0.0)) + 5, y + 4, number(bar.value), "tick")


def place_text(place: Place) -> str:
    """Returns a place on the horizontal axis as people read it."""
    return moment(place) if isinstance(place, datetime) else number(place)


def _dot_said(one: Line, point: Dot) -> str:
    said = [f"{plain(one.name)}, {plain(point.label) or place_text(point.x)}: {_told(point.y)}"]
    if point.lower is not None and point.upper is not None:
        said.append(f"95 % interval {number(point.lower)} to {number(point.upper)}")
    return ", ".join([*said, *([f"n {point.n:,}"] if point.n is not None else [])])


def _lines_said(panel: LinesPanel) -> str:
    """Says first and last point of each line, for those who do not see it."""
    said = [f"{plain(one.name)}: {_ends(one, place_text)}" for one in panel.lines]
    titles = (
        f" {plain(panel.y_title)} over {plain(panel.x_title)}." if panel.y_title and panel.x_title else ""
    )
    return f"{plain(panel.title)}.{titles} {'. '.join(said)}."


def _ends(one: Line, told: Callable[[Place], str]) -> str:
    known = [point for point in one.points if point.y is not None]
    if not known:
        return "no values"
    first, last = known[0], known[-1]
    return f"{_told(first.y)} at {told(first.x)} to {_told(last.y)} at {told(last.x)}"


def _told(value: float | None) -> str:
    return "not known" if value is None else number(float(value))
