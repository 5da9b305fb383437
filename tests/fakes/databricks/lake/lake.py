"""The lake: runs statements of Databricks SQL on DuckDB and keeps versions, grants and properties."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import duckdb
import pyarrow as pa
from fakes.databricks.clock import Clock
from sqlglot import Expr, exp

from . import changing, commands, defining, dialect, failures
from .dialect import Parameter
from .duck_names import place_of, quoted
from .metastore import Metastore, Schema, Table
from .versions import Commit, Versions, version_number

VirtualTable = Callable[[str], pa.Table]
"""Makes the rows of a table that Databricks itself keeps; asked with the name of its catalog."""


@dataclass(frozen=True, slots=True)
class Session:
    """Who runs a statement, and which names complete a short one."""

    user: str
    catalog: str = "main"
    schema: str = "default"
    parameters: Mapping[str, Parameter] = field(default_factory=dict[str, Parameter])


class Lake:
    """All tables.

    Attributes:
        metastore: names, ids, owners and grants.
        versions: commits of the tables.
        virtual: tables of Databricks itself, by `schema.table` (any catalog) or full name.
        conflicts: see `conflict_on`.
        before_write: called with the full name before every write; what it writes is a concurrent commit.
        unsupported: statements that Databricks may know and the fake does not; the fixture fails on them.
    """

    def __init__(self, clock: Clock, owner: str) -> None:
        self.clock = clock
        self.connection = duckdb.connect()
        self.connection.execute("SET TimeZone = 'UTC'")
        self.connection.execute("SET threads = 2")
        self.metastore = Metastore(clock)
        self.versions = Versions(self.connection)
        self.virtual: dict[str, VirtualTable] = {"information_schema.tables": self._information_schema}
        self.conflicts: list[tuple[str, str]] = []
        self.before_write: Callable[[str], None] | None = None
        self.unsupported: list[str] = []
        self.owner = owner
        self.create_schema("main.default")

    def create_catalog(self, name: str, owner: str = "") -> None:
        """Creates a catalog; one that is there stays."""
        if name.lower() not in self.metastore.catalogs:
            self.metastore.add_catalog(name, owner or self.owner)
            self.connection.execute(f"ATTACH ':memory:' AS {quoted(place_of(name))}")

    def create_schema(self, name: str, owner: str = "") -> Schema:
        """Creates a schema `catalog.schema`, with its catalog; one that is there stays."""
        catalog, _, schema = name.lower().partition(".")
        self.create_catalog(catalog, owner)
        self.connection.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(place_of(catalog), schema)}")
        return self.metastore.add_schema(name, owner or self.owner)

    def sql(self, text: str, user: str = "", **parameters: str | None) -> pa.Table:
        """Runs a statement as a test would in a notebook; parameters are strings.

        Raises:
            SqlFailure: when it fails.
        """
        given = {name: Parameter(value) for name, value in parameters.items()}
        return self.run(text, Session(user or self.owner, parameters=given))

    def write(self, name: str, rows: pa.Table, *, overwrite: bool = False, **properties: str) -> Table:
        """Appends rows to a table, which is made from them (with its schema) when it is not there."""
        self.create_schema(name.rpartition(".")[0])
        key = name.lower()
        self.connection.register("incoming", rows)
        place = self.place(key)
        if key not in self.metastore.tables or overwrite:
            self.connection.execute(f"CREATE OR REPLACE TABLE {place} AS SELECT * FROM incoming LIMIT 0")
            table = self.metastore.tables.get(key) or self.metastore.add_table(key, self.owner)
            table.properties.update({"delta.enableChangeDataFeed": "true", **properties})
        else:
            table = self.metastore.tables[key]
        self.connection.execute(f"INSERT INTO {place} BY NAME SELECT * FROM incoming")
        self.connection.unregister("incoming")
        metrics = {"numOutputRows": rows.num_rows}
        self.versions.record(table, place, "WRITE", self.clock.now(), metrics=metrics)
        return table

    def rows(self, name: str) -> list[dict[str, object]]:
        """Returns all rows of a table as dicts."""
        return self.read(name).to_pylist()

    def conflict_on(self, table: str, condition: str = "DELTA_CONCURRENT_APPEND", times: int = 1) -> None:
        """Lets the next writes to a table (`*`: to any) lose against another writer."""
        self.conflicts += [(table.lower(), condition)] * times

    def run(self, text: str, session: Session) -> pa.Table:
        """Runs one statement.

        Raises:
            SqlFailure: when it fails, in the words of Databricks.
        """
        try:
            return self._run(text, session)
        except duckdb.Error as error:
            told = failures.told(error)
            self._note(told, text)
            raise told from error
        except failures.Unsupported as failure:
            self._note(failure, text)
            raise

    def _note(self, failure: failures.SqlFailure, text: str) -> None:
        if isinstance(failure, failures.Unsupported):
            self.unsupported.append(f"{failure}: {text[:2000]}")

    def _run(self, text: str, session: Session) -> pa.Table:
        command = commands.find(text)
        if command:
            return command(self, session)
        tree = dialect.with_identifiers(dialect.parse(text), session.parameters)
        if isinstance(tree, exp.Create | exp.Drop | exp.Alter):
            return defining.define(self, tree, session)
        if isinstance(tree, exp.Insert | exp.Update | exp.Delete | exp.Merge):
            return changing.change(self, tree, session)
        if isinstance(tree, exp.Query):
            return self.select(tree, session)
        raise failures.Unsupported(type(tree).__name__)

    def select(self, tree: Expr, session: Session) -> pa.Table:
        """Runs a query."""
        return self.execute(self.prepared(tree, session), session)

    def prepared(self, tree: Expr, session: Session, *, target: str = "") -> str:
        """Returns a statement as DuckDB runs it, every table that it reads checked.

        Args:
            tree: the statement.
            session: who runs it.
            target: full name of the table that it writes, which needs no SELECT.
        """

        def resolve(table: exp.Table) -> Expr:
            return self._resolved(table, session, target)

        placed = dialect.with_places(tree, resolve)
        return dialect.duck(dialect.with_functions(placed, session.parameters))

    def execute(self, duck_sql: str, session: Session) -> pa.Table:
        """Runs DuckDB SQL; BIGINTs that DuckDB widened are BIGINTs again."""
        relation = self.connection.sql(duck_sql, params=_used(duck_sql, session))
        wide = [
            name
            for name, kind in zip(relation.columns, relation.types, strict=True)
            if str(kind) == "HUGEINT"
        ]
        rows = relation.to_arrow_table()
        return rows.cast(pa.schema([f.with_type(pa.int64()) if f.name in wide else f for f in rows.schema]))

    def apply(self, duck_sql: str, session: Session) -> None:
        """Runs DuckDB SQL that has no result."""
        self.connection.execute(duck_sql, _used(duck_sql, session))

    def place(self, name: str) -> str:
        """Returns the quoted name of the DuckDB table with the rows of a table."""
        catalog, schema, table = name.lower().split(".", 2)
        return quoted(place_of(catalog), schema, table)

    def read(self, name: str) -> pa.Table:
        """Returns all rows of a table."""
        return self.connection.sql(f"SELECT * FROM {self.place(name)}").to_arrow_table()

    def columns(self, name: str) -> pa.Schema:
        """Returns the columns of a table."""
        return self.connection.sql(f"SELECT * FROM {self.place(name)} LIMIT 0").to_arrow_table().schema

    def usable(self, name: str, user: str, privilege: str) -> Table:
        """Returns a table that a user may use.

        Raises:
            SqlFailure: when it is not there, or a privilege is lacking.
        """
        self.metastore.schema(name.rpartition(".")[0])
        self.metastore.demand(user, privilege, name)
        return self.metastore.table(name)

    def _resolved(self, table: exp.Table, session: Session, target: str) -> Expr:
        if isinstance(table.this, exp.Func):
            return self._changes(table.this, session)
        name = dialect.name_of(table, session.catalog, session.schema)
        virtual = self.virtual.get(name) or self.virtual.get(name.partition(".")[2])
        if virtual:
            return self._virtual(name, virtual, session)
        found = self.usable(name, session.user, "MODIFY" if name == target else "SELECT")
        version = table.args.get("version")
        if version:
            return exp.to_table(self._travel(found, version).snapshot, dialect="duckdb")
        return exp.to_table(self.place(name), dialect="duckdb")

    def _virtual(self, name: str, make: VirtualTable, session: Session) -> Expr:
        catalog = name.partition(".")[0]
        if not name.startswith(f"{catalog}.information_schema."):
            self.metastore.schema(name.rpartition(".")[0])
            self.metastore.demand(session.user, "SELECT", name)
        self.connection.register(name, make(catalog))
        return exp.to_table(f'"{name}"', dialect="duckdb")

    def _travel(self, table: Table, version: Expr) -> Commit:
        written = version.args["expression"]
        if version.name == "VERSION":
            return self.versions.at(table, version_number(written.name))
        moment = datetime.fromisoformat(written.name)
        return self.versions.before(table, moment if moment.tzinfo else moment.replace(tzinfo=UTC))

    def _changes(self, call: exp.Func, session: Session) -> Expr:
        arguments = [
            dialect.parameter(argument.name, session.parameters).value or ""
            if isinstance(argument, exp.Placeholder)
            else argument.name
            for argument in call.expressions
        ]
        table = self.usable(arguments[0].lower().replace("`", ""), session.user, "SELECT")
        numbers = [version_number(text) for text in arguments[1:]]
        rows = self.versions.changes(table, numbers[0], numbers[1] if len(numbers) > 1 else None)
        place = f'memory.main."changes of {table.id}"'
        self.connection.execute(f"CREATE OR REPLACE TABLE {place} AS {rows}")
        return exp.to_table(place, dialect="duckdb")

    def _information_schema(self, catalog: str) -> pa.Table:
        names = [name.split(".", 2) for name in self.metastore.tables if name.startswith(f"{catalog}.")]
        columns = ("table_catalog", "table_schema", "table_name")
        kinds = ["VIEW" if self.metastore.tables[".".join(n)].is_view else "MANAGED" for n in names]
        found = {column: pa.array([n[i] for n in names], pa.string()) for i, column in enumerate(columns)}
        return pa.table({**found, "table_type": pa.array(kinds, pa.string())})


def _used(duck_sql: str, session: Session) -> dict[str, str | None] | None:
    """Returns the parameters that a statement names; None when it names none."""
    return {
        name: given.value
        for name, given in session.parameters.items()
        if re.search(rf"\${re.escape(name)}\b", duck_sql)
    } or None
