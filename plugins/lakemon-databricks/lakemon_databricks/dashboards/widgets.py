"""Charts of lakemon as widgets of AI/BI (Lakeview): a translation of their Vega-Lite, nothing of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lakemon_core.domain.charts import Chart
from lakemon_databricks.statements import column_sql

Json = dict[str, Any]

_SCALES = {
    "temporal": "temporal",
    "quantitative": "quantitative",
    "nominal": "categorical",
    "ordinal": "categorical",
}
_FIRST = ("rect", "line", "bar", "point")
"""Marks that become a widget, the one that decides first."""


def chart_widget(chart: Chart, dataset: str) -> Json:
    """Returns a chart as a widget.

    Lines over the same axis become one widget of several lines. Areas, rules, texts and incidents have no
    counterpart; they are left out.

    Args:
        chart: its definition.
        dataset: name of the data set whose query gives the fields of the chart.

    Raises:
        ValueError: no mark of the chart has a counterpart.
    """
    own = [layer for layer in chart.layers if "data" not in layer and "transform" not in layer]
    mark = next((kind for kind in _FIRST if any(_mark(layer) == kind for layer in own)), None)
    if mark is None:
        raise ValueError(f"no mark of the chart {chart.name!r} is known to AI/BI")
    layers = [layer["encoding"] for layer in own if _mark(layer) == mark]
    encodings = _lines(chart, layers) if mark == "line" else _channels(chart, layers[0])
    spec = {
        "version": 3,
        "widgetType": _type(mark, layers[0]),
        "encodings": encodings,
        "frame": frame(chart.title),
    }
    return widget(dataset, [name for name in chart.fields if name in _used(encodings)], spec)


def table_widget(dataset: str, title: str, names: Sequence[str]) -> Json:
    """Returns a table of these columns."""
    columns = [{"fieldName": name, "displayName": name.replace("_", " ")} for name in names]
    spec = {"version": 1, "widgetType": "table", "encodings": {"columns": columns}, "frame": frame(title)}
    return widget(dataset, names, spec)


def widget(dataset: str, names: Sequence[str], spec: Json) -> Json:
    """Returns a widget over the rows of a data set as they are."""
    fields = [{"name": name, "expression": column_sql(name)} for name in names]
    query = {"datasetName": dataset, "fields": fields, "disaggregated": True}
    return {"name": f"of_{dataset}", "queries": [{"name": "main_query", "query": query}], "spec": spec}


def frame(title: str) -> Json:
    """Returns the title of a widget."""
    return {"showTitle": True, "title": title}


def _mark(layer: Json) -> str:
    mark = layer["mark"]
    return str(mark["type"] if isinstance(mark, dict) else mark)


def _type(mark: str, encoding: Json) -> str:
    """Points of parts lie beside each other as bars do; AI/BI scatters numbers only."""
    if mark == "point":
        return "bar" if encoding["y"]["type"] == "nominal" else "scatter"
    return {"rect": "heatmap"}.get(mark, mark)


def _channels(chart: Chart, encoding: Json) -> Json:
    return {name: _channel(chart, encoding[name]) for name in ("x", "y", "color") if name in encoding}


def _channel(chart: Chart, one: Json) -> Json:
    return {**_field(chart, one), "scale": {"type": _SCALES[one["type"]]}}


def _field(chart: Chart, one: Json) -> Json:
    return {"fieldName": one["field"], "displayName": chart.fields[one["field"]]}


def _lines(chart: Chart, layers: Sequence[Json]) -> Json:
    """Returns the encodings of lines: by colour, or one for each field, the chart's own number first."""
    if "color" in layers[0]:
        return _channels(chart, layers[0])
    numbers = [layer["y"] for layer in layers if layer["y"]["field"] in chart.fields]
    numbers.sort(key=lambda one: one["field"] != "value")
    fields = [_field(chart, one) for one in numbers]
    y: Json = {"scale": {"type": "quantitative"}, "fields": fields}
    return {"x": _channel(chart, layers[0]["x"]), "y": y}


def _used(encodings: Json) -> set[str]:
    """Returns the fields that encodings name."""
    ones = [part for one in encodings.values() for part in one.get("fields", [one])]
    return {one["fieldName"] for one in ones}
