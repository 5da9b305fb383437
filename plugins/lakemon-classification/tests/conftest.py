import json
from pathlib import Path

import numpy as np
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


@pytest.fixture(scope="module")
def binary():
    """Labels, scores with ties, and predictions of a middling model."""
    random = np.random.default_rng(7)
    scores = np.round(random.beta(2, 2, 600), 2)
    labels = (random.random(600) < scores).astype(int)
    return labels, scores, (scores > 0.6).astype(int)


@pytest.fixture(scope="module")
def multiclass():
    """Labels, rows of probabilities and predictions over four classes; `d` is rarely predicted."""
    random = np.random.default_rng(8)
    names = np.array(["a", "b", "c", "d"])
    shares = random.dirichlet([3, 2, 1, 0.5], 500)
    labels = names[(shares.cumsum(axis=1) > random.random((500, 1))).argmax(axis=1)]
    return labels, shares, names[shares.argmax(axis=1)], names
