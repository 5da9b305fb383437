import pytest
from lakemon_regression import Regression


@pytest.fixture(scope="session")
def regression():
    """Opens the model type with a label; keys of the config as arguments."""

    def model_type(**keys):
        return Regression(Regression.Config(**{"label_col": "label"} | keys))

    return model_type
