import pyarrow as pa
import pytest

from lakemon_core.domain.errors import UsageError
from lakemon_core.profiling.schemas import drift_schema, profile_schema, signals_schema


def test_the_profile_table_has_databricks_columns_first_and_ours_last():
    names = profile_schema("model_version", [("accuracy_score", pa.float64())]).names
    assert names[:10] == [
        "window", "granularity", "model_version", "log_type", "slice_key", "slice_value", "column_name",
        "data_type", "logging_table_commit_version", "monitor_version",
    ]  # fmt: skip
    assert names[10:30] == [
        "count", "num_nulls", "avg", "stddev", "min", "max", "median", "quantiles", "num_zeros", "num_nan",
        "min_length", "max_length", "avg_length", "frequent_items", "non_null_columns", "distinct_count",
        "percent_null", "percent_zeros", "percent_nan", "percent_distinct",
    ]  # fmt: skip
    added = ["reasons", "table_version", "config_hash", "method", "intervals", "counts"]
    assert names[30:] == ["accuracy_score", *added]


def test_the_drift_table_has_databricks_columns_first_and_ours_last():
    schema = drift_schema("model_version")
    assert schema.names[:10] == [
        "window", "granularity", "model_version", "monitor_version", "slice_key", "slice_value",
        "column_name", "data_type", "drift_type", "window_cmp",
    ]  # fmt: skip
    assert schema.names[10:23] == [
        "count_delta", "avg_delta", "percent_null_delta", "percent_zeros_delta", "percent_distinct_delta",
        "non_null_columns_delta", "ks_test", "wasserstein_distance", "population_stability_index",
        "chi_squared_test", "tv_distance", "l_infinity_distance", "js_distance",
    ]  # fmt: skip
    assert schema.names[23:] == [
        "new_categories", "wasserstein_normalized", "psi_chance_level", "tv_chance_level", "js_chance_level",
        "cramers_v", "out_of_range", "new_category_share", "bins", "n", "n_reference", "method", "reasons",
        "table_version", "config_hash",
    ]  # fmt: skip
    assert schema.field("window_cmp").type == schema.field("window").type


def test_the_signals_table_has_its_columns():
    assert signals_schema("model_id").names == [
        "window", "granularity", "model_id", "slice_key", "slice_value", "column", "signal", "value", "lower",
        "upper", "n", "baseline", "p_value", "chance_level", "method", "maturity", "table_version",
        "config_hash", "reason", "statistic", "compare",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("schema", "name"), [(profile_schema, "count"), (drift_schema, "window_cmp"), (signals_schema, "signal")]
)
def test_a_model_id_column_called_like_a_metric_is_refused(schema, name):
    with pytest.raises(UsageError, match=f"LM150 model.model_id_col '{name}'"):
        schema(name)
