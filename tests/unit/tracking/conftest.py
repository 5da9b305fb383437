"""A workspace with mlflow in it, and small models to log."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

MLFLOW_VARIABLES = ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI", "LAKEMON_MLFLOW_STORE")


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """One workspace a module: making mlflow's database takes seconds."""
    for variable in MLFLOW_VARIABLES:
        os.environ.pop(variable, None)
    yield tmp_path_factory.mktemp("näme with spaces") / ".lakemon"
    for variable in MLFLOW_VARIABLES:
        os.environ.pop(variable, None)


@pytest.fixture(scope="session")
def rows() -> pd.DataFrame:
    values = np.arange(40, dtype=float)
    return pd.DataFrame({"distance": values, "hour": values % 24})


@pytest.fixture(scope="session")
def model(rows):
    return LogisticRegression().fit(rows, rows["distance"] > 20)


@pytest.fixture(scope="session")
def frozen(tmp_path_factory, model, rows) -> Path:
    """A folder that mlflow saved the model to."""
    import mlflow
    from mlflow.models import infer_signature

    folder = tmp_path_factory.mktemp("frozen") / "model"
    mlflow.sklearn.save_model(
        model,
        folder,
        signature=infer_signature(rows, model.predict(rows)),
        input_example=rows.head(3),
        pip_requirements=["scikit-learn"],
    )
    return folder
