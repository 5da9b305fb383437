"""The compiled loops: their numbers against SciPy, what they refuse, and life without them."""

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import entry_points
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

if os.environ.get("CI"):
    import lakemon_kernel
else:
    lakemon_kernel = pytest.importorskip("lakemon_kernel", exc_type=ImportError)  # no compiler, no loops

NUMBERS = st.floats(-1e9, 1e9, allow_subnormal=False) | st.integers(-5, 5).map(float)


def samples(least=1, most=80):
    sizes = st.integers(least, most)
    return sizes.flatmap(lambda n: arrays(np.float64, n, elements=NUMBERS)).map(np.sort)


def cut(values, bits):
    edges, integrals = np.empty((1 << bits) + 1), np.empty(1 << bits)
    return edges, integrals, lakemon_kernel.blocks(values, edges, integrals)


def distinct(values):
    found, counts = np.unique(values, return_counts=True)
    return found, np.concatenate([[0], np.cumsum(counts)])


def wasserstein(x, y, bits, *, summed=False):
    (x_edges, of_x, _), (y_edges, of_y, (y_centre, *_)) = cut(x, bits), cut(y, bits)
    sums = None
    if summed:
        totals = np.concatenate([[0.0], np.cumsum(y - y_centre)])
        sums = totals - totals[len(y) // 2]
    return lakemon_kernel.wasserstein(x, (of_x, x_edges), y, (of_y, y_edges), sums)


def merged(one, other):
    both = np.empty(len(one) + len(other))
    lakemon_kernel.merge(one, other, both)
    return both.tolist()


def test_it_stands_at_the_door_of_kernels():
    (entry,) = entry_points(group="lakemon.kernels")
    assert (entry.name, entry.load()) == ("compiled", lakemon_kernel)


@given(samples(), samples())
def test_the_ks_statistic_is_scipys(x, y):
    oracle = stats.ks_2samp(x, y, method="asymp").statistic
    assert lakemon_kernel.ks_statistic(*distinct(x), *distinct(y)) == pytest.approx(oracle, rel=1e-9)


@given(samples(), samples())
def test_without_ties_no_ranks_are_needed(x, y):
    x, y = np.unique(x), np.unique(y)
    with_ranks = lakemon_kernel.ks_statistic(*distinct(x), *distinct(y))
    assert lakemon_kernel.ks_statistic(x, None, y, None) == with_ranks


def test_infinite_values_have_their_ranks():
    x, y = np.array([-np.inf, 0.0, np.inf]), np.array([0.0, 1.0])
    oracle = stats.ks_2samp(x, y, method="asymp").statistic
    assert lakemon_kernel.ks_statistic(x, None, y, None) == pytest.approx(oracle)


@given(samples(8), samples(8), st.integers(0, 3), st.booleans())
def test_the_wasserstein_distance_is_scipys(x, y, bits, summed):
    oracle = stats.wasserstein_distance(x, y)
    size = max(1.0, np.abs(x).max(), np.abs(y).max())
    assert wasserstein(x, y, bits, summed=summed) == pytest.approx(oracle, rel=1e-9, abs=1e-12 * size)


@pytest.mark.parametrize("summed", [False, True])
def test_a_much_longer_sample_is_met_step_by_step(summed):
    random = np.random.default_rng(3)
    x, y = np.sort(random.lognormal(0, 2, 700)), np.sort(random.lognormal(0.1, 2, 90_000))
    oracle = stats.wasserstein_distance(x, y)
    assert wasserstein(x, y, 6, summed=summed) == pytest.approx(oracle, rel=1e-9)


@given(samples(), samples())
def test_steps_give_the_wasserstein_distance_of_scipy(x, y):
    found = lakemon_kernel.wasserstein_of_steps(*distinct(x), *distinct(y))
    size = max(1.0, np.abs(x).max(), np.abs(y).max())
    assert found == pytest.approx(stats.wasserstein_distance(x, y), rel=1e-9, abs=1e-12 * size)
    x, y = np.unique(x), np.unique(y)
    with_ranks = lakemon_kernel.wasserstein_of_steps(*distinct(x), *distinct(y))
    assert lakemon_kernel.wasserstein_of_steps(x, None, y, None) == with_ranks


@given(samples(), st.integers(-3, 3).map(float))
def test_the_spread_is_the_sum_of_distances_and_of_squares(values, centre):
    around = values - centre
    size = 1e-12 * (np.abs(around).sum() + 1)
    for sample in (distinct(values), (values, None)):
        total, squares = lakemon_kernel.spread(*sample, centre)
        assert total == pytest.approx(around.sum(), rel=1e-9, abs=size)
        assert squares == pytest.approx((around**2).sum(), rel=1e-9)


@given(
    st.sampled_from([np.int32, np.int64]),
    st.lists(st.integers(-700, 700), max_size=60),
    st.integers(-3, 3),
    st.integers(1, 600),
)
def test_a_tally_counts_integers_and_those_outside(kind, integers, least, width):
    counts = np.ones(width, dtype=np.int64)
    outside = lakemon_kernel.tally(np.array(integers, dtype=kind), least, counts)
    assert counts.tolist() == [1 + integers.count(least + place) for place in range(width)]
    assert outside == len(integers) - (counts - 1).sum()


@pytest.mark.parametrize("levels", [2, 5_000])
def test_a_tally_of_many_rows_is_a_bincount(levels):
    codes = np.random.default_rng(levels).integers(-1, levels, 100_003).astype(np.int32)
    counts = np.zeros(levels + 1, dtype=np.int64)
    assert lakemon_kernel.tally(codes, -1, counts) == 0
    assert counts.tolist() == np.bincount(codes + 1).tolist()


def test_a_tally_of_the_largest_integers_does_not_overflow():
    ends = np.array([-(2**63), 2**63 - 1, 0])
    counts = np.zeros(1, dtype=np.int64)
    assert lakemon_kernel.tally(ends, 2**63 - 1, counts) == 2
    assert counts.tolist() == [1]


@given(samples(8), st.integers(0, 3))
def test_blocks_hold_equal_mass(values, bits):
    edges, integrals, (centre, shift, squares, size) = cut(values, bits)
    count, n = 1 << bits, len(values)
    around = np.repeat(values - centre, count).reshape(count, n).mean(axis=1) / count
    close = {"rel": 1e-9, "abs": 1e-12 * (np.abs(values).max() + 1)}
    assert integrals == pytest.approx(around, **close)
    assert edges.tolist() == [*values[np.arange(count) * n // count], values[-1]]
    assert centre == values[n // 2]
    assert shift == pytest.approx((values - centre).mean(), **close)
    assert squares == pytest.approx(((values - centre) ** 2).mean(), rel=1e-9)
    assert size == pytest.approx(np.abs(around).sum(), **close)


@given(samples(0), samples(0))
def test_a_merge_is_a_sort(one, other):
    assert merged(one, other) == np.sort(np.concatenate([one, other])).tolist()


@pytest.mark.parametrize("few", [0, 1, 3, 40])
@pytest.mark.parametrize("apart", [0.0, 9.0])
def test_a_merge_of_few_with_many_is_a_sort(few, apart):
    random = np.random.default_rng(few)
    one, other = np.sort(random.normal(apart, 1, few)), np.sort(random.normal(0, 1, 1_000))
    in_order = np.sort(np.concatenate([one, other])).tolist()
    assert merged(one, other) == merged(other, one) == in_order


UNORDERED = st.integers(0, 60).flatmap(lambda n: arrays(np.float64, n, elements=NUMBERS | st.just(np.nan)))


@given(UNORDERED, UNORDERED)
def test_nothing_is_lost_or_overrun_where_samples_are_not_in_order(one, other):
    assert np.array_equal(np.sort(merged(one, other)), np.sort(np.concatenate([one, other])), equal_nan=True)


@given(samples(), st.integers(1, 40))
def test_quantiles_are_numpys(values, steps):
    found = np.empty(steps + 1)
    lakemon_kernel.quantiles(*distinct(values), found)
    oracle = np.quantile(values, np.arange(steps + 1) / steps)
    assert found == pytest.approx(oracle, rel=1e-9, abs=1e-12 * (np.abs(values).max() + 1))
    without_ties, untied = np.unique(values), np.empty(steps + 1)
    lakemon_kernel.quantiles(without_ties, None, untied)
    lakemon_kernel.quantiles(*distinct(without_ties), found)
    assert untied.tolist() == found.tolist()


def test_there_is_no_quantile_between_the_infinite():
    found = np.empty(5)
    lakemon_kernel.quantiles(np.array([-np.inf, 0.0, np.inf]), None, found)
    assert found.tolist() == pytest.approx([-np.inf, np.nan, 0.0, np.nan, np.inf], nan_ok=True)


def test_threads_may_call_it_side_by_side():
    random = np.random.default_rng(4)
    pairs = [(np.sort(random.normal(0, 1, 50_000)), np.sort(random.normal(0, 1, 80_000))) for _ in range(16)]

    def look(pair):
        return lakemon_kernel.ks_statistic(pair[0], None, pair[1], None), wasserstein(*pair, 10)

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(look, pairs)) == [look(pair) for pair in pairs]


SAMPLE = np.arange(10.0)
RANKS = np.arange(11)
LOCKED = np.broadcast_to(0.0, 1)
REFUSED = {
    "single precision": (TypeError, "merge", SAMPLE.astype("f4"), SAMPLE, np.empty(20)),
    "integers": (TypeError, "merge", RANKS[:10], SAMPLE, np.empty(20)),
    "doubles as ranks": (TypeError, "ks_statistic", SAMPLE, np.arange(11.0), SAMPLE, None),
    "the other byte order": (TypeError, "merge", SAMPLE.astype(">f8"), SAMPLE, np.empty(20)),
    "two dimensions": (TypeError, "merge", SAMPLE.reshape(2, 5), SAMPLE, np.empty(20)),
    "a list": (TypeError, "merge", [1.0], SAMPLE, np.empty(11)),
    "an argument too few": (TypeError, "merge", SAMPLE, SAMPLE),
    "every other value": (ValueError, "merge", SAMPLE[::2], SAMPLE, np.empty(15)),
    "too little room": (ValueError, "merge", SAMPLE, SAMPLE, np.empty(19)),
    "too much room": (ValueError, "merge", SAMPLE, SAMPLE, np.empty(21)),
    "nothing to merge": (ValueError, "merge", None, SAMPLE, np.empty(10)),
    "room that is locked": (ValueError, "merge", SAMPLE[:1], SAMPLE[:0], LOCKED),
    "a rank too few": (ValueError, "ks_statistic", SAMPLE, RANKS[1:], SAMPLE, None),
    "no sample": (ValueError, "ks_statistic", SAMPLE, None, None, None),
    "a rank too many": (ValueError, "wasserstein_of_steps", SAMPLE, np.zeros(12, np.int64), SAMPLE, None),
    "ranks that fall": (ValueError, "wasserstein_of_steps", SAMPLE, RANKS[::-1].copy(), SAMPLE, None),
    "counts beyond 64 bits": (
        ValueError,
        "wasserstein_of_steps",
        SAMPLE,
        RANKS * 2**40,
        SAMPLE,
        RANKS * 2**40,
    ),
    "a spread of nothing": (ValueError, "spread", None, None, 0.0),
    "a spread with a rank too few": (ValueError, "spread", SAMPLE, RANKS[1:], 0.0),
    "doubles to tally": (TypeError, "tally", SAMPLE, 0, RANKS.copy()),
    "small integers to tally": (TypeError, "tally", RANKS.astype(np.int8), 0, RANKS.copy()),
    "no counts": (ValueError, "tally", RANKS, 0, None),
    "an empty sample": (ValueError, "ks_statistic", SAMPLE[:0], None, SAMPLE, None),
    "one quantile": (ValueError, "quantiles", SAMPLE, None, np.empty(1)),
    "quantiles of nothing": (ValueError, "quantiles", SAMPLE[:0], None, np.empty(3)),
    "ranks that do not add up": (ValueError, "quantiles", SAMPLE, np.zeros(11, np.int64), np.empty(3)),
    "three blocks": (ValueError, "blocks", SAMPLE, np.empty(4), np.empty(3)),
    "more blocks than values": (ValueError, "blocks", SAMPLE, np.empty(17), np.empty(16)),
    "an edge too few": (ValueError, "blocks", SAMPLE, np.empty(2), np.empty(2)),
    "no blocks": (ValueError, "blocks", SAMPLE, np.empty(1), np.empty(0)),
    "unequal blocks": (
        ValueError,
        "wasserstein",
        *(SAMPLE, (SAMPLE[:2], SAMPLE[:3]), SAMPLE, (SAMPLE[:1], SAMPLE[:2]), None),
    ),
    "a sum too few": (
        ValueError,
        "wasserstein",
        *(SAMPLE, (SAMPLE[:1], SAMPLE[:2]), SAMPLE, (SAMPLE[:1], SAMPLE[:2]), SAMPLE),
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_does_not_fit_is_refused(what):
    error, function, *arguments = REFUSED[what]
    with pytest.raises(error):
        getattr(lakemon_kernel, function)(*arguments)


def test_without_its_compiled_part_numpy_measures_and_doctor_says_why(tmp_path):
    """As it is installed where no C compiler is."""
    package = tmp_path / "lakemon_kernel"
    package.mkdir()
    shutil.copy(Path(lakemon_kernel.__file__), package)
    (package / "_kernel.py").write_text("raise ModuleNotFoundError('as if it were not there')")
    doctor = subprocess.run(
        [sys.executable, "-m", "lakemon_core", "doctor", "--config", str(tmp_path / "none.yml")],
        env=os.environ | {"PYTHONPATH": str(tmp_path), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    (line,) = [one for one in doctor.stdout.splitlines() if " kernel " in one]
    assert "NumPy measures, in more time: lakemon-kernel was installed without a C compiler" in line
    assert doctor.returncode == 0, doctor.stdout
