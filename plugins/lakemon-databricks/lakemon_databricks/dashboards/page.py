# ruff: noqa: S608 - names are quoted, texts are written here
"""The dashboard as AI/BI (Lakeview) JSON: what drifted, how good the model is, how much data came."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from lakemon_core.domain import charts
from lakemon_core.domain.names import TableName
from lakemon_core.domain.rule import Rule
from lakemon_databricks.dashboards.widgets import chart_widget, table_widget
from lakemon_databricks.statements import column_sql, table_sql, text_sql

Json = dict[str, Any]
Lines = Sequence[str]

MOST_METRICS = 9
"""Quality metrics that have a chart: those of rules, then the first of the type."""

MOST_PARTS = 30
"""Values of slices that are shown, those with most rows."""

_WIDTH = 6
_DRIFT = ("feature_drift", "prediction_drift", "label_drift")
_DATA = ("row_count", "label_coverage")
_USUAL = {"psi": 0.2, "js_distance": 0.1}
_NEWEST = ("column", "signal", "statistic", "value", "chance_level", "n", "reason")


@dataclass(frozen=True, slots=True)
class Board:
    """What a dashboard is of.

    Attributes:
        signals: the signals table.
        model_id: name of its model id column.
        granularity: the windows it shows.
        quality: names of the model type's quality metrics.
        title: of the page.
        rules: what is judged: they put metrics first and give limits.
        two_sided: the metrics of which 0 is best.
    """

    signals: TableName
    model_id: str
    granularity: str
    quality: Sequence[str]
    title: str
    rules: Sequence[Rule] = ()
    two_sided: frozenset[str] = field(default_factory=frozenset[str])

    @property
    def metrics(self) -> list[str]:
        """The metrics that have a chart."""
        judged = [rule.metric for rule in self.rules if rule.metric in self.quality]
        return list(dict.fromkeys([*judged, *self.quality]))[:MOST_METRICS]

    def limit(self, metric: str) -> float | None:
        """Returns the limit of the rule that judges a metric of all rows; None where none has a fixed one."""
        limits = [
            rule.threshold
            for rule in self.rules
            if rule.metric == metric
            and rule.slice is None
            and rule.column is None
            and rule.at_least is None
            and isfinite(rule.threshold)
        ]
        return limits[0] if limits else None


def page(board: Board) -> str:
    """Returns the dashboard's JSON text; the same board always gives the same."""
    queries: dict[str, Lines] = {}
    layout: list[Json] = []
    bottom = 0
    for row in _rows(board):
        width = _WIDTH // max(len(row), 1)
        for place, (name, query, widget, height) in enumerate(row):
            queries[name] = query
            at = {"x": place * width, "y": bottom, "width": width, "height": height}
            layout.append({"widget": widget, "position": at})
        bottom += max(height for _, _, _, height in row)
    datasets = [
        {"name": name, "displayName": name.replace("_", " "), "queryLines": [f"{line}\n" for line in lines]}
        for name, lines in queries.items()
    ]
    pages = [{"name": "overview", "displayName": board.title, "layout": layout}]
    return json.dumps({"datasets": datasets, "pages": pages}, sort_keys=True)


Part = tuple[str, Lines, Json, int]
"""Name of the data set, its query, the widget, and its height."""


def _rows(board: Board) -> Iterator[list[Part]]:
    """Yields what lies side by side, from top to bottom."""
    drift = charts.drift_map("Drift from the baseline, in parts of the limit")
    lines = charts.drift_lines("Drift from the baseline")
    yield [("drift", _drift(board), chart_widget(drift, "drift"), 8)]
    trends = [_trend(board, name) for name in (*board.metrics, *_DATA)]
    for start in range(0, len(trends), 3):
        yield trends[start : start + 3]
    parts = charts.split(f"{_words(board.metrics[0])} by slice, newest window") if board.metrics else None
    drift_lines: Part = ("drift_lines", _drift_lines(board), chart_widget(lines, "drift_lines"), 7)
    if parts is None:
        yield [drift_lines]
    else:
        yield [drift_lines, ("split", _split(board), chart_widget(parts, "split"), 7)]
    yield [
        ("newest", _newest(board), table_widget("newest", "Newest window, greatest drift first", _NEWEST), 8)
    ]


def _trend(board: Board, name: str) -> Part:
    """A number of the whole table over time; its data set has the fields of `charts.trend`."""
    chart = charts.trend(_words(name), is_two_sided=name in board.two_sided)
    limit = board.limit(name)
    numbers = {"limit": "CAST(NULL AS DOUBLE)" if limit is None else f"CAST({limit!r} AS DOUBLE)"}
    dataset = f"trend_{name}"
    columns = {one: numbers.get(one, column_sql(one)) for one in chart.fields if one != "window"}
    query = [
        f"SELECT `window`.`start` AS `window`, {_columns(columns)}",
        f"FROM {table_sql(board.signals)}",
        f"WHERE {_whole(board)} AND `column` = ':table' AND signal = {text_sql(name)}",
        "ORDER BY 1",
    ]
    return dataset, query, chart_widget(chart, dataset), 5


def _columns(columns: Mapping[str, str]) -> str:
    return ", ".join(f"{sql} AS {column_sql(name)}" for name, sql in columns.items())


def _drift(board: Board) -> Lines:
    """One statistic a column, as the report has it: PSI of numbers, JS distance of categories."""
    return [
        "SELECT CAST(`window`.`start` AS STRING) AS `window`, `column`,",
        f"value / {_drift_limit(board)} AS part",
        *_of_columns(board),
        "ORDER BY `window`",
    ]


def _drift_lines(board: Board) -> Lines:
    return ["SELECT `window`.`start` AS `window`, value, `column`", *_of_columns(board)]


def _of_columns(board: Board) -> Lines:
    """The rest of a query for one statistic of drift a column and window; a KS test has numbers only."""
    return [
        "FROM (SELECT `window`, `column`, signal, statistic, value,",
        "max(CASE WHEN statistic = 'ks_test' THEN 1 ELSE 0 END)",
        "OVER (PARTITION BY `window`, `column`) AS is_number",
        f"FROM {table_sql(board.signals)}",
        f"WHERE {_whole(board)} AND compare = 'baseline' AND signal IN ({_texts(_DRIFT)}))",
        "WHERE statistic = CASE WHEN is_number = 1 THEN 'psi' ELSE 'js_distance' END AND value IS NOT NULL",
    ]


def _drift_limit(board: Board) -> str:
    """The limit of the rule of each kind of drift, else the usual one of the statistic."""
    usual = f"CASE WHEN statistic = 'psi' THEN {_USUAL['psi']!r} ELSE {_USUAL['js_distance']!r} END"
    known = [(name, limit) for name in _DRIFT if (limit := board.limit(name))]
    cases = " ".join(f"WHEN signal = {text_sql(name)} THEN {limit!r}" for name, limit in known)
    return f"(CASE {cases} ELSE {usual} END)" if cases else f"({usual})"


def _split(board: Board) -> Lines:
    """The first metric by every value of every slice, in the newest window that has any."""
    name = text_sql(board.metrics[0])
    of_slices = (
        f"slice_key IS NOT NULL AND {column_sql(board.model_id)} = '*' AND granularity = "
        f"{text_sql(board.granularity)} AND signal = {name} AND value IS NOT NULL"
    )
    return [
        "SELECT concat(slice_key, ' = ', slice_value) AS name, value",
        f"FROM {table_sql(board.signals)}",
        f"WHERE {of_slices} AND `window`.`end` = (SELECT max(`window`.`end`) FROM {table_sql(board.signals)}",
        f"WHERE {of_slices}) ORDER BY n DESC LIMIT {MOST_PARTS}",
    ]


def _newest(board: Board) -> Lines:
    table = table_sql(board.signals)
    return [
        f"SELECT {', '.join(map(column_sql, _NEWEST))}",
        f"FROM {table}",
        f"WHERE {_whole(board)} AND compare = 'baseline'",
        f"AND `window`.`end` = (SELECT max(`window`.`end`) FROM {table} WHERE {_whole(board)})",
        "ORDER BY value DESC NULLS LAST LIMIT 100",
    ]


def _whole(board: Board) -> str:
    granularity = text_sql(board.granularity)
    return f"slice_key IS NULL AND {column_sql(board.model_id)} = '*' AND granularity = {granularity}"


def _texts(names: Sequence[str]) -> str:
    return ", ".join(map(text_sql, names))


def _words(name: str) -> str:
    words = name.replace("_", " ")
    return words[:1].upper() + words[1:]
