"""Forecasting models for lakemon: errors by horizon and series, against the seasonal naive, revisions."""

from lakemon_forecasting.config import ForecastingConfig
from lakemon_forecasting.model_type import Forecasting

__all__ = ["Forecasting", "ForecastingConfig"]
