"""The charts of lakemon, each defined once, as Vega-Lite: what is drawn against what, in which mark.

A definition names its data and holds none. The core fills in rows and renders pictures; a backend with
dashboards of its own, as Databricks' AI/BI, translates the definition and says which query gives its data.
Colours tell apart without red and green; what colour says, shape or dashes say too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

VegaLite = dict[str, Any]
Rows = Sequence[Mapping[str, object]]

SCHEMA = "https://vega.github.io/schema/vega-lite/v5.json"
INK, QUIET, VALUE, BAND, LIMIT, BAD = "#1b2430", "#55606e", "#0b5cad", "#c9dcf0", "#b3470a", "#a11d33"

STEPS = (0.25, 0.5, 1.0, 2.0)
"""Parts of its limit at which the colour of a drift changes."""

STEP_COLOURS = ("#edf2f7", "#bcd7ee", "#5a9fd4", "#f0a043", "#a63f06")
"""From far below the limit to beyond twice of it."""


@dataclass(frozen=True, slots=True)
class Chart:
    """A definition.

    Attributes:
        name: of its data.
        title: what it shows.
        fields: columns that its data have, with what people call them.
        layers: Vega-Lite layers, from back to front; each has a mark and encodings.
        height: in pixels; None lets the rows of a picture say it.
    """

    name: str
    title: str
    fields: Mapping[str, str]
    layers: Sequence[VegaLite]
    height: int | None = 240

    def spec(self, rows: Rows, marks: Rows = (), *, width: int = 560) -> VegaLite:
        """Returns a whole Vega-Lite document that needs nothing from any network.

        Args:
            rows: values of the fields, plain JSON values.
            marks: incidents, with `window` and `title`; only `trend` shows them.
            width: in pixels.
        """
        return {
            "$schema": SCHEMA,
            "title": {"text": self.title, "anchor": "start"},
            "width": width,
            "height": self.height or {"step": 22},
            "datasets": {self.name: list(rows), MARKS: list(marks)},
            "data": {"name": self.name},
            "layer": list(self.layers),
            "config": CONFIG,
        }


MARKS = "incidents"
"""Name of the data of incidents."""

CONFIG: VegaLite = {
    "background": "#ffffff",
    "font": "Liberation Sans, Arial, sans-serif",
    "title": {"fontSize": 15, "color": INK, "offset": 12},
    "axis": {
        "labelColor": QUIET, "titleColor": QUIET, "gridColor": "#e6eaef", "domainColor": "#d5dbe3",
        "tickColor": "#d5dbe3", "titleFontWeight": "normal",
    },
    "legend": {"labelColor": QUIET, "titleColor": QUIET, "titleFontWeight": "normal"},
    "view": {"stroke": None},
}  # fmt: skip


def _field(name: str, kind: str, title: str | None = None, **more: object) -> VegaLite:
    return {"field": name, "type": kind, "title": title, **more}


_WINDOW = _field(
    "window",
    "temporal",
    scale={"type": "utc"},
    axis={"grid": False, "labelOverlap": True, "format": "%Y-%m-%d"},
)


def trend(title: str, *, is_two_sided: bool = False) -> Chart:
    """A number over time: interval, baseline, limit, value, and where incidents began.

    Its data have one row a window; `breached` and `settled` are truth values, what is not known is null. The
    last row has the names of the levels, `limit_note` and `baseline_note`.

    Args:
        title: of the number.
        is_two_sided: the limit holds on both sides of 0; `opposite` is the other side.
    """
    y = _level("value")
    limits = ("limit", "opposite") if is_two_sided else ("limit",)
    dot = {"type": "point", "filled": False, "size": 42, "opacity": 1, "strokeWidth": 1.6}
    colour = {"condition": {"test": "datum.breached", "value": BAD}, "value": VALUE}
    layers: list[VegaLite] = [
        {"mark": {"type": "area", "color": BAND}, "encoding": {
            "x": _WINDOW, "y": _level("lower"), "y2": {"field": "upper"}}},
        {"mark": {"type": "line", "color": QUIET, "strokeDash": [2, 4]},
         "encoding": {"x": _WINDOW, "y": _level("baseline")}},
        *({"mark": {"type": "line", "color": LIMIT, "strokeDash": [6, 4], "interpolate": "step"},
           "encoding": {"x": _WINDOW, "y": _level(limit)}} for limit in limits),
        {"mark": {"type": "line", "color": VALUE, "strokeWidth": 2}, "encoding": {"x": _WINDOW, "y": y}},
        {"mark": dot, "encoding": {
            "x": _WINDOW, "y": y, "stroke": colour,
            "fill": {"condition": {"test": "!datum.settled", "value": "#ffffff"}, **_otherwise(colour)},
            "size": {"condition": {"test": "datum.breached", "value": 110}, "value": 42}}},
        *(_note(name, colour) for name, colour in (("baseline", QUIET), ("limit", LIMIT))),
        {"data": {"name": MARKS}, "mark": {"type": "rule", "color": BAD, "strokeWidth": 1.4},
         "encoding": {"x": _WINDOW}},
        {"data": {"name": MARKS}, "mark": {"type": "text", "color": BAD, "align": "left", "dx": 5, "dy": 10,
                                           "baseline": "top"},
         "encoding": {"x": _WINDOW, "y": {"value": 0}, "text": {"value": "incident"}}},
    ]  # fmt: skip
    fields = {"window": "window", "value": title, "lower": "lower end", "upper": "upper end",
              "limit": "limit", "baseline": "baseline"}  # fmt: skip
    return Chart("trend", title, fields, layers)


def _level(name: str) -> VegaLite:
    return _field(name, "quantitative", scale={"zero": False})


def _note(name: str, colour: str) -> VegaLite:
    """Writes the name of a level over its end; one row has the words, `limit_note` or `baseline_note`."""
    mark = {"type": "text", "color": colour, "align": "right", "dy": -7, "fontSize": 11}
    return {
        "transform": [{"filter": f"isValid(datum.{name}_note)"}],
        "mark": mark,
        "encoding": {"x": _WINDOW, "y": _level(name), "text": {"field": f"{name}_note"}},
    }


def _otherwise(colour: VegaLite) -> VegaLite:
    """Returns the colours of a condition for those that it leaves over."""
    return {"condition": [{"test": "!datum.settled", "value": "#ffffff"}, colour["condition"]],
            "value": colour["value"]}  # fmt: skip


def drift_map(title: str) -> Chart:
    """Columns by windows, coloured by drift in parts of the limit; what is not known stays empty."""
    colour = _field(
        "part", "quantitative", "drift, in parts of the limit",
        scale={"type": "threshold", "domain": list(STEPS), "range": list(STEP_COLOURS)},
        legend={"orient": "bottom", "direction": "horizontal"},
    )  # fmt: skip
    layer = {
        "mark": {"type": "rect", "stroke": "#ffffff", "strokeWidth": 0.5},
        "encoding": {
            "x": _field("window", "ordinal", sort=None, axis={"labelOverlap": True, "labelAngle": 0}),
            "y": _field("column", "nominal", sort=None),
            "color": colour,
        },
    }
    fields = {"window": "window", "column": "column", "part": "drift, in parts of the limit"}
    return Chart("drift", title, fields, [layer], height=None)


def drift_lines(title: str) -> Chart:
    """Drift of each column over time, a line each."""
    encoding = {
        "x": _WINDOW,
        "y": _field("value", "quantitative"),
        "color": _field("column", "nominal", "column"),
    }
    fields = {"window": "window", "value": "drift", "column": "column"}
    return Chart("drift_lines", title, fields, [{"mark": {"type": "line"}, "encoding": encoding}])


def split(title: str) -> Chart:
    """A number by parts: value and interval of each, and the whole as a line."""
    y = _field("name", "nominal", sort=None)
    x = _field("value", "quantitative", scale={"zero": False})
    layers: list[VegaLite] = [
        {"mark": {"type": "rule", "color": VALUE, "strokeWidth": 2},
         "encoding": {"y": y, "x": _field("lower", "quantitative"), "x2": {"field": "upper"}}},
        {"mark": {"type": "point", "filled": True, "color": VALUE, "size": 60, "opacity": 1},
         "encoding": {"y": y, "x": x}},
        {"mark": {"type": "rule", "color": QUIET, "strokeDash": [2, 4]},
         "encoding": {"x": _field("whole", "quantitative", aggregate="max")}},
    ]  # fmt: skip
    fields = {"name": "part", "value": title, "lower": "lower end", "upper": "upper end", "whole": "all rows"}
    return Chart("split", title, fields, layers, height=None)
