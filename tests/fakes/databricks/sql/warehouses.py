"""SQL warehouses: listed, got, started and stopped."""

from __future__ import annotations

from typing import Any

from fakes.databricks.web.messages import Request, missing
from fakes.databricks.web.routing import Routes

DEFAULT_WAREHOUSE = "fake0warehouse00"


class Warehouses:
    """The warehouses of the workspace; one is there from the start.

    Attributes:
        known: warehouse id → name.
        stopped: ids that have to start first; a statement starts them.
    """

    def __init__(self) -> None:
        self.known: dict[str, str] = {DEFAULT_WAREHOUSE: "Serverless Starter Warehouse"}
        self.stopped: set[str] = set()

    def add_routes(self, routes: Routes) -> None:
        """Adds what the SDK calls."""
        root = "/api/2.0/sql/warehouses"
        routes.add("GET", root, lambda request: {"warehouses": [self._seen(key) for key in self.known]})
        routes.add("GET", f"{root}/{{id}}", lambda request: self._seen(self.found(request.params["id"])))
        routes.add("POST", f"{root}/{{id}}/start", self._start)
        routes.add("POST", f"{root}/{{id}}/stop", self._stop)

    def found(self, warehouse_id: str) -> str:
        """Returns an id that exists.

        Raises:
            Refused: 404 RESOURCE_DOES_NOT_EXIST.
        """
        if warehouse_id not in self.known:
            raise missing(f"SQL warehouse {warehouse_id} does not exist.")
        return warehouse_id

    def _seen(self, warehouse_id: str) -> dict[str, Any]:
        return {
            "id": warehouse_id,
            "name": self.known[warehouse_id],
            "cluster_size": "2X-Small",
            "enable_serverless_compute": True,
            "warehouse_type": "PRO",
            "state": "STOPPED" if warehouse_id in self.stopped else "RUNNING",
            "odbc_params": {
                "hostname": "127.0.0.1",
                "path": f"/sql/1.0/warehouses/{warehouse_id}",
                "port": 443,
            },
        }

    def _start(self, request: Request) -> dict[str, Any]:
        self.stopped.discard(self.found(request.params["id"]))
        return {}

    def _stop(self, request: Request) -> dict[str, Any]:
        self.stopped.add(self.found(request.params["id"]))
        return {}
