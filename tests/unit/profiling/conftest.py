import json
import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from lakemon_core.profiling.columns import kind_of, summarize
from lakemon_core.profiling.numeric import kernel


@pytest.fixture(params=["compiled", "numpy"])
def loops(request, monkeypatch):
    """What uses it is tested with compiled loops and with NumPy in their place."""
    if request.param == "numpy":
        monkeypatch.setattr(kernel, "_chosen", lambda: (None, "as if lakemon-kernel were not there"))
    elif kernel.compiled() is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(kernel.loops())


@pytest.fixture(scope="session")
def golden():
    return json.loads(Path(__file__).with_name("golden.json").read_text())


@pytest.fixture(scope="session")
def normal_samples():
    """Vector C: reference and current, sorted."""
    random = np.random.default_rng(42)
    reference, current = random.normal(0, 1, 5000), random.normal(0.2, 1.1, 2000)
    return np.sort(reference), np.sort(current)


@pytest.fixture(scope="session")
def summary_of():
    """Summarizes Python values as a column of the given Arrow type."""

    def summary(values, arrow_type=None, *, categorical=False):
        column = pa.array(values, type=arrow_type, from_pandas=False)
        return summarize(column, kind_of(column.type, categorical=categorical))

    return summary
