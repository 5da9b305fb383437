"""Statements that define: CREATE, DROP and ALTER of catalogs, schemas, tables and views."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
from sqlglot import Expr, exp

from . import dialect, failures
from .duck_names import place_of, quoted
from .failures import Unsupported

if TYPE_CHECKING:
    from .lake import Lake, Session
    from .metastore import Table

NOTHING = pa.table({})
_OF_THE_COLUMN = (exp.NotNullColumnConstraint, exp.DefaultColumnConstraint)


def define(lake: Lake, tree: Expr, session: Session) -> pa.Table:
    """Runs the statement; the result has no columns."""
    kind = str(tree.args.get("kind") or "").upper()
    if isinstance(tree, exp.Alter):
        _alter(lake, tree, session)
    elif kind in {"SCHEMA", "DATABASE"}:
        _schema(lake, tree, session)
    elif kind == "CATALOG" and isinstance(tree, exp.Create):
        lake.create_catalog(tree.this.name, session.user)
    elif kind in {"TABLE", "VIEW"} and isinstance(tree, exp.Create):
        _create(lake, tree, session, kind)
    elif kind in {"TABLE", "VIEW"} and isinstance(tree, exp.Drop):
        _drop(lake, tree, session, kind)
    else:
        raise Unsupported(f"{type(tree).__name__} {kind}")
    return NOTHING


def _schema(lake: Lake, tree: Expr, session: Session) -> None:
    target = tree.this if isinstance(tree, exp.Create) else tree.args["tables"][0]
    parts = [part.name for part in target.parts]
    name = ".".join([session.catalog, *parts][-2:]).lower()
    catalog = name.partition(".")[0]
    if catalog not in lake.metastore.catalogs:
        raise failures.no_catalog(catalog)
    there = name in lake.metastore.schemas
    if isinstance(tree, exp.Drop):
        _drop_schema(lake, name, tree, session)
        return
    if there and not tree.args.get("exists"):
        raise failures.exists("SCHEMA", name)
    if not there:
        lake.metastore.demand(session.user, "CREATE SCHEMA", catalog)
        lake.create_schema(name, session.user)


def _drop_schema(lake: Lake, name: str, tree: exp.Drop, session: Session) -> None:
    if name not in lake.metastore.schemas:
        if tree.args.get("exists"):
            return
        raise failures.no_schema(name)
    inside = [table for table in lake.metastore.tables if table.startswith(f"{name}.")]
    if inside and not tree.args.get("cascade"):
        raise failures.SqlFailure("SCHEMA_NOT_EMPTY", f"Cannot drop a schema {name} because it is not empty.")
    lake.metastore.demand(session.user, "MANAGE", name)
    for table in inside:
        del lake.metastore.tables[table]
    catalog, _, schema = name.partition(".")
    lake.connection.execute(f"DROP SCHEMA {quoted(place_of(catalog), schema)} CASCADE")
    del lake.metastore.schemas[name]


def _create(lake: Lake, tree: exp.Create, session: Session, kind: str) -> None:
    target = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
    name = dialect.name_of(target, session.catalog, session.schema)
    schema = lake.metastore.schema(name.rpartition(".")[0])
    there = name in lake.metastore.tables
    if there and tree.args.get("exists"):
        return
    if there and not tree.args.get("replace"):
        raise failures.exists("TABLE_OR_VIEW", name)
    lake.metastore.demand(session.user, "CREATE TABLE", schema.name)
    properties = _properties(tree)
    lake.apply(_plain(lake, tree, session, name), session)
    table = lake.metastore.tables.get(name) if there else None
    table = table or lake.metastore.add_table(name, session.user, is_view=kind == "VIEW")
    table.properties.update(properties)
    if kind == "TABLE":
        operation = "CREATE TABLE AS SELECT" if tree.expression else "CREATE TABLE"
        lake.versions.record(table, lake.place(name), operation, lake.clock.now())


def _plain(lake: Lake, tree: exp.Create, session: Session, name: str) -> str:
    """Returns the statement without what only Databricks knows."""
    plain = tree.copy()
    plain.set("properties", None)
    for column in plain.find_all(exp.ColumnDef):
        kept = [
            part for part in column.args.get("constraints") or [] if isinstance(part.kind, _OF_THE_COLUMN)
        ]
        column.set("constraints", kept)
    target = plain.this.this if isinstance(plain.this, exp.Schema) else plain.this
    target.replace(exp.to_table(lake.place(name), dialect="duckdb"))
    if plain.expression:
        query = lake.prepared(plain.expression.copy(), session)
        plain.set("expression", None)
        return f"{dialect.duck(plain)} AS {query}"
    return dialect.duck(plain)


def _properties(tree: Expr) -> dict[str, str]:
    return {
        found.name: found.args["value"].name
        for found in tree.find_all(exp.Property)
        if type(found) is exp.Property
    }


def _drop(lake: Lake, tree: exp.Drop, session: Session, kind: str) -> None:
    name = dialect.name_of(tree.args["tables"][0], session.catalog, session.schema)
    if name not in lake.metastore.tables:
        if tree.args.get("exists"):
            return
        raise failures.no_table(name)
    lake.metastore.demand(session.user, "MANAGE", name)
    lake.connection.execute(f"DROP {kind} {lake.place(name)}")
    del lake.metastore.tables[name]


def _alter(lake: Lake, tree: exp.Alter, session: Session) -> None:
    name = dialect.name_of(tree.this, session.catalog, session.schema)
    table = lake.usable(name, session.user, "MODIFY")
    for action in tree.args["actions"]:
        if isinstance(action, exp.AlterSet):
            table.properties.update(_properties(action))
            _record(lake, table, "SET TBLPROPERTIES")
        elif isinstance(action, exp.Schema | exp.ColumnDef):
            _add_columns(lake, table, action)
        elif isinstance(action, exp.Drop | exp.RenameColumn | exp.AlterColumn):
            place = lake.place(name)
            lake.connection.execute(f"ALTER TABLE {place} {dialect.duck(action)}")
            _record(lake, table, "CHANGE COLUMN")
        else:
            raise Unsupported(f"ALTER TABLE with {type(action).__name__}")


def _add_columns(lake: Lake, table: Table, action: Expr) -> None:
    columns = action.expressions if isinstance(action, exp.Schema) else [action]
    place = lake.place(table.name)
    there = {column.lower() for column in lake.columns(table.name).names}
    for column in columns:
        if column.name.lower() in there:
            raise failures.SqlFailure(
                "FIELD_ALREADY_EXISTS",
                f"Cannot add column, because `{column.name}` already exists in {table.name}.",
                "42710",
            )
        column.set("constraints", None)
        lake.connection.execute(f"ALTER TABLE {place} ADD COLUMN {dialect.duck(column)}")
    _record(lake, table, "ADD COLUMNS")


def _record(lake: Lake, table: Table, operation: str) -> None:
    lake.versions.record(table, lake.place(table.name), operation, lake.clock.now())
