from datetime import UTC, datetime, timedelta

import pytest
from lakemon_forecasting import Forecasting

FIRST = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="session")
def day():
    """Returns the moment that many days after the first."""
    return lambda number: FIRST + timedelta(days=number)


@pytest.fixture(scope="session")
def forecasting():
    """Opens the model type with the usual columns; keys of the config as arguments."""

    def model_type(**keys):
        columns = {"label_col": "y", "series_col": "series", "horizon_col": "h", "issued_at_col": "issued"}
        return Forecasting(Forecasting.Config(**columns | keys))

    return model_type
