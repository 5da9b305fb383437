"""Which endpoints a workspace has and which version answered when: `<workspace>/endpoints.json`.

The server's process is the only writer. The file answers two questions without a server: what stands where,
and which model version a `served_entity_id` of the payload table was.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from lakemon_core.domain.codec import decode, encode
from lakemon_core.domain.errors import WorkspaceError
from lakemon_core.domain.names import TableName


@dataclass(frozen=True, slots=True)
class Entity:
    """One model version as an endpoint serves it.

    Attributes:
        id: the payload table's `served_entity_id`.
        model: registered three-level name.
        version: the number, as text.
        trust_model: may be loaded from pickle or code.
        at: since when, UTC.
        workload_size: as asked for; says nothing here.
        scale_to_zero: as asked for; says nothing here.
    """

    id: str
    model: str
    version: str
    trust_model: bool
    at: datetime
    workload_size: str = "Small"
    scale_to_zero: bool = True

    @property
    def name(self) -> str:
        """Databricks' default name, `<model>-<version>` in letters, digits, - and _."""
        return re.sub(r"[^A-Za-z0-9_-]", "_", f"{self.model.rpartition('.')[2]}-{self.version}")

    def same(self, other: Entity | None) -> bool:
        """Whether both mean the same model under the same trust."""
        return other is not None and (self.model, self.version, self.trust_model) == (
            other.model, other.version, other.trust_model,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One endpoint as it was configured last.

    Attributes:
        name: of the endpoint.
        created_at: UTC.
        payload: its payload table; None when requests are not logged.
        current: what answers.
        previous: what answered before; None at first and after a rollback.
        past: everything that ever answered, oldest first, the current one included.
        deleted: it is no more, but rows that it logged still are.
    """

    name: str
    created_at: datetime
    payload: TableName | None = None
    current: Entity | None = None
    previous: Entity | None = None
    past: tuple[Entity, ...] = ()
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class _Content:
    endpoints: tuple[Endpoint, ...] = ()


class EndpointFile:
    """The endpoints of a workspace, on disk."""

    def __init__(self, workspace: Path) -> None:
        self.path = workspace / "endpoints.json"

    def read(self) -> dict[str, Endpoint]:
        """Returns all endpoints by name, deleted ones too; none when there is no file yet.

        Raises:
            WorkspaceError: LM611 when the file cannot be read.
        """
        try:
            content = decode(_Content, self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise WorkspaceError(
                "LM611",
                f"the list of endpoints cannot be read: {error};",
                where=str(self.path),
                cure="move the file away and deploy again.",
            ) from error
        return {endpoint.name: endpoint for endpoint in content.endpoints}

    def write(self, endpoints: Mapping[str, Endpoint]) -> None:
        """Replaces the file in one step; it is on the disk when this returns."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.path.with_suffix(".tmp")
        with fresh.open("w", encoding="utf-8") as file:
            file.write(encode(_Content(tuple(endpoints.values()))))
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self.path)
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def find(self, name: str) -> Endpoint | None:
        """Returns an endpoint, or None when it is not there or deleted.

        Raises:
            WorkspaceError: LM611 when the file cannot be read.
        """
        found = self.read().get(name)
        return found if found and not found.deleted else None

    def entities(self) -> dict[str, Entity]:
        """Returns everything that ever answered, by `served_entity_id`.

        Raises:
            WorkspaceError: LM611 when the file cannot be read.
        """
        return {entity.id: entity for endpoint in self.read().values() for entity in endpoint.past}
