import numpy as np
import pyarrow as pa
import pytest

from lakemon_core.profiling.numeric.sample import Sample
from lakemon_core.profiling.profile import profile_values, quantiles, table_values
from lakemon_core.profiling.schemas import PROFILE_STATISTICS

pytestmark = pytest.mark.usefixtures("loops")


def test_numbers_agree_with_numpy(summary_of):
    values = np.random.default_rng(1).lognormal(0, 2, 1501)
    values[:7] = 0
    row = profile_values(summary_of(values))
    assert row["avg"] == pytest.approx(values.mean(), rel=1e-9)
    assert row["stddev"] == pytest.approx(values.std(ddof=1), rel=1e-9)
    assert (row["min"], row["max"]) == (values.min(), values.max())
    assert row["median"] == pytest.approx(np.median(values), rel=1e-9)
    assert row["quantiles"] == pytest.approx(np.quantile(values, np.arange(1001) / 1000), rel=1e-9)
    assert row["quantiles"][500] == row["median"]
    assert (row["num_zeros"], row["distinct_count"]) == (7, 1495)
    assert row["reasons"] == {}


def test_percentages_are_shares_of_all_rows_on_a_scale_of_a_hundred(summary_of):
    row = profile_values(summary_of([0.0, 0.0, 1.0, None, float("nan")], pa.float64()))
    assert (row["count"], row["num_nulls"], row["num_nan"]) == (4, 1, 1)
    assert (row["percent_null"], row["percent_nan"], row["percent_zeros"]) == (20.0, 20.0, 40.0)
    assert row["percent_distinct"] == 40.0


def test_what_does_not_apply_is_none_without_a_reason(summary_of):
    numeric, text = profile_values(summary_of([1.0, 2.0])), profile_values(summary_of(["a", "b"]))
    assert set(numeric) == set(text) == set(PROFILE_STATISTICS) | {"reasons"}
    assert numeric["min_length"] is numeric["frequent_items"] is None
    assert text["avg"] is text["quantiles"] is text["num_zeros"] is text["percent_zeros"] is None
    assert numeric["reasons"] == text["reasons"] == {}


def test_texts_have_lengths_frequent_items_and_distinct_values(summary_of):
    row = profile_values(summary_of(["b", "a", "b", None, "ccc"]))
    assert row["frequent_items"] == [
        {"item": "b", "count": 2},
        {"item": "a", "count": 1},
        {"item": "ccc", "count": 1},
    ]
    assert (row["min_length"], row["max_length"], row["avg_length"]) == (1, 3, 1.5)
    assert (row["distinct_count"], row["percent_distinct"]) == (3, 60.0)


def test_a_hundred_frequent_items_are_kept(summary_of):
    row = profile_values(summary_of([f"{n:03}" for n in range(150)]))
    assert [item["item"] for item in row["frequent_items"]] == [f"{n:03}" for n in range(100)]
    assert row["distinct_count"] == 150


def test_infinite_values_have_no_average_but_an_end(summary_of):
    row = profile_values(summary_of([1.0, 2.0, 3.0, float("inf")]))
    assert row["avg"] is row["stddev"] is None
    assert (row["min"], row["max"], row["median"]) == (1.0, float("inf"), 2.5)
    assert row["reasons"] == dict.fromkeys(["avg", "stddev"], "the column holds infinite values")


def test_a_median_between_two_infinities_does_not_exist(summary_of):
    row = profile_values(summary_of([float("-inf"), float("inf")]))
    assert row["median"] is None
    assert row["quantiles"][500] is None
    assert (row["quantiles"][0], row["quantiles"][1000]) == (float("-inf"), float("inf"))
    assert "median" in row["reasons"]


def test_values_beyond_the_range_of_a_double_are_named(summary_of):
    row = profile_values(summary_of([-1.7e308, 1.7e308, 1.7e308]))
    assert row["stddev"] is None
    assert row["reasons"]["stddev"] == "the result exceeds the range of a double"


def test_a_constant_column_has_exactly_its_value(summary_of):
    row = profile_values(summary_of([0.1] * 7))
    assert row["avg"] == row["median"] == row["min"] == row["max"] == 0.1
    assert row["stddev"] == 0
    assert set(row["quantiles"]) == {0.1}


def test_one_row_has_no_deviation(summary_of):
    row = profile_values(summary_of([4.0]))
    assert (row["avg"], row["stddev"]) == (4.0, None)
    assert row["reasons"] == {"stddev": "there is only one value"}


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ([], "there are no rows"),
        ([None], "all values are null"),
        ([float("nan"), None], "no value is a number"),
    ],
)
def test_a_column_without_numbers_says_why_it_has_no_statistics(summary_of, values, why):
    row = profile_values(summary_of(values, pa.float64()))
    for name in ("avg", "stddev", "min", "max", "median", "quantiles"):
        assert row[name] is None
        assert row["reasons"][name] == why
    assert row["distinct_count"] == 0


def test_percentages_of_no_rows_do_not_exist(summary_of):
    row = profile_values(summary_of([], pa.string()))
    assert row["percent_null"] is None
    assert set(row["reasons"]) == {"percent_null", "percent_distinct"}


def test_times_have_ends_and_a_median(summary_of):
    row = profile_values(summary_of([0, 10, 20], pa.timestamp("s")))
    assert (row["min"], row["max"], row["median"], row["distinct_count"]) == (0, 20, 10, 3)
    assert row["avg"] is row["quantiles"] is None
    empty = profile_values(summary_of([None], pa.timestamp("s")))
    assert empty["reasons"]["median"] == "all values are null"


def test_the_row_of_the_table_names_columns_with_values(summary_of):
    row = table_values(2, ["a"])
    assert (row["count"], row["non_null_columns"], row["num_nulls"]) == (2, ["a"], None)


def test_quantiles_fall_on_values_where_positions_are_whole():
    assert quantiles(Sample.of(np.array([1e-300, 5.0, 1e300])), 2).tolist() == [1e-300, 5.0, 1e300]
