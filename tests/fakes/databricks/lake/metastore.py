"""Unity Catalog's memory: catalogs, schemas, tables with their ids, owners and grants."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Set
from dataclasses import dataclass, field

from fakes.databricks.clock import Clock

from . import failures

EVERYTHING = "ALL PRIVILEGES"
_NEEDED_TO_SEE = ("USE CATALOG", "USE SCHEMA")


@dataclass(slots=True)
class Securable:
    """What has an owner and grants.

    Attributes:
        name: full name, parts joined by dots.
        owner: holds every privilege.
        id: UUID; a re-created one gets a new id.
        created_ms: when, in milliseconds.
        grants: principal → privileges.
    """

    name: str
    owner: str
    id: str
    created_ms: int
    grants: dict[str, set[str]] = field(default_factory=dict[str, set[str]])

    @property
    def short_name(self) -> str:
        """The last part."""
        return self.name.rpartition(".")[2]

    def holds(self, names: Set[str], privilege: str) -> bool:
        """Returns whether one of the names of a principal holds a privilege here, not looking further up."""
        given = {privilege for name in names for privilege in self.grants.get(name, ())}
        return self.owner in names or privilege in given or EVERYTHING in given


@dataclass(slots=True)
class Catalog(Securable):
    """A catalog."""


@dataclass(slots=True)
class Schema(Securable):
    """A schema."""


@dataclass(slots=True)
class Table(Securable):
    """A table or view.

    Attributes:
        is_view: no versions are kept of it.
        properties: table properties.
        comment: as given.
    """

    is_view: bool = False
    properties: dict[str, str] = field(default_factory=dict[str, str])
    comment: str = ""


class Metastore:
    """All securables, by full name in lower case.

    Attributes:
        groups: group → its members; everybody is in `account users`.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.catalogs: dict[str, Catalog] = {}
        self.schemas: dict[str, Schema] = {}
        self.tables: dict[str, Table] = {}
        self.groups: dict[str, set[str]] = {}

    def add_catalog(self, name: str, owner: str) -> Catalog:
        """Adds a catalog; its name must be free."""
        catalog = Catalog(name.lower(), owner, str(uuid.uuid4()), self._clock.now_ms())
        return self.catalogs.setdefault(catalog.name, catalog)

    def add_schema(self, name: str, owner: str) -> Schema:
        """Adds a schema (`catalog.schema`); its name must be free."""
        schema = Schema(name.lower(), owner, str(uuid.uuid4()), self._clock.now_ms())
        return self.schemas.setdefault(schema.name, schema)

    def add_table(self, name: str, owner: str, *, is_view: bool = False) -> Table:
        """Adds a table or view, in place of one of that name."""
        table = Table(name.lower(), owner, str(uuid.uuid4()), self._clock.now_ms(), is_view=is_view)
        self.tables[table.name] = table
        return table

    def schema(self, name: str) -> Schema:
        """Returns a schema.

        Raises:
            SqlFailure: when the catalog or the schema does not exist.
        """
        catalog = name.lower().partition(".")[0]
        if catalog not in self.catalogs:
            raise failures.no_catalog(catalog)
        if name.lower() not in self.schemas:
            raise failures.no_schema(name)
        return self.schemas[name.lower()]

    def table(self, name: str) -> Table:
        """Returns a table.

        Raises:
            SqlFailure: when its catalog, schema or the table itself does not exist.
        """
        self.schema(name.rpartition(".")[0])
        if name.lower() not in self.tables:
            raise failures.no_table(name)
        return self.tables[name.lower()]

    def by_id(self, securable_id: str) -> Securable | None:
        """Returns the table or schema of an id; None when there is none (any more)."""
        everything = (*self.tables.values(), *self.schemas.values())
        return next((found for found in everything if found.id == securable_id), None)

    def find(self, name: str) -> Securable | None:
        """Returns the catalog, schema or table of a full name."""
        key = name.lower()
        return self.catalogs.get(key) or self.schemas.get(key) or self.tables.get(key)

    def upwards(self, name: str) -> Iterator[Securable]:
        """Yields what a name means and all that holds it: table, schema, catalog."""
        key = name.lower()
        while key:
            found = self.find(key)
            if found:
                yield found
            key = key.rpartition(".")[0]

    def grant(self, securable: str, principal: str, *privileges: str) -> None:
        """Grants privileges on a catalog, schema or table that is there."""
        found = next(self.upwards(securable))
        found.grants.setdefault(principal, set()).update(privileges)

    def revoke(self, securable: str, principal: str, *privileges: str) -> None:
        """Takes privileges back."""
        found = next(self.upwards(securable))
        found.grants.setdefault(principal, set()).difference_update(privileges)

    def holds(self, principal: str, privilege: str, name: str) -> bool:
        """Returns whether a principal holds a privilege on a name, by itself or from further up."""
        names = {principal, *self.groups_of(principal)}
        return any(securable.holds(names, privilege) for securable in self.upwards(name))

    def groups_of(self, principal: str) -> list[str]:
        """Returns the groups of a principal."""
        return ["account users", *(name for name, members in self.groups.items() if principal in members)]

    def demand(self, principal: str, privilege: str, name: str) -> None:
        """Checks a privilege together with USE CATALOG and USE SCHEMA on the way to it.

        Raises:
            SqlFailure: INSUFFICIENT_PERMISSIONS for the first that is lacking, from the catalog down.
        """
        parts = name.split(".")
        for depth, use in enumerate(_NEEDED_TO_SEE, start=1):
            holder = ".".join(parts[:depth])
            if len(parts) > depth and not self.holds(principal, use, holder):
                raise failures.insufficient(use, f"{'Catalog' if depth == 1 else 'Schema'} '{holder}'")
        kind = ("Catalog", "Schema", "Table")[min(len(parts), 3) - 1]
        if not self.holds(principal, privilege, name):
            raise failures.insufficient(privilege, f"{kind} '{name}'")
