"""Chooses the SQL warehouse that tables and state go through."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakemon_core.domain.errors import WorkspaceError

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient


def warehouse_of(client: WorkspaceClient, given: str) -> str:
    """Returns the id of the warehouse: the given one, DATABRICKS_WAREHOUSE_ID, or the only one there is.

    Raises:
        WorkspaceError: LM620 when none is named and there is not exactly one.
    """
    named = given or client.config.warehouse_id
    if named:
        return named
    # A list that changes while it is read may tell of an item on two pages.
    found = {each.id: each.name for each in client.warehouses.list() if each.id}
    if len(found) == 1:
        return next(iter(found))
    listed = ", ".join(f"{name} ({one})" for one, name in found.items()) or "none that we may see"
    raise WorkspaceError(
        "LM620",
        f"no SQL warehouse is named, and there is more or less than one: {listed};",
        where=client.config.host or "",
        cure="set `databricks.warehouse_id` or DATABRICKS_WAREHOUSE_ID.",
    )
