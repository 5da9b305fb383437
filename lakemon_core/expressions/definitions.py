"""Custom metrics as Databricks data profiling defines them, read from the config and translated."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from lakemon_core.domain.errors import DataError, did_you_mean
from lakemon_core.domain.monitor import Roles
from lakemon_core.domain.names import plain
from lakemon_core.expressions.columns import Shape
from lakemon_core.expressions.dialects import DUCKDB, Dialect
from lakemon_core.expressions.translate import Translated

TABLE = ":table"
"""Stands among the input columns for the whole table."""

_PARAMETER = re.compile(r"`?\{\{\s*(\w+)\s*\}\}`?")
_JINJA = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}|\{\{|\{%|\{#", re.DOTALL)
_STANDS_FOR = "lakemon_parameter_"
_OF_ROWS = ("input_column", "prediction_col", "label_col", "timestamp_col", "model_id_col")
_OF_WINDOWS = ("current_df", "base_df")


class MetricKind(StrEnum):
    """What a custom metric is computed from: rows, other metrics of a group, or those of two groups."""

    AGGREGATE = "aggregate"
    DERIVED = "derived"
    DRIFT = "drift"


@dataclass(frozen=True, slots=True)
class CustomMetric:
    """One entry of `monitoring.custom_metrics`.

    Attributes:
        name: column of the metric tables, and the name for rules.
        kind: what it is computed from.
        inputs: columns it is computed for; `:table` for the whole table.
        definition: SQL with parameters.
        data_type: of its column, a key of `Dialect.types`.
    """

    name: str
    kind: MetricKind
    inputs: tuple[str, ...]
    definition: str
    data_type: str

    def planned(
        self,
        roles: Roles,
        known: Sequence[str] | None = None,
        metrics: Sequence[str] | None = None,
        dialect: Dialect = DUCKDB,
    ) -> Iterator[PlannedMetric]:
        """Yields the metric for each of its input columns, translated.

        Args:
            roles: give the columns that parameters name.
            known: columns of the table; None takes every name.
            metrics: columns of the metric table before this one; None takes every name.
            dialect: of who runs it.

        Raises:
            DataError: LM330 to LM334.
        """
        for column in self.inputs:
            if known is not None and column != TABLE and column not in known:
                hint = plain(did_you_mean(column, list(known)), 400)
                raise DataError("LM333", f"input column {plain(column)!r} is not in the table.", cure=hint)
            yield PlannedMetric(self, column, self._translated(column, roles, known, metrics, dialect))

    def _translated(
        self,
        column: str,
        roles: Roles,
        known: Sequence[str] | None,
        metrics: Sequence[str] | None,
        dialect: Dialect,
    ) -> Translated:
        values = self._parameters(column, roles)
        shape = Shape.TABLE if self.kind is MetricKind.AGGREGATE else Shape.METRICS
        if self.kind is MetricKind.DERIVED:
            known = metrics
        elif self.kind is MetricKind.DRIFT:
            known = ()
        fields = metrics if self.kind is MetricKind.DRIFT else None
        text = _PARAMETER.sub(lambda found: self._stand_in(found[1], values), self.definition)
        if rest := _JINJA.search(text):
            raise self._wrong(f"holds {plain(rest[0])!r}", "Only {{parameter}} is replaced.")
        parameters = {_STANDS_FOR + name: value for name, value in values.items()}
        try:
            done = dialect.translate(text, shape=shape, known=known, parameters=parameters, fields=fields)
        except DataError as error:
            what = re.sub(_STANDS_FOR + r"(\w+)", r"{{\1}}", error.what)
            raise DataError(error.code, what, cure=error.cure) from None
        sql = f"CAST({done.sql} AS {dialect.types[self.data_type]})"
        return Translated(self.definition, sql, done.columns, fields=done.fields)

    def _parameters(self, column: str, roles: Roles) -> dict[str, str]:
        if self.kind is MetricKind.DRIFT:
            return {name: name for name in _OF_WINDOWS}
        if self.kind is MetricKind.DERIVED:
            return {}
        values = (None if column == TABLE else column, roles.prediction, roles.label, roles.timestamp)
        named = zip(_OF_ROWS, (*values, roles.model_id), strict=True)
        return {name: value for name, value in named if value is not None}

    def _stand_in(self, name: str, values: Mapping[str, str]) -> str:
        """Names from the config enter the tree, never the text."""
        if name in values:
            return _STANDS_FOR + name
        if name == "input_column" and self.kind is MetricKind.AGGREGATE:
            raise self._wrong("uses {{input_column}} for :table", "Name columns in input_columns.")
        if name == "label_col" and self.kind is MetricKind.AGGREGATE:
            raise self._wrong("uses {{label_col}}", "Set model.label_col.")
        what = f"uses {{{{{name}}}}}, which a metric of type {self.kind} does not have"
        raise self._wrong(what, did_you_mean(name, list(values)))

    def _wrong(self, what: str, cure: str) -> DataError:
        return DataError("LM334", f"the definition of {self.name} {what}.", cure=cure)


@dataclass(frozen=True, slots=True)
class PlannedMetric:
    """A custom metric for one of its input columns."""

    metric: CustomMetric
    column: str
    translated: Translated


def read_metrics(definitions: Sequence[Mapping[str, object]], taken: Collection[str]) -> list[CustomMetric]:
    """Reads `monitoring.custom_metrics`.

    Args:
        definitions: entries as the config gives them.
        taken: columns of the metric tables, which a metric may not be called like.

    Raises:
        DataError: LM335 for a name that is taken, LM336 for a type that is not known.
    """
    return [_metric(definition, {name.casefold() for name in taken}) for definition in definitions]


def _metric(definition: Mapping[str, object], taken: Collection[str]) -> CustomMetric:
    name, inputs = str(definition["name"]), definition["input_columns"]
    if name.casefold() in taken:
        raise DataError("LM335", f"{name!r} is a column of the metric tables;", cure="choose another name.")
    assert isinstance(inputs, Sequence)
    return CustomMetric(
        name=name,
        kind=MetricKind(str(definition["type"])),
        inputs=tuple(dict.fromkeys(str(column) for column in inputs)),
        definition=str(definition["definition"]),
        data_type=_data_type(name, str(definition.get("output_data_type") or "double")),
    )


def _data_type(name: str, written: str) -> str:
    """Returns the short name of a type; takes the JSON of a Spark StructField too."""
    short: object = written
    if written.lstrip().startswith("{"):
        try:
            short = json.loads(written).get("type")
        except json.JSONDecodeError:
            short = written
    text = short.strip().casefold() if isinstance(short, str) else json.dumps(short)
    if text not in DUCKDB.types:
        raise DataError(
            "LM336",
            f"output_data_type of {name} is {plain(text)!r};",
            cure=f"use one of {', '.join(sorted(DUCKDB.types))}.",
        )
    return text
