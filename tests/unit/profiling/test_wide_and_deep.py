"""Many columns and many categories: right, and within bounded memory."""

import resource

import numpy as np
import pyarrow as pa
import pytest

from lakemon_core.domain.monitor import Roles
from lakemon_core.profiling.measure import (
    Comparison,
    GroupKey,
    drift_rows,
    measure,
    plan_columns,
    profile_rows,
)

MEBIBYTE = 1 << 20


def key(log_type="INPUT"):
    return GroupKey(None, None, "*", None, None, log_type)


def measured(rows, roles):
    return measure(rows, key(), plan_columns(rows.schema, roles))


@pytest.fixture(scope="module")
def roles():
    return Roles(timestamp="ts", model_id="model", prediction="prediction")


def test_five_thousand_columns_each_have_their_rows(roles):
    random = np.random.default_rng(3)
    numbers = random.normal(size=(5_000, 40))
    rows = pa.table([pa.array(column) for column in numbers], names=[f"x {place}" for place in range(5_000)])
    group = measured(rows, roles)
    profile = profile_rows(group, "model")
    drift = drift_rows([Comparison(group, group, "BASELINE")], "model")[0]
    assert len(profile) == len(drift) == 5_001
    assert profile[4_322]["avg"] == pytest.approx(numbers[4_321].mean(), rel=1e-9)


def test_a_hundred_thousand_categories_are_compared_one_by_one_and_the_hundred_most_frequent_are_named(roles):
    levels = pa.array([f"customer {place}" for place in range(100_000)])
    often = np.repeat(np.arange(100_000), np.where(np.arange(100_000) < 150, 20, 2))
    now = pa.table({"who": levels.take(pa.array(often))})
    then = pa.table({"who": levels.take(pa.array(often[often < 90_000]))})
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    current, reference = measured(now, roles), measured(then, roles)
    _, profile = profile_rows(current, "model")
    _, drift = drift_rows([Comparison(current, reference, "BASELINE")], "model")[0]
    assert profile["distinct_count"] == 100_000
    assert [item["count"] for item in profile["frequent_items"]] == [20] * 100
    assert drift["new_categories"] == 10_000
    assert drift["tv_distance"] == pytest.approx(20_000 / len(often), rel=1e-9)
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 < 400 * MEBIBYTE
