"""Charts as SVG: data in, markup out, colours by class so that the page's scheme holds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from markupsafe import Markup

from lakemon_core.alerting.wording import number
from lakemon_core.domain.names import plain
from lakemon_core.domain.rule import Status
from lakemon_core.report.parts import Split
from lakemon_core.report.svg import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, Scale, dot, line, svg, text
from lakemon_core.report.trends import Point, Trend

BAR_HEIGHT, NAME_WIDTH, NAME_LENGTH = 22, 120, 18
MOST_DOTS = 60


def trend_chart(trend: Trend) -> Markup:
    """Draws a number over time: interval, value, limit, baseline, maturity and incidents."""
    points = trend.points
    y = Scale.over(list(_heights(trend)), HEIGHT - BOTTOM, TOP)
    x = Scale(-0.5, len(points) - 0.5, LEFT, WIDTH - RIGHT)
    parts = [
        *_value_axis(y),
        *_time_axis(points, x),
        *_incident_marks(trend, x),
        *_bands(points, x, y),
        *_baseline(trend, y),
        *_limits(trend, x, y),
        *_lines(points, x, y),
        *_dots(points, x, y),
        *_notes(trend, y),
    ]
    return svg(parts, trend.summary, HEIGHT)


def split_chart(split: Split) -> Markup:
    """Draws a metric by the values of a slice: a dot and its interval for each, a line for all rows."""
    height = TOP + BAR_HEIGHT * len(split.bars) + BOTTOM
    known = [end for bar in split.bars for end in (bar.signal.value, bar.signal.lower, bar.signal.upper)]
    known.append(split.whole)
    x = Scale.over([one for one in known if one is not None], NAME_WIDTH + 8, WIDTH - RIGHT)
    bottom = height - BOTTOM
    parts = [text(x(tick), height - 8, number(tick), "tick middle") for tick in x.ticks()]
    parts += [line(x(tick), TOP, x(tick), bottom, "grid") for tick in x.ticks()]
    if split.whole is not None:
        parts.append(line(x(split.whole), TOP, x(split.whole), bottom, "baseline"))
    for place, bar in enumerate(split.bars):
        y = TOP + BAR_HEIGHT * (place + 0.5)
        signal = bar.signal
        parts.append(text(NAME_WIDTH, y + 4, plain(bar.name, NAME_LENGTH), "tick end"))
        if signal.lower is not None and signal.upper is not None:
            parts.append(line(x(signal.lower), y, x(signal.upper), y, "whisker"))
        if signal.value is not None:
            parts.append(
                dot(x(signal.value), y, "dot", f"{bar.name}: {number(signal.value)}, n {signal.n:,}")
            )
    said = "; ".join(f"{plain(bar.name)} {number(bar.signal.value or 0.0)}" for bar in split.bars)
    return svg(parts, f"{split.title}, window of {split.window}: {said}.", height)


def _heights(trend: Trend) -> Iterator[float]:
    """Yields everything that must fit into the picture."""
    for point in trend.points:
        yield from (one for one in (point.value, point.lower, point.upper, point.limit) if one is not None)
        if trend.is_two_sided and point.limit is not None:
            yield -point.limit
    if trend.baseline is not None:
        yield trend.baseline


def _value_axis(y: Scale) -> Iterator[Markup]:
    for tick in y.ticks():
        yield line(LEFT, y(tick), WIDTH - RIGHT, y(tick), "grid")
        yield text(LEFT - 6, y(tick) + 4, number(tick), "tick end")


def _time_axis(points: Sequence[Point], x: Scale) -> Iterator[Markup]:
    places = sorted({0, len(points) // 2, len(points) - 1}) if len(points) > 2 else range(len(points))
    for place in places:
        anchor = "start" if place == 0 and len(points) > 1 else "middle"
        anchor = "end" if place == len(points) - 1 and len(points) > 1 else anchor
        yield text(x(place), HEIGHT - 8, str(points[place].window), f"tick {anchor}")


def _incident_marks(trend: Trend, x: Scale) -> Iterator[Markup]:
    starts = [point.window.start for point in trend.points]
    for opened, title in trend.incidents:
        if opened in starts:
            place = x(starts.index(opened))
            yield line(place, TOP, place, HEIGHT - BOTTOM, "incident")
            triangle = f"M{place - 5} {HEIGHT - BOTTOM}h10l-5 -8z"
            yield Markup('<path class="incident-mark" d="{}"><title>incident: {}</title></path>').format(
                triangle, plain(title, 200)
            )


def _bands(points: Sequence[Point], x: Scale, y: Scale) -> Iterator[Markup]:
    for run in _runs(points, "lower", "upper"):
        there = [f"{x(place)} {y(point.upper or 0.0)}" for place, point in run]
        back = [f"{x(place)} {y(point.lower or 0.0)}" for place, point in reversed(run)]
        if len(run) == 1:
            (place, point), *_ = run
            yield line(x(place), y(point.lower or 0.0), x(place), y(point.upper or 0.0), "whisker")
        else:
            yield Markup('<path class="band" d="M{}Z"/>').format("L".join(there + back))


def _baseline(trend: Trend, y: Scale) -> Iterator[Markup]:
    if trend.baseline is not None:
        yield line(LEFT, y(trend.baseline), WIDTH - RIGHT, y(trend.baseline), "baseline")


def _notes(trend: Trend, y: Scale) -> Iterator[Markup]:
    """Names the flat lines, over everything else."""
    if trend.baseline is not None:
        label = f"baseline {number(trend.baseline)}"
        yield text(LEFT + 4, y(trend.baseline) - 4, label, "note baseline-note")
    last = next((point.limit for point in reversed(trend.points) if point.limit is not None), None)
    if last is not None:
        label = f"limit {_limit_text(trend, last)}"
        yield text(WIDTH - RIGHT - 2, y(last) - 4, label, "note limit-note end")


def _limit_text(trend: Trend, limit: float) -> str:
    return f"±{number(abs(limit))}" if trend.is_two_sided else number(limit)


def _limits(trend: Trend, x: Scale, y: Scale) -> Iterator[Markup]:
    """Draws the limit of each window; on both sides of 0 where both are bad."""
    for run in _runs(trend.points, "limit"):
        limits = [(place, point.limit or 0.0) for place, point in run]
        yield (
            _steps(limits, x, y)
            if not trend.is_two_sided
            else Markup("").join(
                _steps([(place, side * abs(limit)) for place, limit in limits], x, y) for side in (1, -1)
            )
        )


def _steps(limits: Sequence[tuple[int, float]], x: Scale, y: Scale) -> Markup:
    path = "L".join(f"{x(place - 0.5)} {y(limit)}H{x(place + 0.5)}" for place, limit in limits)
    return Markup('<path class="limit" d="M{}"/>').format(path)


def _lines(points: Sequence[Point], x: Scale, y: Scale) -> Iterator[Markup]:
    for run in _runs(points, "value"):
        path = "L".join(f"{x(place)} {y(point.value or 0.0)}" for place, point in run)
        yield Markup('<path class="line" d="M{}"/>').format(path)


def _dots(points: Sequence[Point], x: Scale, y: Scale) -> Iterator[Markup]:
    for place, point in enumerate(points):
        if point.value is None:
            yield text(
                x(place), HEIGHT - BOTTOM - 2, "\N{MULTIPLICATION SIGN}", "unknown middle", _reason(point)
            )
            continue
        breached = point.status is Status.BREACHED
        if len(points) > MOST_DOTS and not breached and point.is_mature:
            continue
        kinds = ["dot", *(["breached"] if breached else []), *([] if point.is_mature else ["immature"])]
        yield dot(x(place), y(point.value), " ".join(kinds), _told(point))


def _told(point: Point) -> str:
    said = [f"{point.window}: {number(point.value or 0.0)}", f"n {point.n:,}"]
    if point.lower is not None and point.upper is not None:
        said.append(f"95 % interval {number(point.lower)} to {number(point.upper)}")
    if point.maturity is not None:
        said.append(f"{point.maturity:.0%} of labels in")
    return ", ".join(said)


def _reason(point: Point) -> str:
    return f"{point.window}: no value, {plain(point.reason, 200)}"


def _runs(points: Sequence[Point], *names: str) -> Iterator[list[tuple[int, Point]]]:
    """Yields unbroken runs of points that have all of these figures: a gap in the data stays a gap."""
    run: list[tuple[int, Point]] = []
    for place, point in enumerate(points):
        if all(getattr(point, name) is not None for name in names):
            run.append((place, point))
        elif run:
            yield run
            run = []
    if run:
        yield run
