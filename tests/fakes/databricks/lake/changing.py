"""Statements that change rows: INSERT (also OVERWRITE and REPLACE WHERE), UPDATE, DELETE, MERGE."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import sqlglot
from sqlglot import Expr, exp

from . import dialect
from .failures import SqlFailure

if TYPE_CHECKING:
    from .lake import Lake, Session


def change(lake: Lake, tree: Expr, session: Session) -> pa.Table:
    """Runs the statement as one commit; returns the numbers of rows as Databricks does."""
    name = dialect.name_of(_target(tree), session.catalog, session.schema)
    table = lake.usable(name, session.user, "MODIFY")
    if lake.before_write:
        script, lake.before_write = lake.before_write, None
        script(name)
        lake.before_write = lake.before_write or script
    _lose_conflict(lake, name)
    numbers, actions = _apply(lake, tree, session, name)
    operation = type(tree).__name__.upper().replace("INSERT", "WRITE")
    place = lake.place(name)
    lake.versions.record(
        table, place, operation, lake.clock.now(), metrics=_metrics(numbers), actions=actions
    )
    return pa.table({key: pa.array([value], pa.int64()) for key, value in numbers.items()})


def _target(tree: Expr) -> exp.Table:
    target = tree.this
    return target.this if isinstance(target, exp.Schema) else target


def _lose_conflict(lake: Lake, name: str) -> None:
    for planned in lake.conflicts:
        table, condition = planned
        if table in {"*", name}:
            lake.conflicts.remove(planned)
            raise SqlFailure(
                condition,
                f"Transaction conflict detected. A concurrent transaction changed the table {name}."
                " Please try the operation again.",
                "2D521",
            )


def _apply(lake: Lake, tree: Expr, session: Session, name: str) -> tuple[dict[str, int], pa.Table | None]:
    if isinstance(tree, exp.Merge):
        return _merge(lake, tree, session, name)
    if isinstance(tree, exp.Insert):
        return _insert(lake, tree, session, name), None
    count = _count(lake.execute(lake.prepared(tree, session, target=name), session))
    return {"num_affected_rows": count}, None


def _count(result: pa.Table) -> int:
    return int(result.column(0)[0].as_py())


def _insert(lake: Lake, tree: exp.Insert, session: Session, name: str) -> dict[str, int]:
    replaced, overwrite = tree.args.get("where"), bool(tree.args.get("overwrite"))
    plain = tree.copy()
    plain.set("where", None)
    plain.set("overwrite", False)
    added = lake.prepared(plain, session, target=name)
    if not (replaced or overwrite):
        count = _count(lake.execute(added, session))
        return {"num_affected_rows": count, "num_inserted_rows": count}
    lake.connection.execute("BEGIN")
    try:
        count = _replace(lake, session, name, added, replaced)
    except Exception:
        lake.connection.execute("ROLLBACK")
        raise
    lake.connection.execute("COMMIT")
    return {"num_affected_rows": count, "num_inserted_rows": count}


def _replace(lake: Lake, session: Session, name: str, added: str, replaced: Expr | None) -> int:
    """Deletes what the predicate means (all without one) and inserts; new rows must fit the predicate.

    The new rows are read before the old ones go: the query may read the very table.
    """
    place = lake.place(name)
    where = "true"
    if replaced:
        where = dialect.duck(dialect.with_functions(replaced.copy(), session.parameters))
    kept = f"SELECT count(*) FROM {place} WHERE ({where}) IS NOT TRUE"
    before = _count(lake.execute(kept, session))
    old = lake.execute(f"SELECT rowid FROM {place} WHERE {where}", session)
    count = _count(lake.execute(added, session))
    if _count(lake.execute(kept, session)) != before:
        raise SqlFailure(
            "DELTA_REPLACE_WHERE_MISMATCH",
            "Written data does not conform to partial table overwrite condition or constraint.",
            "44000",
        )
    lake.connection.register("old rows", old)
    lake.connection.execute(f'DELETE FROM {place} WHERE rowid IN (SELECT rowid FROM "old rows")')
    lake.connection.unregister("old rows")
    return count


def _merge(lake: Lake, tree: exp.Merge, session: Session, name: str) -> tuple[dict[str, int], pa.Table]:
    prepared = lake.prepared(tree, session, target=name)
    _demand_one_source_row(lake, prepared, session)
    actions = lake.execute(f"{prepared} RETURNING merge_action, *", session)
    done = actions.column("merge_action")
    updated, deleted, inserted = (
        pc.sum(pc.equal(done, action)).as_py() or 0 for action in ("UPDATE", "DELETE", "INSERT")
    )
    return {
        "num_affected_rows": updated + deleted + inserted,
        "num_updated_rows": updated,
        "num_deleted_rows": deleted,
        "num_inserted_rows": inserted,
    }, actions


def _demand_one_source_row(lake: Lake, prepared: str, session: Session) -> None:
    """Refuses a MERGE in which several source rows would change one target row; DuckDB takes one of them.

    Delta allows it only where the rows that match are deleted, all of them and whatever they hold.
    """
    merge = sqlglot.parse_one(prepared, dialect="duckdb")
    changing = [when for when in merge.args["whens"].expressions if when.args["matched"]]
    if not changing or (len(changing) == 1 and _deletes_all(changing[0])):
        return
    wanted = exp.or_(*(when.args.get("condition") or exp.true() for when in changing))
    target = merge.this.alias_or_name
    matched = (
        exp.select("count(*) AS n")
        .from_(merge.this)
        .join(merge.args["using"], on=merge.args["on"])
        .where(wanted)
        .group_by(exp.column("rowid", table=target))
    )
    most = exp.select("max(n)").from_(matched.subquery("matched")).sql(dialect="duckdb")
    if (lake.execute(most, session).column(0)[0].as_py() or 0) > 1:
        raise SqlFailure(
            "DELTA_MULTIPLE_SOURCE_ROW_MATCHING_TARGET_ROW_IN_MERGE",
            "Cannot perform Merge as multiple source rows matched and attempted to modify the same target"
            " row.",
            "21506",
        )


def _deletes_all(when: Expr) -> bool:
    return when.args.get("condition") is None and when.args["then"].name.upper() == "DELETE"


def _metrics(numbers: dict[str, int]) -> dict[str, int]:
    words = {
        "num_updated_rows": "numTargetRowsUpdated",
        "num_deleted_rows": "numTargetRowsDeleted",
        "num_inserted_rows": "numOutputRows",
    }
    return {words[key]: value for key, value in numbers.items() if key in words}
