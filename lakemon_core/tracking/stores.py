"""Where mlflow reads and writes: the user's servers where they are set, else files in the workspace."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

_TRACKING = "MLFLOW_TRACKING_URI"
_REGISTRY = "MLFLOW_REGISTRY_URI"
_ARTIFACTS = "_MLFLOW_SERVER_ARTIFACT_ROOT"
"""MLflow's own variable for the folder of new experiments: docs/decisions/0040 says why."""
_PLACED = "LAKEMON_MLFLOW_STORE"
"""Holds the addresses this module placed, a line each: later calls do not take them for the user's."""


@dataclass(frozen=True, slots=True)
class MlflowStores:
    """The addresses that mlflow uses in this process.

    Attributes:
        tracking_uri: of runs, data sets and logged models.
        registry_uri: of registered models.
        artifacts: folder for files of new experiments; empty where a server decides.
    """

    tracking_uri: str
    registry_uri: str
    artifacts: str = ""

    @property
    def unity_catalog(self) -> bool:
        """Whether registered models live in Unity Catalog."""
        return self.registry_uri.split(":")[0] in {"databricks-uc", "uc"}

    def use(self) -> None:
        """Points mlflow here, in this process and in those it starts; does not import it."""
        placed = _placed()
        for variable, address in ((_TRACKING, self.tracking_uri), (_REGISTRY, self.registry_uri)):
            if os.environ.get(variable) != address:  # what is there already may be the user's
                os.environ[variable] = address
                placed.append(address)
        os.environ[_PLACED] = "\n".join(dict.fromkeys(placed))
        if self.artifacts:
            os.environ[_ARTIFACTS] = self.artifacts
        if "mlflow" in sys.modules:
            import mlflow

            mlflow.set_tracking_uri(self.tracking_uri)
            mlflow.set_registry_uri(self.registry_uri)


def point_mlflow(workspace: Path) -> MlflowStores:
    """Points mlflow at the user's servers where they are set, else at the workspace.

    The user's are `MLFLOW_TRACKING_URI` and `MLFLOW_REGISTRY_URI`, or what `mlflow.set_tracking_uri` was
    called with; the workspace's are `<workspace>/mlflow.db` and `<workspace>/artifacts`.

    A plain `mlflow.sklearn.log_model(..., registered_model_name=...)` in this process or in one it starts
    then lands where lakemon looks. Telemetry of mlflow is switched off.
    """
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    workspace = workspace.absolute()
    ours = f"sqlite:///{workspace / 'mlflow.db'}"
    tracking = _users(_TRACKING) or ours
    registry = _users(_REGISTRY) or _registry_beside(tracking)
    if ours in {tracking, registry}:
        workspace.mkdir(parents=True, exist_ok=True)
    stores = MlflowStores(tracking, registry, str(workspace / "artifacts") if tracking == ours else "")
    stores.use()
    return stores


def _users(variable: str) -> str:
    """Returns what the user set; what lakemon placed for this or another workspace is not theirs."""
    value = os.environ.get(variable, "")
    return "" if value in _placed() else value


def _placed() -> list[str]:
    return os.environ.get(_PLACED, "").splitlines()


def _registry_beside(tracking: str) -> str:
    """Returns the registry that mlflow itself would take for a tracking address."""
    scheme, separator, profile = tracking.partition("://")
    return f"databricks-uc{separator}{profile}" if scheme == "databricks" else tracking
