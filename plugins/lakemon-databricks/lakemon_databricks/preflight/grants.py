"""Grants of Unity Catalog: which are needed, and which of them we have."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lakemon_core.domain.errors import ModelError
from lakemon_core.domain.monitor import Monitor
from lakemon_databricks.statements import column_sql

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient
    from databricks.sdk.service.iam import User

EVERYBODY = "account users"
"""The group that all principals of an account are in."""
_ALL = "ALL_PRIVILEGES"


@dataclass(frozen=True, slots=True)
class Need:
    """What has to be granted on one securable.

    Attributes:
        kind: CATALOG, SCHEMA, TABLE or FUNCTION; a registered model is a FUNCTION to grants.
        name: full name.
        grants: as the API spells them, e.g. USE_SCHEMA.
        why: what it is needed for.
        optional: need not be there yet.
    """

    kind: str
    name: str
    grants: tuple[str, ...]
    why: str
    optional: bool = False

    def statement(self, grant: str, principal: str) -> str:
        """Returns the SQL that grants it."""
        name = ".".join(column_sql(part) for part in self.name.split("."))
        return f"GRANT {grant.replace('_', ' ')} ON {self.kind} {name} TO {column_sql(principal)}"


def needs(monitor: Monitor, state_schema: str) -> Iterator[Need]:
    """Yields what a whole run of a config needs."""
    table, monitoring = monitor.inference_table, monitor.monitoring
    yield Need("CATALOG", monitor.catalog, ("USE_CATALOG",), "everything")
    served = monitor.serving is not None
    schemas = dict.fromkeys((table.payload.schema, table.name.schema, monitoring.output_schema, state_schema))
    for schema in schemas:
        # the endpoint's own table is made by Databricks, in a schema that has to be there
        made_by_us = not (served and schema == table.payload.schema)
        grants = ("USE_SCHEMA", "CREATE_TABLE")
        yield Need("SCHEMA", f"{monitor.catalog}.{schema}", grants, "tables", optional=made_by_us)
    if monitor.model is not None and served:
        yield Need("FUNCTION", monitor.model_name, ("EXECUTE",), "deploy")
    yield Need("TABLE", str(table.name), ("SELECT", "MODIFY"), "unpack and monitor", optional=served)
    if served:
        yield Need("TABLE", str(table.payload), ("SELECT",), "validate and unpack", optional=True)
    if monitoring.baseline_table is not None:
        yield Need("TABLE", str(monitoring.baseline_table), ("SELECT",), "drift against the baseline")
    if table.labels is not None:
        yield Need("TABLE", str(table.labels.table), ("SELECT",), "labels")


@dataclass(frozen=True, slots=True)
class Principal:
    """Who we are to grants.

    Attributes:
        name: user name, or application id of a service principal.
        groups: that we are in.
    """

    name: str
    groups: frozenset[str]

    @classmethod
    def of(cls, me: User) -> Principal:
        """Reads what the workspace says of us."""
        groups = {group.display for group in me.groups or [] if group.display}
        return cls(me.user_name or me.display_name or "", frozenset({*groups, EVERYBODY}))

    def is_one_of(self, name: str | None) -> bool:
        """Whether a grant to this name is one to us."""
        return bool(name) and (name == self.name or name in self.groups)


def missing(client: WorkspaceClient, need: Need, principal: Principal) -> tuple[str, ...]:
    """Returns the needed grants that we do not have, neither directly nor through a group or a parent.

    Raises:
        NotFound: the securable is not there.
        ModelError: LM422 when we may not see its grants.
    """
    if principal.is_one_of(_owner(client, need.kind, need.name)):
        return ()
    held = set(_held(client, need, principal))
    lacking = tuple(grant for grant in need.grants if grant not in held)
    if not lacking or _ALL in held or _owns_a_parent(client, need, principal):
        return ()
    return lacking


def _owns_a_parent(client: WorkspaceClient, need: Need, principal: Principal) -> bool:
    """Whether the schema or the catalog that holds it is ours; one that we may not see is not."""
    catalog, *rest = need.name.split(".")
    parents = [("CATALOG", catalog)] if rest else []
    if len(rest) > 1:
        parents.append(("SCHEMA", f"{catalog}.{rest[0]}"))
    return any(principal.is_one_of(_seen_owner(client, kind, name)) for kind, name in parents)


def _seen_owner(client: WorkspaceClient, kind: str, name: str) -> str | None:
    try:
        return _owner(client, kind, name)
    except ModelError as error:
        if error.code != "LM422":
            raise
        return None


def _owner(client: WorkspaceClient, kind: str, name: str) -> str | None:
    match kind:
        case "CATALOG":
            return client.catalogs.get(name).owner
        case "SCHEMA":
            return client.schemas.get(name).owner
        case "FUNCTION":
            return client.registered_models.get(name).owner
        case _:
            return client.tables.get(name).owner


def _held(client: WorkspaceClient, need: Need, principal: Principal) -> Iterator[str]:
    """Yields the grants that reach us, page by page: a page may be empty and not the last."""
    token: str | None = None
    seen: set[str | None] = set()
    while token != "" and token not in seen:
        seen.add(token)
        page = client.grants.get_effective(need.kind, need.name, max_results=0, page_token=token)
        for assignment in page.privilege_assignments or []:
            if principal.is_one_of(assignment.principal):
                yield from (one.privilege.value for one in assignment.privileges or [] if one.privilege)
        token = page.next_page_token or ""
