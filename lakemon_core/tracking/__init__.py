"""MLflow: training data sets with their version, runs, and the model registry.

`MlflowTracking` logs what went into a model, `ModelRegistry` keeps its versions; both write to the user's own
servers where those are set, else into the workspace, and take Unity Catalog as well.
"""

from lakemon_core.tracking.mlflow_tracking import DataSetUse, MlflowTracking, RunLineage
from lakemon_core.tracking.model_registry import CHAMPION, LATEST_MODEL, ModelRegistry
from lakemon_core.tracking.stores import MlflowStores, point_mlflow
from lakemon_core.tracking.trust import demand_trust, unsafe_part

__all__ = [
    "CHAMPION",
    "LATEST_MODEL",
    "DataSetUse",
    "MlflowStores",
    "MlflowTracking",
    "ModelRegistry",
    "RunLineage",
    "demand_trust",
    "point_mlflow",
    "unsafe_part",
]
