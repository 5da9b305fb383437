"""Panels of plugins and model types on the page: each drawn on its own, a broken one as its error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from importlib import resources

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from lakemon_core.alerting.wording import moment, number
from lakemon_core.domain.names import plain
from lakemon_core.domain.panels import MOST_PANELS, MatrixPanel, PanelSpec, problem_of
from lakemon_core.report.panel_charts import bars_chart, lines_chart, place_text

SHADES = 5
"""Steps of darkness of a matrix."""


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one plugin or model type answered.

    Attributes:
        source: `group:name` of the plugin.
        panels: its panels.
        error: why there are none; empty when all is well.
        granularity: the windows they are about; empty for panels of the whole report.
    """

    source: str
    panels: Sequence[PanelSpec] = ()
    error: str = ""
    granularity: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """A panel as it stands on the page.

    Attributes:
        source: of its contribution.
        title: heading.
        body: drawn; empty where there is a problem.
        problem: why it is not drawn.
        note: how it was computed.
        order: place among the others.
        id: within its source.
    """

    source: str
    title: str
    body: Markup = field(default_factory=Markup)
    problem: str = ""
    note: str = ""
    order: int = 100
    id: str = ""


def shown(contributions: Sequence[Contribution], granularity: str = "") -> list[Shown]:
    """Returns the panels of a granularity in their order; whatever is wrong with one is its own matter."""
    found: list[Shown] = []
    for one in contributions:
        if one.granularity != granularity:
            continue
        if one.error:
            found.append(Shown(one.source, "Panels", problem=one.error))
        seen: set[str] = set()
        found += [_shown(one.source, panel, seen) for panel in one.panels[:MOST_PANELS]]
        if len(one.panels) > MOST_PANELS:
            problem = f"it has {len(one.panels):,} panels, the first {MOST_PANELS} are shown"
            found.append(Shown(one.source, "More panels", problem=problem))
    return sorted(found, key=lambda panel: (panel.order, panel.source, panel.id))


def _shown(source: str, panel: PanelSpec, seen: set[str]) -> Shown:
    problem = problem_of(panel)
    if problem:
        title = plain(str(getattr(panel, "title", "")), 120) or "A panel without a title"
        return Shown(source, title, problem=problem)
    if panel.id in seen:
        return Shown(source, plain(panel.title, 120), problem=f"its id {plain(panel.id)!r} is taken already")
    seen.add(panel.id)
    title = plain(panel.title, 120)
    try:
        body = _drawn(panel)
    except Exception as error:  # noqa: BLE001 - data of a plugin may break in ways nobody thought of
        return Shown(source, title, problem=f"it cannot be drawn: {type(error).__name__} {plain(str(error))}")
    return Shown(source, title, body, "", plain(panel.note, 500), panel.order, panel.id)


def _drawn(panel: PanelSpec) -> Markup:
    drawn = _template().render(panel=panel, kind=type(panel).__name__)
    return Markup(drawn)  # noqa: S704 - the template escapes what it is given


@cache
def _template() -> Template:
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"plain": plain, "cell": cell_text, "place": place_text, "number": _number}
    drawing = {"lines_chart": lines_chart, "bars_chart": bars_chart, "shades": shades}
    asset = resources.files("lakemon_core.report") / "assets" / "panel.html.jinja"
    return environment.from_string(asset.read_text("utf-8"), globals=drawing)


def cell_text(value: object) -> str:
    """Returns a cell of a table as people read it."""
    match value:
        case None:
            return "\N{EN DASH}"
        case bool():
            return "yes" if value else "no"
        case datetime():
            return moment(value)
        case str():
            return plain(value, 300)
        case _:
            return number(float(str(value)))


def shades(panel: MatrixPanel) -> list[list[int]]:
    """Returns how dark each cell is, 0 to `SHADES`: its share of its row, or of the largest number."""
    sizes = [[abs(one) if one is not None else 0.0 for one in row] for row in panel.cells]
    largest = max((one for row in sizes for one in row), default=0.0)
    wholes = [sum(row) if panel.is_by_row else largest for row in sizes]
    return [
        [round(SHADES * one / whole) if whole else 0 for one in row]
        for row, whole in zip(sizes, wholes, strict=True)
    ]


def _number(value: float | None) -> str:
    return "\N{EN DASH}" if value is None else number(float(value))
