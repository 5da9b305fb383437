import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from lakemon_core.profiling.quality.estimates import Groups, Sums, mean_of, ratio_of, root_of, share_of

Z = stats.norm.ppf(0.975)
numbers = arrays(np.float64, st.integers(2, 40), elements=st.floats(-1e6, 1e6))


def close(value):
    return pytest.approx(value, rel=1e-9, abs=1e-9)


@given(numbers)
def test_a_mean_has_the_normal_interval_of_its_standard_error(values):
    found = mean_of(values)
    assert found.value == close(values.mean())
    half = Z * stats.sem(values)
    low = max(0.0, values.mean() - half) if values.min() >= 0 else values.mean() - half
    assert found.interval == pytest.approx((low, values.mean() + half), rel=1e-6, abs=1e-6)
    assert found.n == len(values)


@given(numbers, st.integers(1, 5))
def test_rows_given_twice_as_groups_make_no_interval_narrower(values, copies):
    once = mean_of(values)
    groups = Groups.of(np.repeat(np.arange(len(values)), copies))
    again = mean_of(np.repeat(values, copies), groups)
    assert again.value == close(once.value)
    assert again.interval == pytest.approx(once.interval, rel=1e-6, abs=1e-3)


def test_a_root_has_the_delta_interval():
    squares = np.array([1.0, 4.0, 9.0, 16.0])
    found = root_of(mean_of(squares))
    root = math.sqrt(7.5)
    assert found.value == close(root)
    half = Z * stats.sem(squares) / (2 * root)
    assert found.interval == close((root - half, root + half))
    assert root_of(mean_of(np.zeros(3))).interval == (0.0, 0.0)


def test_a_ratio_has_the_interval_of_its_residuals():
    parts, wholes = np.array([1.0, 2.0, 4.0]), np.array([2.0, 2.0, 6.0])
    found = ratio_of(parts, wholes)
    assert found.value == close(0.7)
    residuals = parts - 0.7 * wholes
    half = Z * residuals.std(ddof=1) / math.sqrt(3) / wholes.mean()
    assert found.interval == close((0.7 - half, 0.7 + half))


def test_what_cannot_be_computed_says_why():
    assert mean_of(np.zeros(0)).reason == "no row has all that it takes"
    assert ratio_of(np.ones(2), np.zeros(2), zero="nothing was sold").reason == "nothing was sold"
    assert mean_of(np.array([1e308, 1e308])).reason == "the numbers are too large for doubles"
    assert share_of(np.zeros(0, dtype=bool)).value is None


def test_one_row_or_group_has_no_interval():
    assert (mean_of(np.array([3.0])).value, mean_of(np.array([3.0])).interval) == (3.0, None)
    assert mean_of(np.array([1.0, 3.0]), Groups.of(np.zeros(2, dtype=np.int64))).interval is None


def test_complement_and_multiple_carry_their_interval():
    share = ratio_of(np.array([1.0, 2.0]), np.array([4.0, 4.0]))
    assert share.complement.value == close(1 - share.value)
    assert share.complement.interval == close((1 - share.interval[1], 1 - share.interval[0]))
    assert share.times(8).interval == close(tuple(8 * end for end in share.interval))


def test_intervals_hold_the_truth_as_often_as_they_say():
    random = np.random.default_rng(5)
    trials = 800
    caught = np.zeros(3)
    for _ in range(trials):
        label = random.gamma(4, 5, 200)
        miss = random.normal(1, 3, 200)
        found = [mean_of(miss), root_of(mean_of(miss**2)), ratio_of(miss, label)]
        for place, (one, truth) in enumerate(zip(found, (1, math.sqrt(10), 1 / 20), strict=True)):
            caught[place] += one.interval[0] <= truth <= one.interval[1]
    assert ((caught / trials > 0.92) & (caught / trials < 0.98)).all(), caught / trials


def test_groups_widen_intervals_where_rows_miss_together():
    random = np.random.default_rng(6)
    trials = 400
    caught = {"alone": 0, "grouped": 0}
    groups = Groups.of(np.repeat(np.arange(60), 10))
    for _ in range(trials):
        miss = np.repeat(random.normal(0, 1, 60), 10) + random.normal(0, 0.3, 600)
        for name, one in (("alone", mean_of(miss)), ("grouped", mean_of(miss, groups))):
            caught[name] += one.interval[0] <= 0 <= one.interval[1]
    assert caught["alone"] / trials < 0.6
    assert 0.91 < caught["grouped"] / trials < 0.98


pairs = st.lists(st.tuples(st.floats(-1e3, 1e3), st.floats(0.1, 1e3)), min_size=2, max_size=40)


@given(pairs, st.data())
def test_sums_of_blocks_add_up_to_those_of_all_rows(rows, data):
    parts, wholes = np.array(rows).T
    place = data.draw(st.integers(0, len(rows)))
    both = Sums.of(parts[:place], wholes[:place]) + Sums.of(parts[place:], wholes[place:])
    one, other = both.ratio(), ratio_of(parts, wholes)
    assert one.n == other.n
    assert one.value == pytest.approx(other.value, rel=1e-9, abs=1e-9)
    scale = abs(parts).max() / wholes.mean() + 1
    assert one.interval == pytest.approx(other.interval, rel=1e-6, abs=1e-6 * scale)
