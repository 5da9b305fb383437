# ruff: noqa: S608 - names are quoted, texts are written here, values are parameters
"""The one statement of unpacking: payload rows in, rows of the inference table out, each exactly once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from lakemon_core.domain.names import TableName
from lakemon_core.ports import PROBE_PREFIX
from lakemon_databricks.statements import Binding, column_sql, table_sql
from lakemon_databricks.unpack.columns import Column
from lakemon_databricks.unpack.predictions import TEXT

FORMATS = ("dataframe_records", "dataframe_split", "instances", "inputs")
TOO_LARGE = "request or response was too large to be logged"
NO_FORMAT = "request has none or several of the input formats"
NO_PREDICTIONS = "response has no predictions"
LENGTHS = "request and response differ in length"
SHAPE = "prediction is not understood"
MISFIT = "a value does not fit its column"


def own_requests(source: str, binding: Binding) -> str:
    """Returns the payload rows of a source without test requests, each request once."""
    return (
        "SELECT * EXCEPT (copy) FROM (SELECT *, row_number() OVER (PARTITION BY databricks_request_id"
        f" ORDER BY request_time) AS copy FROM {source}"
        f" WHERE client_request_id IS NULL OR NOT startswith(client_request_id, {binding.add(PROBE_PREFIX)}))"
        " WHERE copy = 1"
    )


@dataclass(frozen=True, slots=True)
class Statement:
    """Unpacks the answers of one version.

    Attributes:
        requests: SELECT of the payload rows.
        names: inputs of the model in order: values without names take theirs from it.
        columns: of the inference table that come from the request or the response.
        shape: SQL that is true for a prediction of the known shape.
        binding: values of all of it.
    """

    requests: str
    names: Sequence[str]
    columns: Sequence[Column]
    shape: str
    binding: Binding

    def unreadable(self) -> str:
        """Counts the requests that cannot be unpacked, by what is wrong with them."""
        counted = "SELECT why, count(DISTINCT id) AS requests FROM judged WHERE why IS NOT NULL GROUP BY why"
        return f"{self._read()} {counted}"

    def merge(self, target: TableName, key: tuple[str, str]) -> str:
        """Returns the MERGE: a request that is there already, or comes twice, changes nothing."""
        names = ", ".join(column_sql(column.name) for column in self.columns)
        given = ", ".join(f"s.{column_sql(column.name)}" for column in self.columns)
        same = " AND ".join(f"t.{column_sql(one)} = s.{column_sql(one)}" for one in key)
        return (
            f"MERGE INTO {table_sql(target)} t USING"
            f" ({self._read()} SELECT {names} FROM judged WHERE why IS NULL) s"
            f" ON {same} WHEN NOT MATCHED THEN INSERT ({names}) VALUES ({given})"
        )

    def _read(self) -> str:
        """Returns the steps: bodies, lists of rows and answers, single rows, typed columns, a judgement."""
        return f"WITH {self._bodies()}, {self._lists()}, {self._rows()}, {self._typed()}, {self._judged()}"

    def _bodies(self) -> str:
        parts = [f"get_json_object(request, '$.{name}') AS {name}" for name in FORMATS]
        return (
            "bodies AS (SELECT databricks_request_id AS id, client_request_id, request_time,"
            f" {', '.join(parts)}, get_json_object(response, '$.predictions') AS predictions,"
            f" request IS NULL OR response IS NULL AS too_large FROM ({self.requests}))"
        )

    def _lists(self) -> str:
        given = " + ".join(f"CASE WHEN {name} IS NULL THEN 0 ELSE 1 END" for name in FORMATS)
        data = "get_json_object(dataframe_split, '$.data')"
        columns = "from_json(get_json_object(dataframe_split, '$.columns'), 'ARRAY<STRING>')"
        names = self.binding.add(json.dumps(list(self.names)))
        body = f"coalesce(dataframe_records, {data}, instances, inputs)"
        return (
            f"lists AS (SELECT id, client_request_id, request_time, too_large, {given} AS formats,"
            f" coalesce({columns}, from_json({names}, 'ARRAY<STRING>')) AS names,"
            f" {_as_list(body)} AS records, {_as_list('predictions')} AS answers FROM bodies)"
        )

    def _rows(self) -> str:
        """One row for every position; a request without rows keeps one, to be counted."""
        longest = "greatest(coalesce(size(records), 0), coalesce(size(answers), 0), 1)"
        record, answer = _at("records"), _at("answers")
        return (
            "singles AS (SELECT id, client_request_id, request_time, too_large, formats, names,"
            " coalesce(size(records), -1) AS asked, coalesce(size(answers), -1) AS answered, at,"
            f" {record} AS record, {answer} AS {TEXT}"
            f" FROM (SELECT *, explode(sequence(0, {longest} - 1)) AS at FROM lists)),"
            f" rows_read AS (SELECT *, {_record()} AS fields FROM singles)"
        )

    def _typed(self) -> str:
        typed = ", ".join(f"{column.sql} AS {column_sql(column.name)}" for column in self.columns)
        misfits = " OR ".join(column.misfit for column in self.columns if column.misfit) or "false"
        return (
            "typed AS (SELECT id, too_large, formats, asked, answered,"
            f" {TEXT} IS NULL OR {self.shape} AS understood, {misfits} AS misfit, {typed} FROM rows_read)"
        )

    def _judged(self) -> str:
        """A request is taken as a whole or not at all."""
        return (
            "judged AS (SELECT *, CASE"
            f" WHEN too_large THEN '{TOO_LARGE}'"
            f" WHEN formats <> 1 OR asked < 0 THEN '{NO_FORMAT}'"
            f" WHEN answered < 0 THEN '{NO_PREDICTIONS}'"
            f" WHEN asked <> answered OR asked = 0 THEN '{LENGTHS}'"
            f" WHEN NOT min(understood) OVER (PARTITION BY id) THEN '{SHAPE}'"
            f" WHEN max(misfit) OVER (PARTITION BY id) THEN '{MISFIT}'"
            " END AS why FROM typed)"
        )


def _as_list(text: str) -> str:
    """Returns JSON as a list of texts: a list as it is, even lists by column turned round, a value as one."""
    columns = f"from_json({text}, 'MAP<STRING, ARRAY<STRING>>')"
    length = f"size(element_at(map_values({columns}), 1))"
    even = f"size(array_distinct(transform(map_values({columns}), v -> size(v)))) = 1"
    turned = (
        f"transform(sequence(0, {length} - 1), i -> to_json(map_from_arrays(map_keys({columns}),"
        f" transform(map_values({columns}), v -> element_at(v, i + 1)))))"
    )
    return (
        f"CASE WHEN startswith({text}, '[') THEN from_json({text}, 'ARRAY<STRING>')"
        f" WHEN startswith({text}, '{{') THEN CASE WHEN {even} THEN {turned} END"
        f" WHEN {text} IS NOT NULL THEN array({text}) END"
    )


def _at(items: str) -> str:
    return f"CASE WHEN at < size({items}) THEN element_at({items}, CAST(at + 1 AS INT)) END"


def _record() -> str:
    """Returns a row of the request as a map from column to text; values take the names in order."""
    values = "from_json(record, 'ARRAY<STRING>')"
    return (
        "CASE WHEN startswith(record, '{') THEN from_json(record, 'MAP<STRING, STRING>')"
        f" WHEN startswith(record, '[') AND size({values}) = size(names)"
        " AND size(array_distinct(names)) = size(names)"
        f" THEN map_from_arrays(names, {values})"
        " WHEN record IS NOT NULL AND size(names) = 1 THEN map_from_arrays(names, array(record)) END"
    )
