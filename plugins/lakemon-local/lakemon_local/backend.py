"""The local backend: a folder that holds models, tables and state, and a model server beside it."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cached_property
from importlib.metadata import entry_points
from ipaddress import ip_address
from typing import TYPE_CHECKING, ClassVar, Self
from urllib.parse import quote

from pydantic import Field, model_validator

from lakemon_core.ports import (
    WEB_APPS,
    Backend,
    Expressions,
    Ledger,
    ModelServer,
    ModelType,
    PluginConfig,
    Progress,
    Registry,
    Serving,
    TableFiles,
    Tables,
    UnpackResult,
)

if TYPE_CHECKING:
    from pathlib import Path

    from lakemon_core.domain.names import TableName
    from lakemon_core.tracking import ModelRegistry
    from lakemon_local.expressions import DuckExpressions
    from lakemon_local.ledger import SqliteLedger
    from lakemon_local.serving.local_serving import LocalServing
    from lakemon_local.serving.model_server import LocalModelServer
    from lakemon_local.tables import DeltaTables


class LocalConfig(PluginConfig):
    """The keys of `local:` in an environment.

    Attributes:
        host: where the model server listens.
        port: of the model server where `serving.port` names none; 0 takes a free one.
        token: bearer token asked for every request; may be a secret reference.
    """

    host: str = "127.0.0.1"
    port: int = Field(default=0, ge=0, le=65535)
    token: str = ""

    @model_validator(mode="after")
    def _open_to_others_only_with_a_token(self) -> Self:
        if not _is_loopback(self.host) and not self.token:
            raise ValueError(f"a server on {self.host} is open to other machines: set local.token")
        return self


class LocalBackend(Backend):
    """Everything in the workspace folder: MLflow on SQLite, Delta tables, a ledger, and the model server.

    Opening it starts nothing and writes nothing.
    """

    type: ClassVar[str] = "local"
    Config: ClassVar[type[PluginConfig]] = LocalConfig

    @property
    def tables(self) -> Tables:
        """Delta tables in `<workspace>/tables`."""
        return self._tables

    @property
    def files(self) -> TableFiles:
        """Imports and exports files."""
        from lakemon_local.files import DeltaFiles

        return DeltaFiles(self._tables)

    @property
    def registry(self) -> Registry:
        """MLflow's registry: the user's own where it is set, else `<workspace>/mlflow.db`."""
        return self._registry

    @property
    def serving(self) -> Serving:
        """Endpoints on the model server."""
        return self._serving

    @property
    def server(self) -> ModelServer:
        """The model server of the workspace."""
        return self._server

    @property
    def expressions(self) -> Expressions:
        """Runs expressions in DuckDB."""
        return self._expressions

    @property
    def ledger(self) -> Ledger:
        """`<workspace>/ledger.db`."""
        return self._ledger

    @property
    def dashboard_url(self) -> str | None:
        """The dashboard on the model server, or its own page; None while none runs."""
        client = self._server.client()
        if client is None:
            return None
        shown = "ui/" if any(entry_points(group=WEB_APPS, name="ui")) else ""
        return f"{client.server.url}/{shown}"

    def cache(self, table: TableName, version: int) -> Path | None:
        """`<workspace>/cache/<table>/<version>`, told by number, id of the table, and file of the commit."""
        mark = self._tables.mark(table, version)
        return None if mark is None else self.setup.workspace / "cache" / quote(str(table), "") / mark

    def hold(self, run_id: str) -> AbstractContextManager[None]:
        """Holds the workspace for one run.

        Raises:
            WorkspaceBusy: LM601 with pid and start of the run that holds it.
        """
        from lakemon_local.lock import hold

        return hold(self.setup.workspace / "run.lock", run_id)

    def unpack(self, model_type: ModelType, *, progress: Progress) -> UnpackResult:
        """Moves new payload rows into the inference table, each exactly once.

        Raises:
            DataError: when a table cannot be read or written.
        """
        from lakemon_local.unpack import Unpacking

        self._serving.flush()
        unpacking = Unpacking(
            monitor=self.setup.monitor,
            model_type=model_type,
            tables=self._tables,
            ledger=self._ledger,
            registry=self._registry,
            entities=self._serving.entities(),
        )
        return unpacking.run(progress)

    def close(self) -> None:
        """Closes the ledger; the model server goes on."""
        if "_expressions" in vars(self):
            self._expressions.close()
        if "_ledger" in vars(self):
            self._ledger.close()

    @cached_property
    def _config(self) -> LocalConfig:
        given = self.setup.config
        return given if isinstance(given, LocalConfig) else LocalConfig()

    @cached_property
    def _tables(self) -> DeltaTables:
        from lakemon_local.tables import DeltaTables

        return DeltaTables(self.setup.workspace / "tables")

    @cached_property
    def _registry(self) -> ModelRegistry:
        from lakemon_core.tracking import ModelRegistry

        return ModelRegistry(self.setup.workspace)

    @cached_property
    def _expressions(self) -> DuckExpressions:
        from lakemon_local.expressions import DuckExpressions

        return DuckExpressions()

    @cached_property
    def _ledger(self) -> SqliteLedger:
        from lakemon_local.ledger import SqliteLedger

        return SqliteLedger(self.setup.workspace / "ledger.db", self.setup.clock)

    @cached_property
    def _server(self) -> LocalModelServer:
        from lakemon_local.serving.model_server import LocalModelServer

        config = self._config
        token = self.setup.secrets.reveal(config.token) if config.token else ""
        source = self.setup.monitor.source
        return LocalModelServer(
            self.setup.workspace, host=config.host, port=config.port, token=token, config=source
        )

    @cached_property
    def _serving(self) -> LocalServing:
        from lakemon_local.serving.local_serving import LocalServing

        return LocalServing(
            self.setup.workspace,
            self._server,
            self._tables,
            self.setup.secrets,
            logs_payloads=self.setup.monitor.inference_table.enabled,
            prepare=self._point_mlflow,
        )

    def _point_mlflow(self) -> None:
        self._registry.point()


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
