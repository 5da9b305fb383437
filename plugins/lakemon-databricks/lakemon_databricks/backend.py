"""The Databricks backend: endpoints, Unity Catalog, data profiling, and state in Delta tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

from lakemon_core.domain.errors import ModelError
from lakemon_core.domain.monitor import ServingSpec
from lakemon_core.domain.names import TableName
from lakemon_core.ports import (
    Backend,
    BackendCheck,
    LakeProfiles,
    Ledger,
    ModelType,
    PayloadHealth,
    PluginConfig,
    Progress,
    Registry,
    Serving,
    Tables,
    UnpackResult,
)
from lakemon_databricks.config import DatabricksConfig
from lakemon_databricks.workspace.connection import Connection

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient

    from lakemon_databricks.dashboards import Dashboards
    from lakemon_databricks.ledger import LakeLedger
    from lakemon_databricks.profiling import LakeProfiling
    from lakemon_databricks.registry import UnityCatalog
    from lakemon_databricks.serving import DatabricksServing
    from lakemon_databricks.statements import Statements
    from lakemon_databricks.tables import LakeTables


class DatabricksBackend(Backend):
    """One workspace. Opening it signs in nowhere; each room is opened when it is asked for."""

    type: ClassVar[str] = "databricks"
    Config: ClassVar[type[PluginConfig]] = DatabricksConfig
    is_lake: ClassVar[bool] = True

    @property
    def tables(self) -> Tables:
        """Delta tables of Unity Catalog, over SQL statements."""
        return self._tables

    @property
    def ledger(self) -> Ledger:
        """One Delta table in `state_schema` for each inference table."""
        return self._ledger

    @property
    def registry(self) -> Registry:
        """Models of Unity Catalog."""
        return self._registry

    @property
    def serving(self) -> Serving:
        """Model serving endpoints."""
        return self._serving

    @property
    def log_wait_seconds(self) -> float:
        """How long a test request may take to appear in its payload table before it counts as pending."""
        return self.config.log_wait_seconds

    @property
    def log_limit_seconds(self) -> float:
        """How long a test request may be missing before logging counts as broken."""
        return max(self.config.log_limit_seconds, self.config.log_wait_seconds)

    def payload_health(self, payload: TableName) -> PayloadHealth | None:
        """Counts what was logged in the last two days; None while the payload table is not there."""
        return self._serving.health(payload)

    def foretell(self, spec: ServingSpec, payload: TableName) -> Sequence[str]:
        """Returns what a deployment would meet beside the version, a sentence each."""
        return self._serving.foretell(spec, payload)

    def preflight(self) -> Iterable[BackendCheck]:
        """Looks whether credentials, warehouse, grants and endpoint are as a run needs them."""
        from lakemon_databricks.preflight import Preflight

        return Preflight(self).checks()

    def secret(self, scope: str, key: str) -> str | None:
        """Returns a secret of the workspace; None where there is none of that name.

        Raises:
            ModelError: LM422 when we may not read the scope.
        """
        from lakemon_databricks.workspace.secrets import secret_of

        return secret_of(self.client, scope, key)

    @property
    def profiles(self) -> LakeProfiles:
        """Databricks' data profiling of the inference table."""
        return self._profiles

    @property
    def dashboard_url(self) -> str | None:
        """Our dashboard in the workspace; None before the first refresh has published it."""
        return self._dashboards.url

    def hold(self, run_id: str) -> AbstractContextManager[None]:
        """Holds the state of this environment for one run.

        Raises:
            WorkspaceBusy: LM601 with the run that holds it.
        """
        from lakemon_databricks.ledger import hold

        return hold(self._ledger.entries, run_id, self.setup.clock)

    def unpack(self, model_type: ModelType, *, progress: Progress) -> UnpackResult:
        """Moves new payload rows into the inference table, each exactly once."""
        from lakemon_databricks.unpack import Unpacking

        place = (self.statements, self._tables, self._ledger, self._registry)
        return Unpacking(*place, self.setup.monitor, model_type).run(progress)

    def close(self) -> None:
        """Nothing is held: clients end with the process."""

    @property
    def config(self) -> DatabricksConfig:
        """The settings of this backend."""
        given = self.setup.config
        return given if isinstance(given, DatabricksConfig) else DatabricksConfig()

    @property
    def client(self) -> WorkspaceClient:
        """The workspace, signed in.

        Raises:
            ModelError: LM420 to LM423 when that is not possible; it is tried once.
        """
        if isinstance(self._signed_in, ModelError):
            raise self._signed_in
        return self._signed_in

    @property
    def statements(self) -> Statements:
        """Runs SQL on the warehouse."""
        return self._statements

    @cached_property
    def _statements(self) -> Statements:
        from lakemon_databricks.statements import Statements
        from lakemon_databricks.workspace.warehouses import warehouse_of

        warehouse = warehouse_of(self.client, self.config.warehouse_id)
        return Statements(self.client, warehouse, self.config.statement_seconds)

    @cached_property
    def _signed_in(self) -> WorkspaceClient | ModelError:
        from lakemon_databricks.workspace import connect

        try:
            return connect(self._connection)
        except ModelError as error:
            return error

    @cached_property
    def _connection(self) -> Connection:
        config = self.config
        return Connection(config.host, config.profile, config.auth_type, config.call_seconds)

    @cached_property
    def _tables(self) -> LakeTables:
        from lakemon_databricks.tables import LakeTables

        return LakeTables(self.statements, self.setup.monitor.catalog)

    @cached_property
    def _ledger(self) -> LakeLedger:
        from lakemon_databricks.ledger import LakeLedger

        name = self.setup.monitor.inference_table.name
        beside = name.sibling(schema=self.config.state_schema, table=f"{name.schema}_{name.table}_ledger")
        return LakeLedger(self.statements, beside)

    @cached_property
    def _profiles(self) -> LakeProfiling:
        from lakemon_databricks.profiling import LakeProfiling
        from lakemon_databricks.profiling.definition import ProfilingSettings

        config, monitor = self.config, self.setup.monitor
        settings = ProfilingSettings(
            api=config.profiling_api,
            schema=f"{monitor.catalog}.{config.state_schema}",
            assets_dir=f"{config.assets_dir}/{monitor.inference_table.name}",
            emails=config.failure_emails,
            seconds=config.refresh_seconds,
        )
        return LakeProfiling(
            client=self.client,
            statements=self.statements,
            tables=self._tables,
            ledger=self._ledger,
            monitor=monitor,
            settings=settings,
            dashboards=self._dashboards,
        )

    @cached_property
    def _dashboards(self) -> Dashboards:
        from lakemon_databricks.dashboards import Dashboards

        place = (self.setup.monitor.inference_table.name, self.config.assets_dir)
        return Dashboards(self.client, self._ledger, *place, self.statements.warehouse_id)

    @cached_property
    def _registry(self) -> UnityCatalog:
        from lakemon_databricks.registry import UnityCatalog

        return UnityCatalog(self._connection, lambda: self.client)

    @cached_property
    def _serving(self) -> DatabricksServing:
        from lakemon_databricks.serving import DatabricksServing

        return DatabricksServing(self)
