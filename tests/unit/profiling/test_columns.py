from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

from lakemon_core.profiling.columns import Kind, kind_of, spark_type, summarize, unsupported_reason
from lakemon_core.profiling.levels import missing_rows

pytestmark = pytest.mark.usefixtures("loops")


@pytest.mark.parametrize(
    ("arrow_type", "kind", "spark"),
    [
        (pa.int8(), Kind.NUMERIC, "tinyint"),
        (pa.int32(), Kind.NUMERIC, "int"),
        (pa.int64(), Kind.NUMERIC, "bigint"),
        (pa.uint32(), Kind.NUMERIC, "bigint"),
        (pa.uint64(), Kind.NUMERIC, "decimal(20,0)"),
        (pa.float16(), Kind.NUMERIC, "float"),
        (pa.float32(), Kind.NUMERIC, "float"),
        (pa.float64(), Kind.NUMERIC, "double"),
        (pa.decimal128(10, 2), Kind.NUMERIC, "decimal(10,2)"),
        (pa.bool_(), Kind.BOOLEAN, "boolean"),
        (pa.string(), Kind.CATEGORICAL, "string"),
        (pa.large_string(), Kind.CATEGORICAL, "string"),
        (pa.string_view(), Kind.CATEGORICAL, "string"),
        (pa.dictionary(pa.int8(), pa.string()), Kind.CATEGORICAL, "string"),
        (pa.dictionary(pa.int8(), pa.float64()), Kind.NUMERIC, "double"),
        (pa.null(), Kind.CATEGORICAL, "void"),
        (pa.timestamp("us", tz="UTC"), Kind.TIMESTAMP, "timestamp"),
        (pa.timestamp("ns"), Kind.TIMESTAMP, "timestamp"),
        (pa.date32(), Kind.TIMESTAMP, "date"),
    ],
)
def test_a_type_decides_how_a_column_is_measured_and_what_spark_calls_it(arrow_type, kind, spark):
    assert kind_of(arrow_type) is kind
    assert spark_type(arrow_type) == spark


@pytest.mark.parametrize("arrow_type", [pa.int64(), pa.float32(), pa.decimal128(5, 1), pa.date32()])
def test_numbers_and_times_become_categories_on_demand(arrow_type):
    assert kind_of(arrow_type, categorical=True) is Kind.CATEGORICAL


@pytest.mark.parametrize(
    "arrow_type",
    [pa.list_(pa.int64()), pa.struct([("a", pa.int64())]), pa.map_(pa.string(), pa.int64()), pa.binary(),
     pa.time64("us"), pa.duration("s")],
)  # fmt: skip
def test_other_types_are_not_measured_and_the_reason_names_the_type(arrow_type):
    assert kind_of(arrow_type, categorical=True) is Kind.UNSUPPORTED
    assert str(arrow_type) in unsupported_reason(arrow_type)
    with pytest.raises(ValueError, match="are not measured"):
        summarize(pa.array([], type=arrow_type), Kind.UNSUPPORTED)


def test_nan_and_null_are_counted_apart_and_infinities_are_numbers(summary_of):
    summary = summary_of([2.0, None, float("nan"), float("inf"), -1.0, float("-inf")], pa.float64())
    assert summary.values.tolist() == [float("-inf"), -1.0, 2.0, float("inf")]
    assert (summary.rows, summary.nulls, summary.nans, summary.count) == (6, 1, 1, 5)
    assert summary.infinite
    assert np.isnan(summary.mean)


def test_negative_zero_is_zero(summary_of):
    summary = summary_of([-0.0, 0.0, -0.0])
    assert summary.distinct == 1
    assert not np.signbit(summary.values).any()


def test_integers_that_fall_on_one_double_stay_distinct(summary_of):
    assert summary_of([2**53, 2**53 + 1, 2**53 + 1, -(2**63), 2**63 - 1], pa.int64()).distinct == 4
    assert summary_of([2**64 - 1, 2**64 - 2], pa.uint64()).distinct == 2


def test_decimals_that_fall_on_one_double_stay_distinct(summary_of):
    values = [Decimal("0.12345678901234567890"), Decimal("0.12345678901234567891"), None]
    summary = summary_of(values, pa.decimal128(38, 20))
    assert summary.distinct == 2
    assert summary.values.tolist() == pytest.approx([0.12345678901234568] * 2)


@pytest.mark.parametrize(
    "arrow_type", [pa.int8(), pa.uint16(), pa.float16(), pa.float32(), pa.decimal128(5, 1)]
)
def test_every_number_type_gives_the_same_values(summary_of, arrow_type):
    numbers = [3, 1, None, 2, 2]
    values = [n and Decimal(n) for n in numbers] if pa.types.is_decimal(arrow_type) else numbers
    if arrow_type == pa.float16():
        values = [n and np.float16(n) for n in numbers]
    summary = summary_of(values, arrow_type)
    assert summary.values.tolist() == [1, 2, 2, 3]
    assert (summary.nulls, summary.distinct) == (1, 3)


def test_a_dictionary_of_numbers_is_numeric():
    column = pa.DictionaryArray.from_arrays(pa.array([0, 1, None, 0], pa.int8()), pa.array([1.5, 2.5]))
    summary = summarize(column, kind_of(column.type))
    assert summary.values.tolist() == [1.5, 1.5, 2.5]


def test_levels_stand_by_count_and_then_by_text(summary_of):
    summary = summary_of(["b", "a", "c", "c", None, "é", "Z"])
    assert summary.levels.to_pylist() == ["c", "Z", "a", "b", "é"]
    assert summary.counts.tolist() == [2, 1, 1, 1, 1]
    assert (summary.rows, summary.nulls) == (7, 1)


def test_booleans_are_the_levels_true_and_false(summary_of):
    summary = summary_of([True, False, None, True])
    assert summary.levels.to_pylist() == ["true", "false"]
    assert summary.counts.tolist() == [2, 1]
    assert summary.lengths is None


@pytest.mark.parametrize("text_type", [pa.string(), pa.large_string(), pa.string_view()])
def test_lengths_count_characters_not_bytes(summary_of, text_type):
    lengths = summary_of(["héé", "🦊", "", "héé"], text_type).lengths
    assert (lengths.least, lengths.most, lengths.mean) == (0, 3, 1.75)


@pytest.mark.parametrize(
    "values",
    [
        pa.array([3, None, 3, -1], pa.int64()),
        pa.array([3.0, None, 3.0, -1.0], pa.float64()),
        pa.array([3.0, float("nan"), 3.0, -1.0], pa.float64()),
        pa.array([Decimal("3.00"), None, Decimal("3.00"), Decimal("-1.00")], pa.decimal128(9, 2)),
        pa.array(["3", None, "3", "-1"]),
        pa.array([3, None, 3, -1], pa.int8()).dictionary_encode(),
    ],
)
def test_numbers_as_categories_have_one_text_form_whatever_their_type(values):
    summary = summarize(values, Kind.CATEGORICAL)
    assert summary.levels.to_pylist() == ["3", "-1"]
    assert (summary.counts.tolist(), summary.nulls) == ([2, 1], 1)


def test_broken_numbers_as_categories_read_back_the_same(summary_of):
    summary = summary_of([0.1, 1e300, float("inf"), -0.0, 0.0], categorical=True)
    texts = summary.levels.to_pylist()
    assert {float(text) for text in texts} == {0.1, 1e300, float("inf"), 0.0}
    assert texts[0] == "0"


def test_times_as_categories_are_iso_in_utc(summary_of):
    berlin = summary_of([0], pa.timestamp("s", tz="Europe/Berlin"), categorical=True)
    assert berlin.levels.to_pylist() == ["1970-01-01 00:00:00"]
    assert summary_of([1], pa.date32(), categorical=True).levels.to_pylist() == ["1970-01-02"]


def test_dictionaries_with_doubles_nulls_and_unused_values_count_what_occurs():
    broken = pa.DictionaryArray.from_arrays(
        pa.array([0, 1, 2, 3, None], pa.int8()), pa.array(["a", "a", None, "b", "unused"])
    )
    other = pa.DictionaryArray.from_arrays(pa.array([0], pa.int8()), pa.array(["b"]))
    for column in (broken, pa.chunked_array([broken, broken.slice(0, 0)])):
        summary = summarize(column, Kind.CATEGORICAL)
        assert dict(zip(summary.levels.to_pylist(), summary.counts.tolist(), strict=True)) == {"a": 2, "b": 1}
        assert summary.nulls == 2
    joined = summarize(pa.chunked_array([broken, other]), Kind.CATEGORICAL)
    assert joined.counts.tolist() == [2, 2]


def test_a_short_slice_of_a_long_dictionary_counts_its_rows_only():
    column = pa.array([f"level {n}" for n in range(1000)] + [None]).dictionary_encode()
    summary = summarize(column.slice(998), Kind.CATEGORICAL)
    assert summary.levels.to_pylist() == ["level 998", "level 999"]
    assert (summary.rows, summary.nulls) == (3, 1)


@pytest.mark.parametrize(
    ("arrow_type", "ticks", "seconds"),
    [
        (pa.timestamp("s"), [3, 1, None, 3], (1, 3, 3)),
        (pa.timestamp("ms", tz="UTC"), [3000, 1000, None], (1, 3, 2)),
        (pa.timestamp("us", tz="Asia/Kolkata"), [-1_500_000, 0], (-1.5, 0, -0.75)),
        (pa.timestamp("ns"), [1_500_000_000], (1.5, 1.5, 1.5)),
        (pa.date32(), [1, 2, 4], (86400, 345600, 172800)),
        (pa.date64(), [86_400_000], (86400, 86400, 86400)),
    ],
)
def test_times_are_measured_in_epoch_seconds(summary_of, arrow_type, ticks, seconds):
    summary = summary_of(ticks, arrow_type)
    assert (summary.least, summary.most, summary.median) == seconds
    assert summary.distinct == len({tick for tick in ticks if tick is not None})
    assert summary.nulls == ticks.count(None)


@pytest.mark.parametrize(
    "arrow_type",
    [pa.float64(), pa.int32(), pa.string(), pa.bool_(), pa.timestamp("us"), pa.null(),
     pa.dictionary(pa.int32(), pa.string()), pa.decimal128(5, 2)],
)  # fmt: skip
@pytest.mark.parametrize("values", [[], [None, None]])
@pytest.mark.parametrize("chunked", [False, True])
def test_empty_and_all_null_columns_have_a_summary(arrow_type, values, chunked):
    column = pa.array(values, type=arrow_type)
    if chunked:
        column = pa.chunked_array([column] if values else [], type=arrow_type)
    summary = summarize(column, kind_of(arrow_type))
    assert (summary.rows, summary.nulls, summary.count) == (len(values), len(values), 0)


def test_missing_rows_are_found_in_any_chunks():
    rows = pa.array([1.0, None, 2.0, None, None, 3.0, 4.0, None, 5.0, None])
    chunked = pa.chunked_array(
        [rows.slice(3), rows.slice(2, 0), rows, rows.slice(9), pa.nulls(2, pa.float64())]
    )
    assert missing_rows(chunked).tolist() == [one is None for one in chunked.to_pylist()]
    assert missing_rows(chunked.slice(5, 9)).tolist() == [one is None for one in chunked.to_pylist()[5:14]]
