"""Classification models for lakemon: binary and multiclass quality, probabilities, default rules."""

from lakemon_classification.config import ClassificationConfig
from lakemon_classification.model_type import Classification

__all__ = ["Classification", "ClassificationConfig"]
