# ruff: noqa: S608 - names are quoted, texts are written here
"""The dashboard as AI/BI (Lakeview) JSON: what changed, how good the model is, how much data came."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from lakemon_core.domain.names import TableName
from lakemon_databricks.statements import column_sql, table_sql, text_sql

Json = dict[str, Any]
_WIDTH = 6
_DRIFT = ("feature_drift", "prediction_drift", "label_drift")
_DATA = ("row_count", "null_rate", "label_coverage")


def page(signals: TableName, model_id: str, quality: Sequence[str], title: str) -> str:
    """Returns the dashboard's JSON text; the same arguments always give the same.

    Args:
        signals: the signals table.
        model_id: name of its model id column.
        quality: names of the model type's quality metrics.
        title: of the page.
    """
    datasets = [
        _dataset("drift", _of_columns(signals, model_id)),
        _dataset("quality", _of_table(signals, model_id, quality)),
        _dataset("data", _of_table(signals, model_id, _DATA)),
        _dataset("newest", _newest(signals, model_id)),
    ]
    layout = [
        _placed(_line("drift", "Drift from the baseline", color="column"), 0, 0, _WIDTH, 7),
        _placed(_line("quality", "Quality", color="signal"), 0, 7, _WIDTH // 2, 6),
        _placed(_line("data", "Data and labels", color="signal"), _WIDTH // 2, 7, _WIDTH // 2, 6),
        _placed(_table("newest", "Newest window, greatest drift first"), 0, 13, _WIDTH, 8),
    ]
    pages = [{"name": "overview", "displayName": title, "layout": layout}]
    return json.dumps({"datasets": datasets, "pages": pages}, sort_keys=True)


def _of_columns(signals: TableName, model_id: str) -> list[str]:
    return [
        "SELECT `window`.`end` AS until, `column`, value, chance_level",
        f"FROM {table_sql(signals)}",
        f"WHERE {_whole(model_id)} AND compare = 'baseline' AND signal IN ({_texts(_DRIFT)})",
        "AND statistic IN ('psi', 'js_distance')",
        "QUALIFY row_number() OVER (PARTITION BY granularity, `window`, `column`",
        "ORDER BY statistic DESC) = 1",
    ]


def _of_table(signals: TableName, model_id: str, names: Sequence[str]) -> list[str]:
    return [
        "SELECT `window`.`end` AS until, signal, value, lower, upper, n, reason",
        f"FROM {table_sql(signals)}",
        f"WHERE {_whole(model_id)} AND `column` = ':table' AND signal IN ({_texts(names)})",
    ]


def _newest(signals: TableName, model_id: str) -> list[str]:
    return [
        "SELECT `column`, signal, statistic, value, chance_level, n, reason",
        f"FROM {table_sql(signals)}",
        f"WHERE {_whole(model_id)} AND compare = 'baseline'",
        f"AND `window`.`end` = (SELECT max(`window`.`end`) FROM {table_sql(signals)})",
        "ORDER BY value DESC NULLS LAST LIMIT 100",
    ]


def _whole(model_id: str) -> str:
    return f"slice_key IS NULL AND {column_sql(model_id)} = '*'"


def _texts(names: Sequence[str]) -> str:
    return ", ".join(map(text_sql, names)) or "''"


def _dataset(name: str, lines: Sequence[str]) -> Json:
    return {"name": name, "displayName": name, "queryLines": [f"{line}\n" for line in lines]}


def _line(dataset: str, title: str, *, color: str) -> Json:
    encodings = {
        "x": {"fieldName": "until", "displayName": "window", "scale": {"type": "temporal"}},
        "y": {"fieldName": "value", "displayName": "value", "scale": {"type": "quantitative"}},
        "color": {"fieldName": color, "displayName": color, "scale": {"type": "categorical"}},
    }
    spec = {"version": 3, "widgetType": "line", "encodings": encodings, "frame": _frame(title)}
    return _widget(dataset, ["until", "value", color], spec)


def _table(dataset: str, title: str) -> Json:
    names = ["column", "signal", "statistic", "value", "chance_level", "n", "reason"]
    columns = [{"fieldName": name, "displayName": name.replace("_", " ")} for name in names]
    spec = {"version": 1, "widgetType": "table", "encodings": {"columns": columns}, "frame": _frame(title)}
    return _widget(dataset, names, spec)


def _widget(dataset: str, names: Sequence[str], spec: Json) -> Json:
    fields = [{"name": name, "expression": column_sql(name)} for name in names]
    query = {"datasetName": dataset, "fields": fields, "disaggregated": True}
    return {"name": f"of_{dataset}", "queries": [{"name": "main_query", "query": query}], "spec": spec}


def _frame(title: str) -> Json:
    return {"showTitle": True, "title": title}


def _placed(widget: Json, x: int, y: int, width: int, height: int) -> Json:
    return {"widget": widget, "position": {"x": x, "y": y, "width": width, "height": height}}
