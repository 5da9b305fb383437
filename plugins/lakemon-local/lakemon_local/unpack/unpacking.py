"""Unpacking: new payload rows become rows of the inference table, each exactly once.

The key of a row is (request id, position in the request), so what comes twice or in another order changes
nothing. The ledger remembers the payload version up to which everything was unpacked; it only saves work.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from lakemon_core.domain.errors import ModelError
from lakemon_core.domain.monitor import Monitor, Roles
from lakemon_core.domain.names import TableName
from lakemon_core.ports import (
    PROBE_PREFIX,
    Ledger,
    ModelType,
    ModelVersion,
    Progress,
    Registry,
    Tables,
    UnpackResult,
)
from lakemon_local.unpack.columns import TIMESTAMP, moment, type_of_signature
from lakemon_local.unpack.records import Unreadable, predictions_of, records_of
from lakemon_local.unpack.rows import Names, tabulate

if TYPE_CHECKING:
    from lakemon_local.serving.endpoints import Entity

CLIENT_REQUEST_ID = "client_request_id"
_GONE = frozenset({"LM401", "LM402"})
_CHUNK_REQUESTS = 5_000
_CHUNK_CHARACTERS = 16_000_000
_PAYLOAD_COLUMNS = (
    "databricks_request_id", "client_request_id", "request_time", "status_code", "request", "response",
    "served_entity_id",
)  # fmt: skip


@dataclass(slots=True)
class _Tally:
    """Counts what happens to requests."""

    requests: int = 0
    rows: int = 0
    failed: int = 0
    kinds: dict[str, int] = field(default_factory=dict[str, int])
    firsts: dict[str, str] = field(default_factory=dict[str, str])

    def note(self, found: Unreadable) -> None:
        """Counts an unreadable request under its kind, and keeps the first in full."""
        self.kinds[found.kind] = self.kinds.get(found.kind, 0) + 1
        self.firsts.setdefault(found.kind, str(found))

    def result(self) -> UnpackResult:
        """Returns the counts."""
        unreadable = {self.firsts[kind]: count for kind, count in self.kinds.items()}
        return UnpackResult(self.requests, self.rows, self.failed, unreadable)


@dataclass(frozen=True, slots=True)
class _Request:
    """One payload row with the version that answered it."""

    row: Mapping[str, Any]
    model: ModelVersion | None
    model_id: str


@dataclass(frozen=True)
class Unpacking:
    """Unpacks the payload table of one monitor.

    Attributes:
        monitor: names the tables and the model.
        model_type: knows the columns and what a prediction means.
        tables: holds both tables.
        ledger: remembers how far unpacking came.
        registry: knows the signatures of versions.
        entities: what ever answered, by `served_entity_id`.
    """

    monitor: Monitor
    model_type: ModelType
    tables: Tables
    ledger: Ledger
    registry: Registry
    entities: Mapping[str, Entity]

    def run(self, progress: Progress) -> UnpackResult:
        """Unpacks what is new since the last time.

        Requests that failed (status other than 200) are counted and left out, lakemon's own test requests are
        passed over, and what cannot be understood is counted by its reason.

        Raises:
            DataError: when a table cannot be read or written.
        """
        if not self.tables.exists(self._payload):
            return UnpackResult()
        newest = self.tables.info(self._payload).version
        key = f"unpacked:{self._payload}:{self._target}"
        done = self.ledger.get(key) if self.tables.exists(self._target) else None
        if done == str(newest):
            return UnpackResult()
        tally = _Tally()
        for chunk in _chunks(self._new_rows(done)):
            progress.update(f"unpacking requests into {self._target}", tally.requests)
            self._unpack(chunk, tally)
        self.ledger.put(key, str(newest))
        return tally.result()

    @property
    def _payload(self) -> TableName:
        return self.monitor.inference_table.payload

    @property
    def _target(self) -> TableName:
        return self.monitor.inference_table.name

    @cached_property
    def _roles(self) -> Roles:
        return self.model_type.roles()

    @cached_property
    def _reserved(self) -> frozenset[str]:
        """Columns that a request cannot bring."""
        roles = self._roles
        ours = (roles.request_id, roles.row_index, roles.timestamp, roles.model_id, CLIENT_REQUEST_ID)
        return frozenset(ours)

    def _new_rows(self, done: str | None) -> pa.RecordBatchReader:
        """Returns what came after a version; all of it when that cannot be told."""
        if done is not None and int(done) <= self.tables.info(self._payload).version:
            changes = self.tables.changes(self._payload, since=int(done), columns=_PAYLOAD_COLUMNS)
            if changes is not None:
                return changes
        return self.tables.scan(self._payload, columns=_PAYLOAD_COLUMNS)

    def _unpack(self, rows: Sequence[Mapping[str, Any]], tally: _Tally) -> None:
        own = [row for row in rows if not (row[CLIENT_REQUEST_ID] or "").startswith(PROBE_PREFIX)]
        answered = [self._request(row) for row in own if row["status_code"] == 200]
        tally.requests += len(own)
        tally.failed += len(own) - len(answered)
        table = self._known()
        types = self._types(answered, table)
        names = Names([*types, *self._roles.named, CLIENT_REQUEST_ID])
        read: list[list[dict[str, Any]]] = []
        for request in answered:
            try:
                fresh = self._rows_of(request)
                names.admit(fresh)
                read.append(fresh)
            except Unreadable as found:
                tally.note(found)
        tabulated = tabulate(read, types)
        for found in tabulated.unreadable.values():
            tally.note(found)
        if tabulated.rows.num_rows:
            key = (self._roles.request_id, self._roles.row_index)
            labelled = self._with_label(tabulated.rows, table)
            tally.rows += self.tables.merge(self._target, labelled, on=key).inserted

    def _request(self, row: Mapping[str, Any]) -> _Request:
        entity = self.entities.get(row["served_entity_id"] or "")
        if entity is None:
            return _Request(row, None, row["served_entity_id"] or "unknown")
        return _Request(row, self._model(entity), entity.version)

    def _model(self, entity: Entity) -> ModelVersion | None:
        """Returns the version; None when it is gone from the registry: then its rows have no signature."""
        known = self._models
        if entity.id not in known:
            try:
                known[entity.id] = self.registry.resolve(entity.model, entity.version)
            except ModelError as error:
                if error.code not in _GONE:
                    raise
                known[entity.id] = None
        return known[entity.id]

    @cached_property
    def _models(self) -> dict[str, ModelVersion | None]:
        return {}

    def _rows_of(self, request: _Request) -> list[dict[str, Any]]:
        """Returns the rows of one request; ours win over columns of the request with the same names.

        Raises:
            Unreadable: when request, response or a prediction is not understood.
        """
        row, roles = request.row, self._roles
        if row["request"] is None or row["response"] is None:
            raise Unreadable("request or response was too large to be logged")
        records = records_of(row["request"], tuple(request.model.inputs) if request.model else ())
        predictions = predictions_of(row["response"])
        if len(records) != len(predictions):
            detail = f"{len(records)} rows and {len(predictions)} predictions"
            raise Unreadable("request and response differ in length", detail)
        return [
            {
                roles.request_id: row["databricks_request_id"],
                roles.row_index: index,
                roles.timestamp: _event_time(record.get(roles.timestamp), row["request_time"]),
                roles.model_id: request.model_id,
                **{name: value for name, value in record.items() if name not in self._reserved},
                **self._outputs(prediction, request.model),
                CLIENT_REQUEST_ID: row[CLIENT_REQUEST_ID] or record.get(CLIENT_REQUEST_ID),
            }
            for index, (record, prediction) in enumerate(zip(records, predictions, strict=True))
        ]

    def _outputs(self, prediction: object, model: ModelVersion | None) -> Mapping[str, object]:
        try:
            return self.model_type.unpack(prediction, model)
        except ValueError as error:
            raise Unreadable("prediction is not understood", str(error)) from error

    def _known(self) -> dict[str, pa.DataType]:
        """Returns the columns of the inference table; none when it is not there yet."""
        if not self.tables.exists(self._target):
            return {}
        return {known.name: known.type for known in self.tables.info(self._target).schema}

    def _types(
        self, requests: Sequence[_Request], table: Mapping[str, pa.DataType]
    ) -> dict[str, pa.DataType]:
        """Returns the types that are settled: of the table, of our own columns, and of the signatures."""
        roles = self._roles
        own = {
            roles.request_id: pa.string(), roles.row_index: pa.int64(), roles.timestamp: TIMESTAMP,
            roles.model_id: pa.string(), CLIENT_REQUEST_ID: pa.string(),
        }  # fmt: skip
        models = {request.model_id: request.model for request in requests if request.model}
        signed = {
            name: kind
            for model in models.values()
            for name, text in model.inputs.items()
            if (kind := type_of_signature(text)) is not None
        }
        return {**signed, **own, **table}

    def _with_label(self, rows: pa.Table, table: Mapping[str, pa.DataType]) -> pa.Table:
        """Adds the label's column, empty, where there is none, so that labels that come later find a place.

        Its type is that of the label table, else that of the prediction.
        """
        roles, labels = self._roles, self.monitor.inference_table.labels
        if roles.label is None or roles.label in table or roles.label in rows.column_names:
            return rows
        if labels and self.tables.exists(labels.table):
            schema = self.tables.info(labels.table).schema
            if labels.label_col in schema.names:
                kind = schema.field(labels.label_col).type
                return rows.append_column(roles.label, pa.nulls(rows.num_rows, kind))
        if roles.prediction not in rows.column_names:
            return rows
        return rows.append_column(
            roles.label, pa.nulls(rows.num_rows, rows.schema.field(roles.prediction).type)
        )


def _event_time(given: Any, request_time: datetime) -> datetime:
    """Returns the time that the row states, else when the request came.

    Raises:
        Unreadable: when the row states something that is no time.
    """
    try:
        return request_time if given is None else moment(given)
    except ValueError as error:
        raise Unreadable("timestamp is not understood", str(error)) from error


def _chunks(reader: pa.RecordBatchReader) -> Iterator[list[dict[str, Any]]]:
    """Groups payload rows, whose batches may be tiny, within bounds, for their requests may be large."""
    chunk: list[dict[str, Any]] = []
    size = 0
    for row in chain.from_iterable(batch.to_pylist() for batch in reader):
        chunk.append(row)
        size += len(row["request"] or "") + len(row["response"] or "")
        if len(chunk) >= _CHUNK_REQUESTS or size >= _CHUNK_CHARACTERS:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk
