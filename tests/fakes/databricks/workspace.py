"""The fake workspace: all its parts behind one address."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from .around.alerts import Alerts
from .around.dashboards import Dashboards
from .around.identity import OWNER, Identity
from .around.jobs import Jobs
from .around.permissions import Permissions
from .around.secrets import Secrets
from .clock import Clock
from .lake import Lake
from .profiling import Monitors
from .profiling.data_quality import DataQuality
from .profiling.quality_monitors import QualityMonitors
from .registry import MlflowRest, ModelFiles, Models
from .serving import Payloads, Serving
from .sql import Statements, Warehouses
from .sql.warehouses import DEFAULT_WAREHOUSE
from .unity import CatalogDoors, GrantDoors, RegisteredModelDoors
from .web.faults import Fault, Faults
from .web.journal import Call, Journal
from .web.messages import Answer, Refused, Request
from .web.routing import Routes, UnknownCall
from .web.server import Server

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient


class FakeWorkspace:
    """A Databricks workspace on the loopback that the real SDK talks to.

    Attributes:
        clock: the time of the workspace.
        faults: what goes wrong, by script.
        journal: all calls; `journal.unknown` those that nothing answers.
        identity: users, tokens, service principals.
        lake: catalogs, schemas, tables, grants; `lake.sql("...")` runs SQL at once.
        warehouses: SQL warehouses.
        statements: the Statement Execution API.
        models: registered models; `models.add("c.s.m", predict)`.
        serving: endpoints.
        payloads: invocations and their way into the payload tables.
        monitors: data profiling; `monitors.measure` makes the numbers of a refresh.
        secrets: secret scopes; `secrets.put("scope", "key", "value")`.
        permissions: access control lists of endpoints, jobs, warehouses, dashboards.
        dashboards: Lakeview dashboards and folders of the workspace.
        alerts: alerts v2 and notification destinations.
        jobs: jobs and their runs.
        warehouse_id: a warehouse that is there.
        user: who owns the workspace.
    """

    def __init__(self) -> None:
        self.clock = Clock()
        self.faults = Faults()
        self.journal = Journal()
        self.lake = Lake(self.clock, OWNER)
        self.identity = Identity(self.clock, self.lake.metastore.groups_of)
        self.warehouses = Warehouses()
        self.statements = Statements(self.lake, self.clock, self.warehouses)
        self.warehouse_id = DEFAULT_WAREHOUSE
        self.user = OWNER
        self._lock = threading.RLock()
        self._routes = Routes()
        self._folder = TemporaryDirectory(prefix="fake-databricks-")
        self._server = Server(self._answer)
        self.models = Models(self.lake, self.clock, Path(self._folder.name))
        self.permissions = Permissions(self.lake.metastore.groups_of)
        self.serving = Serving(self.lake, self.clock, self.models, self.permissions, lambda: self.host)
        self.payloads = Payloads(self.lake, self.clock, self.models, self.serving)
        self.monitors = Monitors(self.lake, self.clock)
        self.secrets = Secrets(self.clock)
        self.dashboards = Dashboards(self.clock, self.warehouses)
        self.alerts = Alerts(self.clock, self.warehouses, OWNER)
        self.jobs = Jobs(self.clock)
        self._settle: list[Callable[[], None]] = [
            self.serving.settle,
            self.payloads.settle,
            self.statements.settle,
            self.monitors.settle,
        ]
        self._add_routes()
        self._know_owners()

    def _know_owners(self) -> None:
        """Tells the access control lists what there is and whose it is."""
        know = self.permissions.know
        know("serving-endpoints", lambda: {e.id: e.creator for e in self.serving.endpoints.values()})
        know("jobs", lambda: {str(key): owner for key, owner in self.jobs.owners.items()})
        know("warehouses", lambda: dict.fromkeys(self.warehouses.known, OWNER))
        know("dashboards", lambda: dict.fromkeys(self.dashboards.known, OWNER))

    def _add_routes(self) -> None:
        self.identity.add_routes(self._routes)
        self.warehouses.add_routes(self._routes)
        self.statements.add_routes(self._routes, lambda: self.host)
        self.serving.add_routes(self._routes)
        self.payloads.add_routes(self._routes)
        MlflowRest(self.lake, self.clock, self.models).add_routes(self._routes)
        ModelFiles(self.models, lambda: self.host).add_routes(self._routes)
        for part in (self.secrets, self.permissions, self.dashboards, self.alerts, self.jobs):
            part.add_routes(self._routes)
        RegisteredModelDoors(self.models).add_routes(self._routes)
        CatalogDoors(self.lake).add_routes(self._routes)
        GrantDoors(self.lake.metastore, self.models).add_routes(self._routes)
        DataQuality(self.monitors, self.lake.metastore).add_routes(self._routes)
        QualityMonitors(self.monitors, self.lake).add_routes(self._routes)

    @property
    def host(self) -> str:
        """The address, `http://127.0.0.1:PORT`."""
        return self._server.host

    @property
    def token(self) -> str:
        """The personal token of the owner."""
        return self.identity.token

    def client(self, token: str = "", **config: Any) -> WorkspaceClient:
        """Returns a real `WorkspaceClient`; more arguments go into its `Config`."""
        from databricks.sdk import WorkspaceClient
        from databricks.sdk.core import Config

        given: dict[str, Any] = {"auth_type": "pat", "retry_timeout_seconds": 20, **config}
        return WorkspaceClient(config=Config(host=self.host, token=token or self.token, **given))

    def stop(self) -> None:
        """Stops the server and forgets all tables."""
        self._server.stop()
        with self._lock:
            self.lake.connection.close()
        self._folder.cleanup()

    def check(self) -> None:
        """Fails when something was asked that the fake does not do.

        Raises:
            AssertionError: naming every such call and statement.
        """
        unknown = [str(call) for call in self.journal.unknown] + self.lake.unsupported
        assert not unknown, "the fake workspace does not know:\n" + "\n".join(unknown)

    def _answer(self, request: Request) -> tuple[Answer, Fault | None]:
        """The desk: scripted fault, credentials, route, work."""
        with self._lock:
            self.clock.called()
            fault = self.faults.strike(request)
            answer = self._struck(request, fault) if fault else self._work(request)
            status = 0 if fault and fault.hangs_up else answer.status
            self.journal.calls.append(Call(request, status, fault.name if fault else ""))
            return answer, fault

    def _struck(self, request: Request, fault: Fault) -> Answer:
        """Returns what is left of the answer after a fault."""
        if not fault.works:
            return fault.answer or Answer()
        done = self._work(request)
        return fault.answer or (fault.changes(done) if fault.changes else done)

    def _work(self, request: Request) -> Answer:
        try:
            for settle in self._settle:
                settle()
            found, handler, is_open = self._routes.find(request)
            user = "" if is_open else self.identity.user_of(request)
            answer = handler(replace(found, user=user))
        except UnknownCall as refused:
            self.journal.unknown.append(Call(request, refused.status))
            return refused.answer()
        except Refused as refused:
            return refused.answer()
        except Exception as error:  # noqa: BLE001 - a bug of the fake: told to the client and to the test
            self.journal.unknown.append(Call(request, 500, f"bug of the fake: {error!r}"))
            return Refused(500, "INTERNAL_ERROR", f"bug of the fake: {error!r}").answer()
        return answer if isinstance(answer, Answer) else Answer.of(answer)
