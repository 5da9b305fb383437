"""Laws of the profiling kernels that hold for all data."""

import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial.distance import jensenshannon

from lakemon_core.domain.window import GRANULARITIES, Granularity
from lakemon_core.profiling.columns import kind_of, summarize
from lakemon_core.profiling.drift import drift_values, js_distance, ks_test, psi, wasserstein_distance
from lakemon_core.profiling.numeric.sample import Sample
from lakemon_core.profiling.profile import profile_values
from lakemon_core.profiling.windows import count_by_window, split, window_starts

# Sums of numbers of very different size lose digits in any order: oracles are compared on a sane range.
tame = st.floats(-1e6, 1e6).map(lambda x: round(x, 3))
wild = st.one_of(
    tame, st.integers(-3, 3).map(float), st.sampled_from([math.inf, -math.inf, math.nan, -0.0, 1e308])
)
numbers = st.lists(st.none() | wild, max_size=40)
texts = st.lists(st.none() | st.text(max_size=3) | st.sampled_from(["a", "b", "🦊", "'", '"']), max_size=40)
columns = st.one_of(
    numbers.map(lambda values: pa.array(values, pa.float64())),
    texts.map(lambda values: pa.array(values, pa.string())),
    st.lists(st.none() | st.booleans(), max_size=40).map(lambda values: pa.array(values, pa.bool_())),
    st.lists(st.none() | st.integers(-(2**63), 2**63 - 1), max_size=40).map(
        lambda v: pa.array(v, pa.int64())
    ),
    st.lists(st.none() | st.integers(-(2**40), 2**40), max_size=40).map(
        lambda v: pa.array(v, pa.timestamp("ms"))
    ),
)
samples = st.lists(tame, min_size=1, max_size=30).map(lambda values: np.sort(np.array(values)))
counts = st.integers(1, 8).flatmap(
    lambda k: st.tuples(*[st.lists(st.integers(0, 50), min_size=k, max_size=k)] * 2)
).filter(lambda pair: sum(pair[0]) and sum(pair[1]))  # fmt: skip


def profile(column, kind=None):
    return profile_values(summarize(column, kind or kind_of(column.type)))


@settings(deadline=None)
@given(columns, st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(column, random):
    order = list(range(len(column)))
    random.shuffle(order)
    assert profile(column.take(pa.array(order, pa.int64()))) == profile(column)


@settings(deadline=None)
@given(columns, st.integers(0, 40))
def test_the_split_in_batches_changes_nothing(column, cut):
    chunked = pa.chunked_array([column.slice(0, cut), column.slice(cut)], type=column.type)
    assert profile(chunked) == profile(column)


@settings(deadline=None)
@given(columns)
def test_dictionary_encoding_changes_nothing(column):
    assert profile(column.dictionary_encode(), kind_of(column.type)) == profile(column)


@settings(deadline=None)
@given(columns)
def test_every_row_is_a_value_or_a_null_and_every_missing_statistic_of_numbers_has_a_reason(column):
    row = profile(column)
    assert row["count"] + row["num_nulls"] == len(column)
    if pa.types.is_floating(column.type):
        for name in ("avg", "stddev", "min", "max", "median", "quantiles", "percent_null"):
            assert (row[name] is None) == (name in row["reasons"])


@settings(deadline=None)
@given(columns)
def test_rows_fit_the_schema_of_the_profile_table(column):
    from lakemon_core.profiling.schemas import profile_schema

    row = profile(column)
    stored = pa.Table.from_pylist([row], schema=profile_schema("model_id")).to_pylist()[0]
    assert stored["quantiles"] == row["quantiles"]
    assert stored["frequent_items"] == row["frequent_items"]


@settings(deadline=None)
@given(st.lists(tame, min_size=2, max_size=50))
def test_statistics_of_numbers_agree_with_numpy(values):
    row = profile(pa.array(values))
    scale = max(abs(value) for value in values) or 1.0
    assert row["avg"] == pytest.approx(np.mean(values), rel=1e-9, abs=1e-12 * scale)
    assert row["stddev"] == pytest.approx(np.std(values, ddof=1), rel=1e-9, abs=1e-9 * scale)
    assert row["quantiles"] == pytest.approx(
        np.quantile(values, np.arange(1001) / 1000), rel=1e-9, abs=1e-9 * scale
    )
    assert row["distinct_count"] == len(set(values))


@settings(deadline=None)
@given(columns, columns)
def test_drift_never_fails_and_what_is_missing_has_a_reason(current, reference):
    row = drift_values(
        summarize(current, kind_of(current.type)), summarize(reference, kind_of(reference.type))
    )
    if pa.types.is_floating(current.type):
        for name in ("ks_test", "wasserstein_distance", "population_stability_index", "js_distance"):
            assert (row[name] is None) == (name in row["reasons"])
    for value in row.values():
        assert not isinstance(value, float) or math.isfinite(value)


@settings(deadline=None)
@given(columns)
def test_nothing_drifts_from_itself(column):
    summary = summarize(column, kind_of(column.type))
    row = drift_values(summary, summary)
    for name in ("population_stability_index", "js_distance", "tv_distance", "wasserstein_distance"):
        assert row[name] in (None, 0)
    if row["ks_test"]:
        assert row["ks_test"] == {"statistic": 0, "pvalue": 1}


@settings(deadline=None)
@given(texts, st.integers(2, 4))
def test_doubling_every_row_changes_no_distance(values, times):
    assume(any(value is not None for value in values))
    once, reference = pa.array(values, pa.string()), pa.array(["a", "b", "🦊"])
    many = pa.concat_arrays([once] * times)
    rows = [
        drift_values(*(summarize(c, kind_of(c.type)) for c in (column, reference))) for column in (once, many)
    ]
    for name in ("js_distance", "tv_distance", "l_infinity_distance"):
        assert rows[0][name] == pytest.approx(rows[1][name], abs=1e-12)


@pytest.mark.filterwarnings("ignore:divide by zero:RuntimeWarning")  # SciPy's own, for two samples of one row
@settings(deadline=None)
@given(samples, samples)
def test_distances_of_samples_agree_with_scipy_and_are_symmetric(x, y):
    assert wasserstein_distance(x, y) == pytest.approx(stats.wasserstein_distance(x, y), rel=1e-9, abs=1e-8)
    assert wasserstein_distance(x, y) == pytest.approx(wasserstein_distance(y, x), rel=1e-9, abs=1e-12)
    test = ks_test(Sample.of(x), Sample.of(y))
    assert test.statistic == pytest.approx(
        stats.ks_2samp(x, y, method="asymp").statistic, rel=1e-9, abs=1e-12
    )
    assert test == ks_test(Sample.of(y), Sample.of(x))
    assert 0 <= test.pvalue <= 1


@settings(deadline=None)
@given(counts)
def test_distances_of_counts_agree_with_scipy_and_are_symmetric(pair):
    p, q = pair
    # SciPy's own root loses half the digits where the distance is almost nothing.
    assert js_distance(p, q) == pytest.approx(jensenshannon(p, q, base=2), rel=1e-9, abs=3e-8)
    assert js_distance(p, q) == js_distance(q, p) <= 1
    for smoothing in ("add_half", "clip"):
        assert psi(p, q, smoothing) == pytest.approx(psi(q, p, smoothing))
        assert psi(p, q, smoothing) >= 0


@settings(max_examples=50, deadline=None)
@given(st.lists(st.none() | st.datetimes(), max_size=30), st.sampled_from(GRANULARITIES))
def test_every_row_with_a_time_lies_in_exactly_one_window(moments, text):
    moments = [moment if moment is None or 2 <= moment.year <= 9997 else None for moment in moments]
    rows = pa.table(
        {"ts": pa.array(moments, pa.timestamp("us")), "row": pa.array(range(len(moments)), pa.int64())}
    )
    granularity = Granularity(text)
    seen = []
    windows = [window for window, _ in count_by_window(rows.column("ts"), granularity)]
    for window, part in split(rows, windows, "ts") if windows else ():
        for moment in part.column("ts").to_pylist():
            assert window.start.replace(tzinfo=None) <= moment < window.end.replace(tzinfo=None)
        seen += part.column("row").to_pylist()
    assert sorted(seen) == [place for place, moment in enumerate(moments) if moment]
    starts = window_starts(rows.column("ts"), granularity)
    assert np.isnat(starts).tolist() == [moment is None for moment in moments]
