"""The engine takes NaN for what it is, and reaches nothing but the rows it is handed."""

import math

import pyarrow as pa
import pytest

from lakemon_core.domain.errors import DataError
from lakemon_core.expressions import Shape, translate

NAN = float("nan")


def run(engine, rows, **texts):
    return engine.evaluate(rows, {name: translate(text).sql for name, text in texts.items()})


def test_values_stand_in_the_order_of_the_rows(engine):
    rows = pa.table({"x": list(range(50_000))})
    assert run(engine, rows, half="x div 2").column("half").to_pylist() == [x // 2 for x in range(50_000)]


def test_nan_is_greater_than_every_number_and_equal_to_itself(engine):
    rows = pa.table({"x": [1.0, NAN, None, math.inf]})
    found = run(engine, rows, big="x > 5", same="x = x", nan="isnan(x)")
    assert found.column("big").to_pylist() == [False, True, None, True]
    assert found.column("same").to_pylist() == [True, True, None, True]
    assert found.column("nan").to_pylist() == [False, True, False, False]


def test_nan_counts_in_aggregates_of_many_chunks(engine):
    part = pa.table({"x": [1.0, NAN, 3.0]})
    rows = pa.concat_tables([part] * 7)
    sql = translate("count_if(isnan(x)) + count_if(x > 2) * 100", shape=Shape.TABLE).sql
    assert engine.aggregate(rows, {"value": sql})["value"] == 7 + 14 * 100


def test_dictionaries_slices_and_decimals_are_read_as_their_values(engine):
    text = pa.array(["a", "b", None, "a"]).dictionary_encode()
    rows = pa.table({"s": text, "d": pa.array([1, 2, 3, 4], pa.decimal128(10, 2))}).slice(1)
    found = run(engine, rows, is_a="s = 'a'", more="d > 2.5")
    assert found.column("is_a").to_pylist() == [False, None, True]
    assert found.column("more").to_pylist() == [False, True, True]


def test_no_rows_give_no_values_but_their_types(engine):
    found = run(engine, pa.table({"x": pa.array([], pa.float64())}), big="x > 5")
    assert (found.num_rows, found.schema.field("big").type) == (0, pa.bool_())


def test_a_comparison_that_makes_no_sense_is_an_error_in_words(engine):
    with pytest.raises(DataError, match="LM337"):
        run(engine, pa.table({"s": ["a"]}), wrong="s + 1")


def test_after_an_error_the_engine_goes_on(engine):
    rows = pa.table({"s": ["a", "2"]})
    with pytest.raises(DataError, match="LM337"):
        run(engine, rows, wrong="s > 5")
    assert run(engine, rows, right="s = '2'").column("right").to_pylist() == [False, True]


@pytest.mark.parametrize(
    "sql",
    [
        "(SELECT content FROM read_text('/etc/hostname'))",
        "(SELECT count(*) FROM glob('/etc/*'))",
        "getenv('HOME')",
    ],
)
def test_even_sql_that_was_never_checked_reaches_no_file(engine, sql):
    with pytest.raises(DataError, match="LM337"):
        engine.evaluate(pa.table({"x": [1]}), {"value": sql})
