"""Writes to our own Delta tables: each one commit, fitted without loss, safe on disk before it returns."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import Any

import pyarrow as pa
from deltalake import CommitProperties, Schema, Transaction, WriterProperties, write_deltalake
from deltalake.exceptions import CommitFailedError

from lakemon_core.domain.errors import DataError
from lakemon_core.domain.names import quote
from lakemon_core.ports import Condition, WriteResult
from lakemon_core.profiling.table_types import Fit, check_columns, fit
from lakemon_local.tables.filters import predicate
from lakemon_local.tables.incoming import Incoming
from lakemon_local.tables.log import actions, sync_commit
from lakemon_local.tables.places import Place, has_commits
from lakemon_local.tables.snapshot import Snapshot, explained, failures, open_snapshot
from lakemon_local.tables.sql.duck import same_rows

RETENTION_SECONDS = 7 * 86400
_PROPERTIES = {"delta.enableChangeDataFeed": "true"}
_PAUSES = (0.05, 0.1, 0.2, 0.4, 0.8)
"""Seconds to wait before trying again what another writer's commit made impossible."""
_REPLACED = "lakemon-replaced"
"""Transaction that counts how often an import replaced all rows: marks of before then mean nothing."""


def append(
    place: Place, rows: pa.RecordBatchReader | pa.Table, batch: tuple[str, int] | None = None
) -> WriteResult:
    """Adds rows as they stream in; see `Tables.append`. Only a table can be tried again, a stream is gone."""
    if isinstance(rows, pa.Table):
        return _tried_again(place, lambda: _append(place, rows.schema, rows.to_batches(), batch))
    return _tried_once(place, lambda: _append(place, rows.schema, rows, batch))


def _append(
    place: Place, schema: pa.Schema, batches: Iterable[pa.RecordBatch], batch: tuple[str, int] | None
) -> WriteResult:
    """The look at a writer's last number and the write go through one handle: Delta refuses a stale one."""
    known = _known(place)
    if known and batch and _number_of(known, batch[0]) >= batch[1]:
        return WriteResult(known.version)
    incoming = Incoming(fit(schema, known.schema if known else None, str(place.name)), batches)
    if known and incoming.is_empty() and not incoming.plan.added:
        return WriteResult(known.version)
    marks = [Transaction(*batch)] if batch else []
    return WriteResult(_write(place, known, incoming, marks), inserted=incoming.rows)


def import_rows(place: Place, rows: pa.RecordBatchReader, mark: str, *, replace: bool) -> WriteResult:
    """Appends rows, or replaces all, in one commit that carries a mark; see `DeltaTables.import_rows`."""
    known = _known(place)
    replaced = _number_of(known, _REPLACED) if known else 0
    if known and replace:
        return _tried_once(place, lambda: _import_instead(known, rows, mark, replaced + 1))
    return _tried_once(place, lambda: _append(place, rows.schema, rows, (mark, replaced)))


def _import_instead(known: Snapshot, rows: pa.RecordBatchReader, mark: str, number: int) -> WriteResult:
    incoming = Incoming(fit(rows.schema, known.schema, str(known.place.name)), rows)
    deleted = known.count(())
    marks = [Transaction(mark, number), Transaction(_REPLACED, number)]
    version = _write(known.place, known, incoming, marks, mode="overwrite")
    return WriteResult(version, inserted=incoming.rows, deleted=deleted)


def holds_import(known: Snapshot, mark: str, *, alone: bool) -> bool:
    """Whether the rows of an import are in a table; `alone`: and no others came before or after."""
    if _number_of(known, mark) < _number_of(known, _REPLACED):
        return False
    if not alone:
        return True
    newest = {action["txn"]["appId"] for action in actions(known.place, known.version) if "txn" in action}
    return mark in newest and (known.version == 0 or _REPLACED in newest)


def replace(place: Place, rows: pa.Table, where: Sequence[Condition]) -> WriteResult:
    """Replaces rows in one commit; the same rows again make no version; see `Tables.replace`."""
    if not has_commits(place.folder):
        return append(place, rows)
    return _tried_again(place, lambda: _replace(open_snapshot(place), rows, where))


def _replace(known: Snapshot, rows: pa.Table, where: Sequence[Condition]) -> WriteResult:
    place = known.place
    filtered = predicate(where, known.schema, str(place.name))
    plan = fit(rows.schema, known.schema, str(place.name))
    deleted = known.count(where)
    same_shape = deleted == rows.num_rows and not plan.added
    if same_shape and (not deleted or same_rows(known.scan(None, where), plan.rows(rows))):
        return WriteResult(known.version)
    incoming = Incoming(plan, rows.to_batches())
    try:
        version = _write(place, known, incoming, [], mode="overwrite", predicate=filtered)
    except DataError as error:
        if "failed validation check" not in error.what:
            raise
        raise DataError(
            "LM313",
            "some of the new rows do not match the filter of the rows they replace;",
            where=str(place.name),
            cure=f"every new row must satisfy {filtered}.",
        ) from error
    return WriteResult(version, inserted=incoming.rows, deleted=deleted)


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

    return _tried_again(place, attempt)


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
        inserted, updated = done["num_target_rows_inserted"], done["num_target_rows_updated"]
        if inserted or updated:
            sync_commit(known.place, known.version)
    return WriteResult(known.version, inserted=inserted, updated=updated)


def delete(place: Place, where: Sequence[Condition]) -> WriteResult:
    """Deletes rows, and files that no version within the retention needs; see `Tables.delete`."""
    result = _tried_again(place, lambda: _delete(open_snapshot(place), where))
    sweep(open_snapshot(place))
    return result


def _delete(known: Snapshot, where: Sequence[Condition]) -> WriteResult:
    deleted = known.count(where)
    if not deleted:
        return WriteResult(known.version)
    with failures(known.place):
        known.table.delete(predicate(where, known.schema, str(known.place.name)))
        sync_commit(known.place, known.version)
    return WriteResult(known.version, deleted=deleted)


def sweep(known: Snapshot) -> None:
    """Removes files that left the table more than 7 days ago, and the change feed of that time.

    Delta's own vacuum would note two commits without content, and never removes the change feed.
    """
    with failures(known.place):
        stale = [known.place.folder / path for path in known.table.vacuum(dry_run=True)]
    limit = time.time() - RETENTION_SECONDS
    feed = (known.place.folder / "_change_data").glob("*.parquet")
    for path in chain(stale, (path for path in feed if path.stat().st_mtime < limit)):
        path.unlink(missing_ok=True)


def _write(
    place: Place, known: Snapshot | None, incoming: Incoming, marks: list[Transaction], **options: Any
) -> int:
    """Writes one commit and waits for the disk; `options` go to Delta as they are. Returns the version."""
    defaults = {
        "mode": "append",
        "commit_properties": CommitProperties(app_transactions=marks),
        "writer_properties": WriterProperties(max_row_group_size=incoming.row_group()),
    }
    options = defaults | options
    if known is None:
        options["configuration"] = _PROPERTIES
    elif incoming.plan.added:
        options["schema_mode"] = "merge"
    target = known.table if known else place.uri
    try:
        _interruptible(lambda: write_deltalake(target, incoming.reader(), **options), incoming.cancel)
    except CommitFailedError:
        raise
    except Exception as error:
        raise incoming.error or explained(error, place) from error
    version = known.version if known else 0
    with failures(place):
        sync_commit(place, version)
    return version


def _interruptible(work: Callable[[], None], cancel: Callable[[], None]) -> None:
    """Does work that holds its thread for long in another one, so that Ctrl-C and SIGTERM are heard."""
    with ThreadPoolExecutor(1, "lakemon-write") as pool:
        done = pool.submit(work)
        try:
            done.result()
        except (KeyboardInterrupt, SystemExit):
            cancel()
            raise


def _known(place: Place) -> Snapshot | None:
    return open_snapshot(place) if has_commits(place.folder) else None


def _number_of(known: Snapshot, writer: str) -> int:
    """Returns the last number that a writer has written; -1 when it has not, 0 for the count of replaces."""
    number = known.table.transaction_version(writer)
    return number if number is not None else (0 if writer == _REPLACED else -1)


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
    keys = list(dict.fromkeys(on))
    numbered = rows.select(keys).append_column(order, pa.array(range(rows.num_rows), pa.int64()))
    pick = "min" if keep == "first" else "max"
    kept = numbered.group_by(keys).aggregate([(order, pick)])
    if kept.num_rows == rows.num_rows:
        return rows
    return rows.take(kept.column(f"{order}_{pick}").combine_chunks().sort())


def _tried_again(place: Place, attempt: Callable[[], WriteResult]) -> WriteResult:
    """Tries a write again, from its look at the table on, when another writer came between."""
    for pause in _PAUSES:
        try:
            return attempt()
        except CommitFailedError:
            time.sleep(pause)
    return _tried_once(place, attempt)


def _tried_once(place: Place, attempt: Callable[[], WriteResult]) -> WriteResult:
    try:
        return attempt()
    except CommitFailedError as error:
        raise explained(error, place) from error
