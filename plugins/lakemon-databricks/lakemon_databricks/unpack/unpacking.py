# ruff: noqa: S608 - names are quoted, values are parameters
"""Unpacking: new payload rows become rows of the inference table, each exactly once."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pyarrow as pa

from lakemon_core.domain.errors import ModelError
from lakemon_core.domain.monitor import Monitor, Roles
from lakemon_core.domain.names import TableName, plain
from lakemon_core.ports import Ledger, ModelType, ModelVersion, Progress, Registry, UnpackResult
from lakemon_databricks.statements import Binding, Statements, table_sql, text_sql
from lakemon_databricks.statements.sql_types import MOMENT
from lakemon_databricks.tables import LakeTables
from lakemon_databricks.unpack.answering import Answering, Versions
from lakemon_databricks.unpack.columns import Column, moment_sql, read_text, type_of_signature
from lakemon_databricks.unpack.predictions import Predictions, predictions_like
from lakemon_databricks.unpack.statement import SHAPE, Statement, own_requests

CLIENT_REQUEST_ID = "client_request_id"
"""Column of the inference table by which labels find their prediction."""
_GONE = {"LM401", "LM402"}


@dataclass(slots=True)
class Tally:
    """What was unpacked so far."""

    requests: int = 0
    failed: int = 0
    rows: int = 0
    unreadable: dict[str, int] = field(default_factory=dict[str, int])

    def note(self, why: str, requests: int) -> None:
        """Counts requests that could not be unpacked."""
        self.unreadable[why] = self.unreadable.get(why, 0) + requests

    def result(self) -> UnpackResult:
        """Returns it as the port has it."""
        return UnpackResult(self.requests, self.rows, self.failed, self.unreadable)


@dataclass(frozen=True, slots=True)
class Unpacking:
    """Unpacks the payload table of one monitor, one MERGE for each version that answered.

    Attributes:
        statements: of the warehouse.
        tables: of the workspace.
        ledger: remembers how far unpacking came.
        registry: knows the signatures of versions.
        monitor: names the tables and the model.
        model_type: knows the columns and what a prediction means.
    """

    statements: Statements
    tables: LakeTables
    ledger: Ledger
    registry: Registry
    monitor: Monitor
    model_type: ModelType

    def run(self, progress: Progress) -> UnpackResult:
        """Unpacks what is new since the last time.

        Requests that failed are counted and left out, lakemon's own test requests are passed over, and what
        cannot be understood is counted by its reason.

        Raises:
            StatementFailed: LM450 to LM452.
        """
        if not self.tables.exists(self._payload):
            return UnpackResult()
        newest = self.tables.info(self._payload).version
        key = f"unpacked:{self._payload}:{self._target}"
        done = self.ledger.get(key) if self.tables.exists(self._target) else None
        if done == str(newest):
            return UnpackResult()
        source = self._source(done, newest)
        tally = Tally()
        for answering in self._counted(source, tally):
            progress.update(f"unpacking answers of version {answering.version or '?'} into {self._target}")
            self._unpack(source, answering, tally)
        self.ledger.put(key, str(newest))
        return tally.result()

    @property
    def _payload(self) -> TableName:
        return self.monitor.inference_table.payload

    @property
    def _target(self) -> TableName:
        return self.monitor.inference_table.name

    def _source(self, done: str | None, newest: int) -> str:
        """Returns the payload rows that came after a version, as SQL; all where the table cannot tell."""
        if done is None or int(done) > newest:
            return table_sql(self._payload)
        since = int(done)
        if self.tables.changes(self._payload, since=since, columns=["databricks_request_id"]) is None:
            return table_sql(self._payload)
        name = text_sql(table_sql(self._payload))
        return f"(SELECT * FROM table_changes({name}, {since + 1}, {newest}) WHERE _change_type = 'insert')"

    def _counted(self, source: str, tally: Tally) -> Sequence[Answering]:
        """Counts requests and returns who answered those that can be unpacked."""
        binding = Binding()
        own = own_requests(source, binding)
        sql = (
            "SELECT served_entity_id, count_if(status_code = 200) AS answered, count(*) AS requests,"
            f" min(request_time) AS first_seen FROM ({own}) GROUP BY served_entity_id"
        )
        rows = self.statements.read(sql, binding.values).to_pylist()
        first_seen: dict[str | None, datetime] = {}
        for row in rows:
            tally.requests += row["requests"]
            tally.failed += row["requests"] - row["answered"]
            if row["answered"]:
                first_seen[row["served_entity_id"]] = row["first_seen"]
        assert self.monitor.serving is not None
        versions = Versions(self.statements, self.ledger, self.monitor.serving.endpoint_name)
        return versions.of(self.monitor.model_name, first_seen)

    def _unpack(self, source: str, answering: Answering, tally: Tally) -> None:
        binding = Binding()
        requests = (
            f"SELECT * FROM ({own_requests(source, binding)}) WHERE status_code = 200"
            f" AND served_entity_id <=> {binding.add(answering.entity_id)}"
        )
        model = self._model(answering)
        predictions = self._predictions(requests, binding, model, tally)
        if predictions is None:
            return
        columns = self._columns(answering, model, predictions, binding)
        statement = Statement(
            requests, list(model.inputs) if model else [], columns, predictions.shape, binding
        )
        counts, merge = statement.unreadable(), statement.merge(self._target, self._key)
        for row in self.statements.read(counts, binding.values).to_pylist():
            tally.note(row["why"], row["requests"])
        self._make_room(columns)
        done = self.statements.write(merge, binding.values)
        tally.rows += done.get("num_inserted_rows", 0)

    @property
    def _key(self) -> tuple[str, str]:
        roles = self.model_type.roles()
        return roles.request_id, roles.row_index

    def _model(self, answering: Answering) -> ModelVersion | None:
        """Returns the version with its signature; None when it is not known or gone from the registry."""
        if not answering.version:
            return None
        try:
            return self.registry.resolve(answering.model, answering.version)
        except ModelError as error:
            if error.code not in _GONE:
                raise
            return None

    def _predictions(
        self, requests: str, binding: Binding, model: ModelVersion | None, tally: Tally
    ) -> Predictions | None:
        """Learns what a prediction means from the newest answer; None when it is not understood at all."""
        first = "get_json_object(response, '$.predictions')"
        newest = f"max_by({first}, request_time) AS answer, count(*) AS requests"
        sql = f"SELECT {newest} FROM ({requests}) WHERE {first} IS NOT NULL"
        (row,) = self.statements.read(sql, binding.values).to_pylist()
        if row["answer"] is None:
            return Predictions((), "false")
        try:
            return predictions_like(_first(row["answer"]), self.model_type, model, binding)
        except ValueError as error:
            tally.note(f"{SHAPE}: {plain(str(error), 120)}", row["requests"])
            return None

    def _columns(
        self,
        answering: Answering,
        model: ModelVersion | None,
        predictions: Predictions,
        binding: Binding,
    ) -> list[Column]:
        """Returns the columns of the inference table; ours win over those of the request with their names."""
        roles = self.model_type.roles()
        version = binding.add(answering.version or answering.entity_id or "unknown")
        stated = f"element_at(fields, {binding.add(roles.timestamp)})"
        given_id = f"element_at(fields, {binding.add(CLIENT_REQUEST_ID)})"
        moment = f"CASE WHEN {stated} IS NULL THEN request_time ELSE {moment_sql(stated)} END"
        own = [
            Column(roles.request_id, pa.string(), "id"),
            Column(roles.row_index, pa.int64(), "CAST(at AS BIGINT)"),
            Column(roles.timestamp, MOMENT, moment, stated),
            Column(roles.model_id, pa.string(), version),
            Column(CLIENT_REQUEST_ID, pa.string(), f"coalesce({CLIENT_REQUEST_ID}, {given_id})"),
        ]
        taken = {column.name.casefold() for column in (*own, *predictions.columns)}
        features = [
            read_text(name, kind, f"element_at(fields, {binding.add(name)})")
            for name, kind in self._inputs(model, roles).items()
            if name.casefold() not in taken
        ]
        return [*own[:4], *features, *predictions.columns, own[4]]

    def _inputs(self, model: ModelVersion | None, roles: Roles) -> Mapping[str, pa.DataType]:
        """Returns the features: those of the signature, with the types that the table has already.

        Without a signature they are the features that the config or the table names.
        """
        known: dict[str, pa.DataType] = {}
        if self.tables.exists(self._target):
            known = {one.name: one.type for one in self.tables.info(self._target).schema}
        signed = {name: type_of_signature(kind) for name, kind in model.inputs.items()} if model else {}
        more = {name: pa.string() for name in roles.features if name not in signed} if not signed else {}
        features = {
            name: known[name] for name in roles.feature_columns(list(known)) if name != CLIENT_REQUEST_ID
        }
        return {**features, **more, **signed, **{name: known[name] for name in signed if name in known}}

    def _make_room(self, columns: Sequence[Column]) -> None:
        """Makes the inference table, or its new columns, with a place for the label."""
        fields = [pa.field(column.name, column.kind) for column in columns]
        label = self._label({column.name: column.kind for column in columns})
        schema = pa.schema([*fields, *([label] if label else [])])
        self.tables.append(self._target, schema.empty_table())

    def _label(self, columns: Mapping[str, pa.DataType]) -> pa.Field | None:
        """Returns a column for labels that come later: of their table's type, else of the prediction's."""
        roles, labels = self.model_type.roles(), self.monitor.inference_table.labels
        if roles.label is None or roles.label in columns:
            return None
        if self.tables.exists(self._target) and roles.label in self.tables.info(self._target).schema.names:
            return None
        if labels and self.tables.exists(labels.table):
            schema = self.tables.info(labels.table).schema
            if labels.label_col in schema.names:
                return pa.field(roles.label, schema.field(labels.label_col).type)
        kind = columns.get(roles.prediction)
        return pa.field(roles.label, kind) if kind is not None else None


def _first(predictions: str) -> Any:
    """Returns one prediction of a response; of lists by column, the first of each."""
    found = json.loads(predictions)
    if isinstance(found, dict):
        return {
            name: values[0] if isinstance(values, list) and values else None for name, values in found.items()
        }
    return found[0] if isinstance(found, list) and found else found
