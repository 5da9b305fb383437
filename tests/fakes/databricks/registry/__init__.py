"""Registered models of Unity Catalog and the files they are made of."""

from .mlflow_rest import MlflowRest
from .model_files import ModelFiles
from .models import Models

__all__ = ["MlflowRest", "ModelFiles", "Models"]
