"""The model types that come with lakemon hold the contract of model types."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from lakemon_classification import Classification
from lakemon_forecasting import Forecasting
from lakemon_regression import Regression

from lakemon_core.testing import ModelTypeContract

N = 60


@pytest.fixture
def numbers():
    return np.random.default_rng(7)


class TestClassification(ModelTypeContract):
    name = "classification"

    @pytest.fixture
    def model_type(self):
        return Classification(
            Classification.Config(label_col="label", prediction_proba_col="proba", classes=("no", "yes"))
        )

    @pytest.fixture
    def rows(self, numbers):
        proba = numbers.random(N)
        label = np.where(numbers.random(N) < proba, "yes", "no")
        return pa.table({"prediction": np.where(proba > 0.5, "yes", "no"), "proba": proba, "label": label})


class TestRegression(ModelTypeContract):
    name = "regression"

    @pytest.fixture
    def model_type(self):
        return Regression(Regression.Config(label_col="label", quantile_cols={0.1: "lo", 0.9: "hi"}))

    @pytest.fixture
    def rows(self, numbers):
        prediction = numbers.normal(10, 3, N)
        label = prediction + numbers.normal(0, 1, N)
        return pa.table(
            {"prediction": prediction, "label": label, "lo": prediction - 1, "hi": prediction + 1}
        )


class TestForecasting(ModelTypeContract):
    name = "forecasting"

    @pytest.fixture
    def model_type(self):
        return Forecasting(Forecasting.Config(label_col="label", series_col="series", season_length=7))

    @pytest.fixture
    def rows(self, numbers):
        start = datetime(2026, 1, 1, tzinfo=UTC)
        prediction = numbers.normal(10, 3, N)
        days = [start + timedelta(days=number // 2) for number in range(N)]
        label = prediction + numbers.normal(0, 1, N)
        series = ["a", "b"] * (N // 2)
        return pa.table({"timestamp": days, "series": series, "prediction": prediction, "label": label})
