"""Which version answered: the payload table knows only an opaque id."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from lakemon_core.ports import Ledger
from lakemon_databricks.serving.history import read, version_at
from lakemon_databricks.statements import StatementFailed, Statements

_UNREADABLE = {"INSUFFICIENT_PERMISSIONS", "PERMISSION_DENIED", "TABLE_OR_VIEW_NOT_FOUND", "SCHEMA_NOT_FOUND",
               "NO_SUCH_CATALOG_EXCEPTION"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Answering:
    """A served entity: its id in the payload table, and model and version where they are known."""

    entity_id: str | None
    model: str
    version: str


@dataclass(frozen=True, slots=True)
class Versions:
    """Finds versions by the system table where it is granted, else by the deployments that lakemon made."""

    statements: Statements
    ledger: Ledger
    endpoint: str

    def of(self, model: str, first_seen: Mapping[str | None, datetime]) -> list[Answering]:
        """Returns who answered.

        Args:
            model: three-level name that is deployed by the config.
            first_seen: id → time of its first request.
        """
        known = self._told_by_the_system(first_seen)
        deployments = read(self.ledger, self.endpoint)
        found: list[Answering] = []
        for entity_id, moment in sorted(first_seen.items(), key=lambda one: one[1]):
            if entity_id in known:
                found.append(Answering(entity_id, *known[entity_id]))
            else:
                found.append(Answering(entity_id, model, version_at(deployments, moment)))
        return found

    def _told_by_the_system(self, wanted: Mapping[str | None, datetime]) -> dict[str | None, tuple[str, str]]:
        """Returns model and version by id; nothing where the table is not granted."""
        names = {f"e{at}": one for at, one in enumerate(wanted) if one}
        if not names:
            return {}
        ids = ", ".join(f":{name}" for name in names)
        source = "system.serving.served_entities"
        sql = f"SELECT DISTINCT served_entity_id, entity_name, entity_version FROM {source}"  # noqa: S608 - written here
        try:
            rows = self.statements.read(f"{sql} WHERE served_entity_id IN ({ids})", names).to_pylist()
        except StatementFailed as failed:
            if failed.error_class in _UNREADABLE:
                return {}
            raise
        return {row["served_entity_id"]: (row["entity_name"], str(row["entity_version"])) for row in rows}
