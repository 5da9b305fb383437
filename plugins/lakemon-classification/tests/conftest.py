import json
from pathlib import Path

import pytest
from lakemon_classification import Classification


@pytest.fixture(scope="session")
def golden():
    return json.loads(Path(__file__).with_name("golden.json").read_text())


@pytest.fixture(scope="session")
def classification():
    """Opens the model type with the usual columns; keys of the config as arguments."""

    def model_type(**keys):
        columns = {"prediction_proba_col": "proba", "label_col": "label"}
        return Classification(Classification.Config(**columns | keys))

    return model_type
