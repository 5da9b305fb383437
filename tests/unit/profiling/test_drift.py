import numpy as np
import pyarrow as pa
import pytest
from scipy import stats
from scipy.spatial.distance import jensenshannon

from lakemon_core.profiling.drift import (
    drift_values,
    inner_edges,
    js_distance,
    psi,
    table_drift_values,
    tv_distance,
    unavailable,
)
from lakemon_core.profiling.numeric.sample import Sample
from lakemon_core.profiling.schemas import DRIFT_STATISTICS

pytestmark = pytest.mark.usefixtures("loops")

BINNED = ("population_stability_index", "tv_distance", "l_infinity_distance", "js_distance")


def histograms(reference, current):
    """Textbook bins: reference deciles, outer ends open, duplicates merged."""
    edges = np.unique(np.quantile(reference, np.arange(1, 10) / 10))
    edges = np.concatenate([[-np.inf], edges, [np.inf]])
    return np.histogram(reference, edges)[0], np.histogram(current, edges)[0]


def test_a_numeric_column_has_its_golden_drift(golden, normal_samples, summary_of):
    reference, current = normal_samples
    row = drift_values(summary_of(current), summary_of(reference), smoothing="clip")
    assert row["population_stability_index"] == pytest.approx(golden["C_psi_refquantile10"], rel=1e-9)
    assert row["js_distance"] == pytest.approx(golden["C_js_base2_refquantile10"], rel=1e-9)
    assert row["wasserstein_distance"] == pytest.approx(golden["C_wasserstein"], rel=1e-9)
    assert row["wasserstein_normalized"] == pytest.approx(golden["C_wasserstein_over_refstd_ddof0"], rel=1e-9)
    assert row["ks_test"]["statistic"] == pytest.approx(golden["C_ks"][0], rel=1e-9)
    assert row["ks_test"]["pvalue"] == pytest.approx(
        stats.kstwo.sf(row["ks_test"]["statistic"], 1429), rel=1e-9
    )
    assert (row["bins"], row["n"], row["n_reference"]) == (10, 2000, 5000)
    assert row["method"] == "psi:quantile10:clip:1"
    assert row["chi_squared_test"] is row["cramers_v"] is row["new_categories"] is None
    assert row["reasons"] == {}


def test_binned_distances_agree_with_textbook_bins(summary_of):
    random = np.random.default_rng(9)
    reference, current = random.gamma(2, 1, 4000), random.gamma(2.5, 1, 700)
    p, q = histograms(reference, current)
    row = drift_values(summary_of(current), summary_of(reference))
    smoothed = (p + 0.5) / (p + 0.5).sum(), (q + 0.5) / (q + 0.5).sum()
    expected = np.sum((smoothed[1] - smoothed[0]) * np.log(smoothed[1] / smoothed[0]))
    assert row["population_stability_index"] == pytest.approx(expected, rel=1e-9)
    assert row["js_distance"] == pytest.approx(jensenshannon(p, q, base=2), rel=1e-9)
    assert row["tv_distance"] == pytest.approx(np.abs(p / p.sum() - q / q.sum()).sum() / 2, rel=1e-9)
    assert row["l_infinity_distance"] == pytest.approx(np.abs(p / p.sum() - q / q.sum()).max(), rel=1e-9)
    assert row["psi_chance_level"] == pytest.approx(stats.chi2.ppf(0.95, 9) * (1 / 700 + 1 / 4000), rel=1e-9)


def test_a_categorical_column_is_compared_over_the_union_of_levels(golden, summary_of):
    reference = summary_of(["a"] * 500 + ["b"] * 500)
    current = summary_of(["b"] * 400 + ["c"] * 200 + ["a"] * 400 + [None])
    row = drift_values(current, reference)
    assert row["population_stability_index"] == pytest.approx(golden["B_psi_add_half"], rel=1e-9)
    assert row["js_distance"] == pytest.approx(golden["B_js_dist_base2"], rel=1e-9)
    assert row["tv_distance"] == pytest.approx(golden["B_tv"], rel=1e-9)
    assert row["l_infinity_distance"] == pytest.approx(golden["B_linf"], rel=1e-9)
    assert row["chi_squared_test"]["statistic"] == pytest.approx(golden["B_chi2_contingency"][0], rel=1e-9)
    assert row["chi_squared_test"]["pvalue"] == pytest.approx(golden["B_chi2_contingency"][1], rel=1e-9)
    assert row["cramers_v"] == pytest.approx((golden["B_chi2_contingency"][0] / 2000) ** 0.5, rel=1e-9)
    assert (row["new_categories"], row["bins"], row["n"], row["n_reference"]) == (1, 3, 1000, 1000)
    assert row["method"] == "psi:levels:add_half:1"
    assert row["ks_test"] is row["wasserstein_distance"] is row["avg_delta"] is None


def test_deltas_are_current_less_reference(summary_of):
    current = summary_of([0.0, 0.0, 5.0, None], pa.float64())
    reference = summary_of([0.0, 1.0], pa.float64())
    row = drift_values(current, reference)
    assert row["count_delta"] == 1
    assert row["avg_delta"] == pytest.approx(5 / 3 - 0.5)
    assert (row["percent_null_delta"], row["percent_zeros_delta"]) == (25.0, 0.0)
    assert row["percent_distinct_delta"] == -50.0


def test_every_drift_column_is_there_for_every_kind(summary_of):
    pairs = [
        ([1.0], [2.0], None),
        (["a"], ["b"], None),
        ([True], [False], None),
        ([1], [2], pa.timestamp("s")),
    ]
    for current, reference, kind in pairs:
        assert set(drift_values(summary_of(current, kind), summary_of(reference, kind))) == set(
            DRIFT_STATISTICS
        )


def test_booleans_drift_as_categories(summary_of):
    row = drift_values(summary_of([True] * 80 + [False] * 20), summary_of([True] * 50 + [False] * 50))
    expected = stats.chi2_contingency([[50, 50], [20, 80]])
    assert row["chi_squared_test"]["statistic"] == pytest.approx(expected.statistic, rel=1e-9)
    assert row["new_categories"] == 0


def test_times_have_deltas_of_nulls_and_distinct_values_only(summary_of):
    row = drift_values(summary_of([1, None], pa.timestamp("s")), summary_of([1, 2], pa.timestamp("s")))
    assert (row["percent_null_delta"], row["percent_distinct_delta"]) == (50.0, -50.0)
    filled = {name for name, value in row.items() if value not in (None, {})}
    assert filled == {"percent_null_delta", "percent_distinct_delta", "n", "n_reference"}


def test_a_change_of_a_constant_is_seen_on_either_side(summary_of):
    reference = summary_of([7.0] * 100)
    for value in (6.0, 8.0, np.nextafter(7.0, 8.0), np.nextafter(7.0, 6.0)):
        row = drift_values(summary_of([value] * 100), reference)
        assert row["tv_distance"] == row["js_distance"] == 1.0
        assert row["population_stability_index"] > 5
        assert row["wasserstein_normalized"] is None
        assert row["reasons"] == {"wasserstein_normalized": "the reference is constant"}
    same = drift_values(summary_of([7.0] * 100), reference)
    assert same["population_stability_index"] == same["tv_distance"] == same["wasserstein_distance"] == 0
    assert same["bins"] == 1


@pytest.mark.parametrize("rare", [0, 1])
def test_a_change_of_a_rare_flag_is_seen(summary_of, rare):
    reference = summary_of([rare] * 5 + [1 - rare] * 95)
    row = drift_values(summary_of([rare] * 50 + [1 - rare] * 50), reference)
    assert row["tv_distance"] == pytest.approx(0.45)
    assert row["bins"] == 2


def test_values_on_which_quantiles_fall_together_have_a_bin_of_their_own():
    values = np.array([0.0] * 65 + list(range(1, 36)))
    edges = inner_edges(Sample.of(values))
    assert edges[:2].tolist() == [0.0, np.nextafter(0.0, 1.0)]
    assert len(edges) == 2 + 3


def test_bins_empty_in_both_samples_play_no_part(summary_of):
    values = [0] * 50 + [1] * 50
    row = drift_values(summary_of(values), summary_of(values * 100))
    assert row["bins"] == 2
    assert row["population_stability_index"] < 1e-3


def test_windows_outside_of_the_baseline_still_differ_from_each_other(summary_of):
    """A growing id: the previous window gives the edges, so disjoint windows are told apart."""
    row = drift_values(summary_of(list(range(2000, 3000))), summary_of(list(range(1000, 2000))))
    assert row["ks_test"]["statistic"] == 1.0
    assert row["tv_distance"] == pytest.approx(0.9)
    assert row["wasserstein_distance"] == 1000


def test_infinite_values_leave_wasserstein_out_and_keep_the_rest(summary_of):
    reference = summary_of(list(np.linspace(0, 1, 100)))
    row = drift_values(summary_of([0.5] * 50 + [float("inf")] * 50), reference)
    assert row["wasserstein_distance"] is row["wasserstein_normalized"] is row["avg_delta"] is None
    assert row["reasons"]["wasserstein_distance"] == "there are infinite values"
    assert set(row["reasons"]) == {"wasserstein_distance", "wasserstein_normalized", "avg_delta"}
    assert row["ks_test"]["statistic"] >= 0.5
    assert row["population_stability_index"] > 0


@pytest.mark.parametrize("infinite", [float("inf"), float("-inf")])
def test_mostly_infinite_references_have_bins(summary_of, infinite):
    reference = summary_of([infinite] * 60 + [0.0] * 40)
    row = drift_values(summary_of([infinite] * 30 + [0.0] * 70), reference)
    assert row["tv_distance"] == pytest.approx(0.3)


def test_differences_beyond_the_range_of_a_double_are_named(summary_of):
    row = drift_values(summary_of([1.7e308]), summary_of([-1.7e308]))
    assert row["wasserstein_distance"] is None
    assert row["reasons"]["wasserstein_distance"] == "the result exceeds the range of a double"
    spread = drift_values(summary_of([0.0]), summary_of([-1.5e308, 1.5e308]))
    assert spread["wasserstein_normalized"] is None


@pytest.mark.parametrize(
    ("current", "reference", "why"),
    [
        ([], [1.0], "in the window there are no rows"),
        ([None], [1.0], "in the window all values are null"),
        ([float("nan")], [1.0], "in the window no value is a number"),
        ([1.0], [None, None], "in the reference all values are null"),
    ],
)
def test_a_side_without_numbers_is_named(summary_of, current, reference, why):
    row = drift_values(summary_of(current, pa.float64()), summary_of(reference, pa.float64()))
    for name in (*BINNED, "ks_test", "wasserstein_distance", "avg_delta"):
        assert row[name] is None
        assert row["reasons"][name] == why


def test_shares_of_no_rows_do_not_exist(summary_of):
    for values, kind in [([1.0], pa.float64()), (["a"], pa.string()), ([1], pa.timestamp("s"))]:
        row = drift_values(summary_of([], kind), summary_of(values, kind))
        assert row["percent_null_delta"] is None
        assert row["reasons"]["percent_null_delta"] == "there are no rows"


def test_a_side_without_categories_is_named_and_new_ones_are_counted(summary_of):
    empty, full = summary_of([None], pa.string()), summary_of(["a", "b"])
    gone, came = drift_values(empty, full), drift_values(full, empty)
    assert gone["reasons"]["js_distance"] == "in the window all values are null"
    assert came["reasons"]["js_distance"] == "in the reference all values are null"
    assert (gone["new_categories"], came["new_categories"]) == (0, 2)
    assert came["percent_null_delta"] == -100.0


def test_columns_of_different_kinds_are_not_compared(summary_of):
    row = drift_values(summary_of([1.0]), summary_of(["a"]))
    assert row["population_stability_index"] is None
    assert row["reasons"]["ks_test"] == "the reference is categorical, the column numeric"


def test_a_column_that_cannot_be_compared_says_why(summary_of):
    row = unavailable(summary_of(["a", "b"]), "the reference has no such column")
    assert row["js_distance"] is None
    assert row["reasons"]["js_distance"] == "the reference has no such column"
    assert row["n"] == 2


def test_an_unknown_smoothing_is_refused(summary_of):
    with pytest.raises(ValueError, match="is not a smoothing"):
        drift_values(summary_of([1.0]), summary_of([1.0]), smoothing="laplace")


def test_the_row_of_the_table_counts_rows_and_columns():
    row = table_drift_values(10, 12, ["a", "b"], ["b", "c", "d"])
    assert (row["count_delta"], row["non_null_columns_delta"]) == (-2, {"added": 1, "missing": 2})


def test_names_with_quotes_and_emoji_are_levels_like_others(summary_of):
    reference = summary_of(["it's", '"', "🦊", "a\nb"] * 25)
    current = summary_of(["it's", '"', "🦊", "DROP TABLE x; --"] * 25)
    row = drift_values(current, reference)
    assert row["new_categories"] == 1
    p, q = [25, 25, 25, 25, 0], [25, 25, 25, 0, 25]
    assert row["js_distance"] == pytest.approx(js_distance(p, q))
    assert row["tv_distance"] == pytest.approx(tv_distance(p, q))
    assert row["population_stability_index"] == pytest.approx(psi(p, q))


def test_the_share_outside_of_the_references_range_counts_numbers_only(summary_of):
    row = drift_values(summary_of([0.0, 1.0, 5.0, 9.0, np.inf, np.nan, None]), summary_of([1.0, 2.0, 5.0]))
    assert row["out_of_range"] == pytest.approx(3 / 5)


def test_the_share_of_new_categories_weighs_them_by_their_rows(summary_of):
    row = drift_values(summary_of(["a"] * 6 + ["c"] * 3 + ["d"]), summary_of(["a", "b"]))
    assert (row["new_categories"], row["new_category_share"]) == (2, pytest.approx(0.4))
