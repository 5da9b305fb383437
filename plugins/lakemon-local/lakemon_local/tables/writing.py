"""Writes to our own Delta tables: each one commit, fitted without loss, safe on disk before it returns."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, Schema, Transaction, write_deltalake
from deltalake.exceptions import CommitFailedError

from lakemon_core.domain.errors import DataError
from lakemon_core.domain.names import quote
from lakemon_core.ports import Condition, WriteResult
from lakemon_local.tables.duck import same_rows
from lakemon_local.tables.filters import predicate
from lakemon_local.tables.log import sync_commit
from lakemon_local.tables.places import Place, has_commits
from lakemon_local.tables.snapshot import Snapshot, explained, failures, open_snapshot
from lakemon_local.tables.types import Fit, check_columns, fit

_PROPERTIES = {"delta.enableChangeDataFeed": "true"}
_PAUSES = (0.05, 0.1, 0.2, 0.4, 0.8)
"""Seconds to wait before trying again what another writer's commit made impossible."""


def append(
    place: Place, rows: pa.RecordBatchReader | pa.Table, batch: tuple[str, int] | None = None
) -> WriteResult:
    """Adds rows as they stream in; see `Tables.append`."""
    if batch is not None:
        table = rows if isinstance(rows, pa.Table) else rows.read_all()
        return _tried_again(lambda: _append_batch(place, table, *batch))
    known = _known(place)
    plan = fit(rows.schema, known.schema if known else None, str(place.name))
    batches = rows.to_batches() if isinstance(rows, pa.Table) else rows
    incoming = _Incoming(plan, batches)
    if known and incoming.is_empty() and not plan.added:
        return WriteResult(known.version)
    _write(place, place.uri, incoming, is_new=known is None)
    version = DeltaTable(place.uri).version()
    for own in range(known.version + 1 if known else 0, version + 1):
        sync_commit(place, own)
    return WriteResult(version, inserted=incoming.rows)


def _append_batch(place: Place, rows: pa.Table, writer: str, number: int) -> WriteResult:
    """The look at the writer's last number and the write go through one handle: Delta refuses a stale one."""
    known = _known(place)
    done = known.table.transaction_version(writer) if known else None
    if known and (not rows.num_rows or (done is not None and done >= number)):
        return WriteResult(known.version)
    plan = fit(rows.schema, known.schema if known else None, str(place.name))
    incoming = _Incoming(plan, rows.to_batches())
    marked = CommitProperties(app_transactions=[Transaction(writer, number)])
    target = known.table if known else place.uri
    _write(place, target, incoming, is_new=known is None, commit_properties=marked)
    version = known.version if known else 0
    sync_commit(place, version)
    return WriteResult(version, inserted=incoming.rows)


def replace(place: Place, rows: pa.Table, where: Sequence[Condition]) -> WriteResult:
    """Replaces rows in one commit; the same rows again make no version; see `Tables.replace`."""
    if not has_commits(place.folder):
        return append(place, rows)
    return _tried_again(lambda: _replace(open_snapshot(place), rows, where))


def _replace(known: Snapshot, rows: pa.Table, where: Sequence[Condition]) -> WriteResult:
    place = known.place
    filtered = predicate(where, known.schema, str(place.name))
    plan = fit(rows.schema, known.schema, str(place.name))
    fitted = plan.rows(rows)
    deleted = known.count(where)
    unchanged = not plan.added and deleted == fitted.num_rows
    if unchanged and (not deleted or same_rows(known.scan(None, where), fitted)):
        return WriteResult(known.version)
    incoming = _Incoming(plan, rows.to_batches())
    try:
        _write(place, known.table, incoming, is_new=False, mode="overwrite", predicate=filtered)
    except DataError as error:
        if "failed validation check" not in error.what:
            raise
        raise DataError(
            "LM313",
            "some of the new rows do not match the filter of the rows they replace;",
            where=str(place.name),
            cure=f"every new row must satisfy {filtered}.",
        ) from error
    sync_commit(place, known.version)
    return WriteResult(known.version, inserted=incoming.rows, deleted=deleted)


def merge(
    place: Place, rows: pa.Table, on: Sequence[str], *, insert: bool, update: Sequence[str]
) -> WriteResult:
    """Inserts and updates by key; see `Tables.merge`. Nulls and NaN in keys and values equal themselves."""
    name = str(place.name)
    check_columns([*on, *update], rows.schema, f"the rows for {name}")
    if not on:
        raise DataError("LM312", "a merge needs at least one key column;", where=name)
    keep = "last" if update else "first"
    if insert and not has_commits(place.folder):
        return append(place, _one_row_a_key(fit(rows.schema, None, name).rows(rows), on, keep=keep))

    def attempt() -> WriteResult:
        known = open_snapshot(place)
        check_columns(on, known.schema, name)
        plan = fit(rows.schema, known.schema, name)
        single = _one_row_a_key(plan.rows(rows), on, keep=keep)
        return _merge(known, plan, single, on, insert=insert, update=update)

    return _tried_again(attempt)


def _merge(
    known: Snapshot, plan: Fit, rows: pa.Table, on: Sequence[str], *, insert: bool, update: Sequence[str]
) -> WriteResult:
    wanted = [column for column in update if column in plan.schema.names]
    _add_columns(known, [field for field in plan.added if insert or field.name in wanted])
    same_key = " AND ".join(_comparison(column, "IS NOT DISTINCT FROM") for column in on)
    with failures(known.place):
        work = known.table.merge(rows, same_key, source_alias="source", target_alias="target")
        if wanted:
            differs = " OR ".join(_comparison(column, "IS DISTINCT FROM") for column in wanted)
            work = work.when_matched_update(_assignments(wanted), predicate=differs)
        if insert:
            work = work.when_not_matched_insert(_assignments(plan.schema.names))
        done = work.execute()
    result = WriteResult(
        known.version, inserted=done["num_target_rows_inserted"], updated=done["num_target_rows_updated"]
    )
    if result.changed:
        sync_commit(known.place, known.version)
    return result


def delete(place: Place, where: Sequence[Condition]) -> WriteResult:
    """Deletes rows, and files that no version within the retention needs; see `Tables.delete`."""
    result = _tried_again(lambda: _delete(open_snapshot(place), where))
    _sweep(open_snapshot(place))
    return result


def _delete(known: Snapshot, where: Sequence[Condition]) -> WriteResult:
    deleted = known.count(where)
    if not deleted:
        return WriteResult(known.version)
    with failures(known.place):
        known.table.delete(predicate(where, known.schema, str(known.place.name)))
    sync_commit(known.place, known.version)
    return WriteResult(known.version, deleted=deleted)


RETENTION_SECONDS = 7 * 86400


def _sweep(known: Snapshot) -> None:
    """Removes files that left the table more than 7 days ago, and the change feed of that time.

    Delta's own vacuum would note two commits without content, and never removes the change feed.
    """
    with failures(known.place):
        stale = [known.place.folder / path for path in known.table.vacuum(dry_run=True)]
    limit = time.time() - RETENTION_SECONDS
    feed = (known.place.folder / "_change_data").glob("*.parquet")
    for path in chain(stale, (path for path in feed if path.stat().st_mtime < limit)):
        path.unlink(missing_ok=True)


class _Incoming:
    """Batches on their way into a table: fitted and counted; their error is kept, for Delta blurs it."""

    def __init__(self, plan: Fit, batches: Iterable[pa.RecordBatch]) -> None:
        self.plan = plan
        self.rows = 0
        self.error: BaseException | None = None
        self._batches = (batch for batch in batches if batch.num_rows)

    def is_empty(self) -> bool:
        """Whether no row comes; looks at the first batch."""
        first = next(self._batches, None)
        if first is not None:
            self._batches = chain([first], self._batches)
        return first is None

    def reader(self) -> pa.RecordBatchReader:
        """Streams the fitted batches, once."""
        return pa.RecordBatchReader.from_batches(self.plan.schema, self._fitted())

    def _fitted(self) -> Iterator[pa.RecordBatch]:
        try:
            for batch in self.plan.batches(self._batches):
                self.rows += batch.num_rows
                yield batch
        except BaseException as error:
            self.error = error
            raise


def _write(
    place: Place, target: str | DeltaTable, incoming: _Incoming, *, is_new: bool, **options: Any
) -> None:
    """Writes in one commit; `options` go to Delta as they are."""
    options = {"mode": "append", **options}
    if is_new:
        options["configuration"] = _PROPERTIES
    elif incoming.plan.added:
        options["schema_mode"] = "merge"
    try:
        write_deltalake(target, incoming.reader(), **options)
    except CommitFailedError:
        raise
    except Exception as error:
        raise incoming.error or explained(error, place) from error


def _known(place: Place) -> Snapshot | None:
    return open_snapshot(place) if has_commits(place.folder) else None


def _add_columns(known: Snapshot, added: Sequence[pa.Field]) -> None:
    if added:
        with failures(known.place):
            known.table.alter.add_columns(Schema.from_arrow(pa.schema(added)).fields)


def _comparison(column: str, operator: str) -> str:
    """Compares a column of both sides; in brackets, for `x IS DISTINCT FROM y OR z` is read as `(y OR z)`."""
    return f"(target.{quote(column)} {operator} source.{quote(column)})"


def _assignments(columns: Sequence[str]) -> dict[str, str]:
    return {quote(column): f"source.{quote(column)}" for column in columns}


def _one_row_a_key(rows: pa.Table, on: Sequence[str], *, keep: str) -> pa.Table:
    """Returns the rows with one for each key: the first or the last that came."""
    order = "__lakemon_order"
    keyed = rows.select(list(dict.fromkeys(on))).append_column(
        order, pa.array(range(rows.num_rows), pa.int64())
    )
    kept = keyed.group_by(keyed.column_names[:-1]).aggregate([(order, "min" if keep == "first" else "max")])
    if kept.num_rows == rows.num_rows:
        return rows
    return rows.take(kept.column(f"{order}_{'min' if keep == 'first' else 'max'}").sort())


def _tried_again(attempt: Callable[[], WriteResult]) -> WriteResult:
    """Tries a write again, from its look at the table on, when another writer came between."""
    for pause in _PAUSES:
        try:
            return attempt()
        except CommitFailedError:
            time.sleep(pause)
    return attempt()
