"""An engine and one row of every kind of value."""

from datetime import UTC, datetime

import pyarrow as pa
import pytest
from lakemon_local.expressions import DuckExpressions

from lakemon_core.expressions import Shape, translate


@pytest.fixture(scope="session")
def engine():
    made = DuckExpressions()
    yield made
    made.close()


@pytest.fixture(scope="session")
def value_of(engine):
    """Computes an expression in Databricks SQL without columns."""

    def compute(text):
        sql = translate(text).sql
        return engine.evaluate(pa.table({"one": [1]}), {"value": sql}).column("value").to_pylist()[0]

    return compute


@pytest.fixture(scope="session")
def total_of(engine):
    """Computes an aggregate in Databricks SQL over four rows, one of them null, one NaN."""
    rows = pa.table(
        {
            "x": pa.array([1.0, 2.0, 4.0, None]),
            "n": pa.array([1.0, float("nan"), 3.0, None]),
            "k": pa.array([1, 1, 2, None]),
            "b": pa.array([True, False, True, None]),
            "s": pa.array(["b", "a", "a", None]),
            "t": pa.array([datetime(2024, 2, 29, tzinfo=UTC)] * 4),
        }
    )

    def compute(text):
        return engine.aggregate(rows, {"value": translate(text, shape=Shape.TABLE).sql})["value"]

    return compute
