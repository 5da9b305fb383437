"""Regression models for lakemon: errors of numbers and of predicted quantiles, default rules."""

from lakemon_regression.model_type import Regression, RegressionConfig

__all__ = ["Regression", "RegressionConfig"]
