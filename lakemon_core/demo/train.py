"""The model of the demo: gradient boosting that says how likely a flight is late."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lakemon_core.demo.flights import CATEGORIES, FEATURES, LABEL
from lakemon_core.ports import ModelVersion, TableInfo
from lakemon_core.tracking import CHAMPION, LATEST_MODEL, MlflowTracking, ModelRegistry, point_mlflow

if TYPE_CHECKING:
    import pandas as pd
    from sklearn.pipeline import Pipeline

EXPERIMENT = "flight delays"
PARAMETERS: Mapping[str, Any] = {"max_iter": 60, "random_state": 13}
EXAMPLE_ROWS = 5


def fit(training: pd.DataFrame) -> Pipeline:
    """Trains the model on one core, so that every machine gets the same trees."""
    import numpy as np
    from sklearn.compose import make_column_transformer
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OrdinalEncoder
    from threadpoolctl import threadpool_limits

    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan)
    columns = make_column_transformer((codes, list(CATEGORIES)), remainder="passthrough")
    model = make_pipeline(columns, HistGradientBoostingClassifier(**PARAMETERS))
    with threadpool_limits(1):
        return model.fit(training[list(FEATURES)], training[LABEL].astype("int64"))


def log_and_register(
    model: Pipeline,
    holdout: pd.DataFrame,
    *,
    name: str,
    trained_on: TableInfo,
    baseline: TableInfo,
    workspace: Path,
) -> ModelVersion:
    """Logs the model with its data sets and registers it as champion.

    Args:
        model: fitted.
        holdout: rows the model has not seen, with prediction and probability.
        name: three-level name to register it under.
        trained_on: the table of the training rows, at the version that was used.
        baseline: the table of the holdout.
        workspace: folder for runs and models where no MLflow server is set.
    """
    from sklearn.metrics import log_loss, roc_auc_score

    tracking, registry = MlflowTracking(EXPERIMENT, workspace=workspace), ModelRegistry(workspace)
    label = holdout[LABEL].astype("int64")
    with tracking.run("train"):
        tracking.log_data_set(trained_on, context="training")
        tracking.log_data_set(baseline, context="baseline")
        tracking.log_parameters(PARAMETERS)
        tracking.log_metrics(
            {
                "baseline_roc_auc": float(roc_auc_score(label, holdout["proba"])),
                "baseline_log_loss": float(log_loss(label, holdout["proba"])),
            }
        )
        example = holdout[list(FEATURES)].head(EXAMPLE_ROWS)
        uri = tracking.log_model(model, example=example, predict="predict_proba")
    return registry.register(
        uri,
        name,
        aliases=(CHAMPION, LATEST_MODEL),
        tags={"lakemon.classes": json.dumps([0, 1])},
        description="Says how likely a flight from New York arrives more than 15 minutes late.",
    )


@contextmanager
def quiet_mlflow(workspace: Path) -> Generator[None]:
    """Keeps MLflow's remarks on databases and signatures out of the story.

    It is pointed at the workspace before it is imported: only then its telemetry stays off.
    """
    point_mlflow(workspace)
    import mlflow

    log = logging.getLogger(mlflow.__name__)
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(category=UserWarning, action="ignore"):
            yield
    finally:
        log.setLevel(level)


def with_predictions(flights: pd.DataFrame, probabilities: object) -> pd.DataFrame:
    """Returns the flights with `prediction` and `proba`, as the inference table holds them.

    Args:
        flights: any rows.
        probabilities: what `predict_proba` answered: one row each, one column a class.
    """
    import numpy as np

    late = np.asarray(probabilities)[:, 1]
    return flights.assign(prediction=(late > 0.5).astype("int64"), proba=late)
