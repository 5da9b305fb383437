"""The dashboard in the workspace: made once, changed when it differs, published."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lakemon_core.domain.names import TableName
from lakemon_core.ports import Ledger

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient


@dataclass(frozen=True, slots=True)
class Dashboards:
    """Keeps the dashboard of one inference table.

    Attributes:
        client: of the workspace.
        ledger: remembers which dashboard is ours.
        table: the inference table.
        folder: of the workspace.
        warehouse_id: runs its queries.
    """

    client: WorkspaceClient
    ledger: Ledger
    table: TableName
    folder: str
    warehouse_id: str

    @property
    def url(self) -> str | None:
        """Where people look; None before it was published."""
        noted = self.ledger.get(self._key)
        if noted is None:
            return None
        return f"{self.client.config.host}/dashboardsv3/{json.loads(noted)['id']}/published"

    def bring_up(self, page: str) -> None:
        """Makes or changes the dashboard and publishes it; one that is as it shall be is left alone.

        Args:
            page: its JSON.
        """
        from databricks.sdk.errors import NotFound
        from databricks.sdk.service.dashboards import Dashboard

        mark = hashlib.sha256(page.encode()).hexdigest()[:12]
        noted: dict[str, str] = json.loads(self.ledger.get(self._key) or "{}")
        if noted.get("mark") == mark:
            return
        wanted = Dashboard(
            display_name=self._name,
            parent_path=self.folder,
            serialized_dashboard=page,
            warehouse_id=self.warehouse_id,
        )
        dashboard_id = noted.get("id") or self._found()
        try:
            if dashboard_id:
                self.client.lakeview.update(dashboard_id, wanted)
        except NotFound:
            dashboard_id = ""
        dashboard_id = dashboard_id or self._made(wanted)
        self.client.lakeview.publish(dashboard_id, warehouse_id=self.warehouse_id)
        self.ledger.put(self._key, json.dumps({"id": dashboard_id, "mark": mark}))

    def _made(self, wanted: object) -> str:
        from databricks.sdk.errors import NotFound, ResourceConflict
        from databricks.sdk.service.dashboards import Dashboard

        assert isinstance(wanted, Dashboard)
        try:
            return self.client.lakeview.create(wanted).dashboard_id or self._found()
        except NotFound:
            self.client.workspace.mkdirs(self.folder)
            return self.client.lakeview.create(wanted).dashboard_id or self._found()
        except ResourceConflict:
            # The answer to our own first try was lost: names are taken once in a folder.
            return self._found()

    def _found(self) -> str:
        """Returns the dashboard of our name that is there already; empty when there is none."""
        ours = (one for one in self.client.lakeview.list() if one.display_name == self._name)
        return next((one.dashboard_id or "" for one in ours), "")

    @property
    def _name(self) -> str:
        return f"lakemon {self.table}"

    @property
    def _key(self) -> str:
        return f"dashboard:{self.table}"
