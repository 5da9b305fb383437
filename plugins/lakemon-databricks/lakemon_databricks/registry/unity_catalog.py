"""Registered models of Unity Catalog: the port `Registry`, through MLflow."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from lakemon_core.ports import ModelVersion
from lakemon_databricks.workspace.calls import Overdue, in_time
from lakemon_databricks.workspace.connection import Connection
from lakemon_databricks.workspace.refusals import no_answer

if TYPE_CHECKING:
    import pyarrow as pa

    from lakemon_core.tracking import MlflowStores, ModelRegistry

Answer = TypeVar("Answer")

_SECONDS = 300.0
"""Limit of one question; MLflow alone sleeps as long as a server tells it to."""


class UnityCatalog:
    """Models of one workspace.

    MLflow signs in by itself, by the same rules as we do; the environment tells it what our config says. The
    profile stands there too, for MLflow's file transfers ignore the one in its URI.

    Args:
        connection: how the workspace is reached.
        sign_in: is called first, so that wrong credentials are told in our words.
    """

    def __init__(self, connection: Connection, sign_in: Callable[[], object]) -> None:
        self._connection = connection
        self._sign_in = sign_in

    def point(self) -> None:
        """Points mlflow of this process at this workspace."""
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        os.environ.setdefault("MLFLOW_DATABRICKS_ENDPOINT_HTTP_RETRY_TIMEOUT", str(int(_SECONDS)))
        named = {
            "DATABRICKS_HOST": self._connection.host,
            "DATABRICKS_CONFIG_PROFILE": self._connection.profile,
            "DATABRICKS_AUTH_TYPE": self._connection.auth_type,
        }
        os.environ.update({name: value for name, value in named.items() if value})
        self.stores.use()

    def resolve(self, name: str, version: str) -> ModelVersion:
        """Turns a number, an alias or `latest` into a version.

        Raises:
            ModelError: LM400 refused, LM401 unknown model, LM402 unknown version or alias, LM420 to LM423 as
                for every call.
        """
        return self._asked(f"tell of model {name}", lambda: self.models.resolve(name, version))

    def input_example(self, version: ModelVersion) -> pa.Table | None:
        """Returns the example that was logged with the model, or None.

        Raises:
            ModelError: as `resolve`.
        """
        return self._asked(f"give out the files of {version.uri}", lambda: self.models.input_example(version))

    @cached_property
    def stores(self) -> MlflowStores:
        """Where mlflow reads and writes."""
        from lakemon_core.tracking import MlflowStores

        profile = f"://{self._connection.profile}" if self._connection.profile else ""
        return MlflowStores(f"databricks{profile}", f"databricks-uc{profile}")

    @cached_property
    def models(self) -> ModelRegistry:
        """Everything that can be done with models: register, aliases, promote, load."""
        from lakemon_core.tracking import ModelRegistry

        return ModelRegistry(stores=self.stores)

    def _asked(self, what: str, question: Callable[[], Answer]) -> Answer:
        self._sign_in()
        self.point()
        try:
            return in_time(_SECONDS, question)
        except Overdue as error:
            raise no_answer(self._connection.host, what, f"not within {_SECONDS:g} s") from error
