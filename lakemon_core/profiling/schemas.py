"""Schemas of the metric tables: Databricks' columns first, in their order, then what we add."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from lakemon_core.domain.errors import UsageError

_MOMENT = pa.timestamp("us", tz="UTC")
_WINDOW = pa.struct([("start", _MOMENT), ("end", _MOMENT)])
_TEST = pa.struct([("statistic", pa.float64()), ("pvalue", pa.float64())])
_REASONS = pa.map_(pa.string(), pa.string())
_COUNTS = pa.map_(pa.string(), pa.int64())
_INTERVALS = pa.map_(pa.string(), pa.struct([("lower", pa.float64()), ("upper", pa.float64())]))

Fields = Sequence[tuple[str, pa.DataType]]

_PROFILE_STATISTICS: Fields = (
    ("count", pa.int64()),
    ("num_nulls", pa.int64()),
    ("avg", pa.float64()),
    ("stddev", pa.float64()),
    ("min", pa.float64()),
    ("max", pa.float64()),
    ("median", pa.float64()),
    ("quantiles", pa.list_(pa.float64())),
    ("num_zeros", pa.int64()),
    ("num_nan", pa.int64()),
    ("min_length", pa.float64()),
    ("max_length", pa.float64()),
    ("avg_length", pa.float64()),
    ("frequent_items", pa.list_(pa.struct([("item", pa.string()), ("count", pa.int64())]))),
    ("non_null_columns", pa.list_(pa.string())),
    ("distinct_count", pa.int64()),
    ("percent_null", pa.float64()),
    ("percent_zeros", pa.float64()),
    ("percent_nan", pa.float64()),
    ("percent_distinct", pa.float64()),
)
_DRIFT_STATISTICS: Fields = (
    ("count_delta", pa.int64()),
    ("avg_delta", pa.float64()),
    ("percent_null_delta", pa.float64()),
    ("percent_zeros_delta", pa.float64()),
    ("percent_distinct_delta", pa.float64()),
    ("non_null_columns_delta", pa.struct([("added", pa.int32()), ("missing", pa.int32())])),
    ("ks_test", _TEST),
    ("wasserstein_distance", pa.float64()),
    ("population_stability_index", pa.float64()),
    ("chi_squared_test", _TEST),
    ("tv_distance", pa.float64()),
    ("l_infinity_distance", pa.float64()),
    ("js_distance", pa.float64()),
    ("new_categories", pa.int64()),
    ("wasserstein_normalized", pa.float64()),
    ("psi_chance_level", pa.float64()),
    ("tv_chance_level", pa.float64()),
    ("js_chance_level", pa.float64()),
    ("cramers_v", pa.float64()),
    ("out_of_range", pa.float64()),
    ("new_category_share", pa.float64()),
    ("bins", pa.int64()),
    ("n", pa.int64()),
    ("n_reference", pa.int64()),
    ("method", pa.string()),
    ("reasons", _REASONS),
)
PROFILE_STATISTICS = tuple(name for name, _ in _PROFILE_STATISTICS)
"""Statistics columns of the profile table that every model type has."""
DRIFT_STATISTICS = tuple(name for name, _ in _DRIFT_STATISTICS)
"""Statistics columns of the drift table, from `count_delta` to `reasons`."""


def profile_schema(model_id_column: str, quality_fields: Fields = ()) -> pa.Schema:
    """Returns the schema of the profile table.

    Args:
        model_id_column: name of the model id column of the inference table; the metric tables use it too.
        quality_fields: `ModelType.quality_fields()`.

    Raises:
        UsageError: LM150 when the model id column is called like a column of the table.
    """
    return _schema([
        ("window", _WINDOW),
        ("granularity", pa.string()),
        (model_id_column, pa.string()),
        ("log_type", pa.string()),
        ("slice_key", pa.string()),
        ("slice_value", pa.string()),
        ("column_name", pa.string()),
        ("data_type", pa.string()),
        ("logging_table_commit_version", pa.int32()),
        ("monitor_version", pa.int64()),
        *_PROFILE_STATISTICS,
        *quality_fields,
        ("reasons", _REASONS),
        ("table_version", pa.int64()),
        ("config_hash", pa.string()),
        ("method", pa.string()),
        ("intervals", _INTERVALS),
        ("counts", _COUNTS),
    ])  # fmt: skip


def drift_schema(model_id_column: str) -> pa.Schema:
    """Returns the schema of the drift table.

    Raises:
        UsageError: LM150 as `profile_schema`.
    """
    return _schema([
        ("window", _WINDOW),
        ("granularity", pa.string()),
        (model_id_column, pa.string()),
        ("monitor_version", pa.int64()),
        ("slice_key", pa.string()),
        ("slice_value", pa.string()),
        ("column_name", pa.string()),
        ("data_type", pa.string()),
        ("drift_type", pa.string()),
        ("window_cmp", _WINDOW),
        *_DRIFT_STATISTICS,
        ("table_version", pa.int64()),
        ("config_hash", pa.string()),
    ])  # fmt: skip


def signals_schema(model_id_column: str) -> pa.Schema:
    """Returns the schema of the signals table.

    Raises:
        UsageError: LM150 as `profile_schema`.
    """
    return _schema([
        ("window", _WINDOW),
        ("granularity", pa.string()),
        (model_id_column, pa.string()),
        ("slice_key", pa.string()),
        ("slice_value", pa.string()),
        ("column", pa.string()),
        ("signal", pa.string()),
        ("value", pa.float64()),
        ("lower", pa.float64()),
        ("upper", pa.float64()),
        ("n", pa.int64()),
        ("baseline", pa.float64()),
        ("p_value", pa.float64()),
        ("chance_level", pa.float64()),
        ("method", pa.string()),
        ("maturity", pa.float64()),
        ("table_version", pa.int64()),
        ("config_hash", pa.string()),
        ("reason", pa.string()),
        ("statistic", pa.string()),
        ("compare", pa.string()),
    ])  # fmt: skip


def _schema(fields: Fields) -> pa.Schema:
    names = [name for name, _ in fields]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(
                "LM150",
                f"{name!r} is a column of the metric tables;",
                where="model.model_id_col",
                cure="give the model id column another name, e.g. model_version.",
            )
    return pa.schema(fields)
