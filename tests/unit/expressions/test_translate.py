"""What is taken, what is refused, and in which words."""

import pyarrow as pa
import pytest

from lakemon_core.domain.errors import DataError
from lakemon_core.expressions import Shape, translate

HOSTILE = [
    "1); COPY (SELECT 1) TO '/tmp/x'; --",
    "1; DROP TABLE t",
    "origin) FROM read_csv('/etc/passwd') --",
    "(SELECT max(x) FROM t)",
    "EXISTS (SELECT 1)",
    "x IN (SELECT y FROM t)",
    "read_csv('/etc/passwd')",
    "read_text('/etc/passwd')",
    "getenv('HOME')",
    "getvariable('x')",
    "sum(x) OVER ()",
    "rank() OVER (ORDER BY x)",
    "system.main.version()",
    "x UNION SELECT 1",
    "x FROM t",
    "x LIMIT 1",
    "x, y",
    "x AS y",
    "*",
    "DISTINCT x",
    "transform(a, v -> v + 1)",
    "a:b",
    "a[0]",
    "a.b",
    "?",
    ":x",
    "{{x}}",
    "$1",
    "",
    "   ",
    "-- nothing",
    "'open",
    "'it''s'",
    "`open",
    "CREATE TABLE t (x INT)",
    "SET x = 1",
    "ATTACH 'x' AS y",
    "current_timestamp()",
    "rand()",
    "x RLIKE 'a'",
    "x LIKE 'a\\\\_b'",
    "x LIKE y",
    "cast(x AS decimal(10, 2))",
    "cast(x AS struct<a: int>)",
    "interval 1 day",
    "(" * 3000 + "x",
    "x" * 5000,
]


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: text[:40])
def test_whatever_is_not_one_calculation_is_refused(text):
    with pytest.raises(DataError) as raised:
        translate(text)
    assert raised.value.code in {"LM330", "LM331", "LM332"}
    assert raised.value.cure or "nested" in raised.value.what


@pytest.mark.parametrize("nested", ["cast(" * 40 + "x" + " as int)" * 40, "pmod(" * 60 + "x" + ", 7)" * 60])
def test_a_small_expression_cannot_grow_without_limit(nested):
    with pytest.raises(DataError, match="nested too deeply"):
        translate(nested)


def test_an_unknown_function_is_named_with_its_place_and_what_is_allowed():
    with pytest.raises(DataError) as raised:
        translate("x > 1 and percentile_approx(x, 0.5) > 2")
    assert raised.value.code == "LM331"
    assert "percentile_approx at character 11" in raised.value.what
    assert "coalesce" in raised.value.cure


def test_a_slip_in_a_function_gets_a_hint():
    with pytest.raises(DataError, match='Did you mean "dayofweek"'):
        translate("dayofwek(x)")


def test_a_wrong_number_of_arguments_is_refused():
    with pytest.raises(DataError, match="calls nvl2 with 2 arguments, it takes 3"):
        translate("nvl2(a, b)")


def test_aggregates_belong_to_metrics_of_tables_only():
    with pytest.raises(DataError, match="the aggregate avg"):
        translate("avg(x) > 1")
    assert translate("avg(x)", shape=Shape.TABLE).columns == ("x",)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("x", "outside of an aggregate"),
        ("avg(x) + x", "outside of an aggregate"),
        ("sum(avg(x))", "inside of another"),
        ("count(distinct x, y)", "DISTINCT of several"),
        ("sum(*)", r"\*"),
        ("approx_count_distinct(x)", "approx_count_distinct"),
    ],
)
def test_a_metric_of_a_table_is_one_value(text, says):
    with pytest.raises(DataError, match=says):
        translate(text, shape=Shape.TABLE)


def test_columns_are_found_whatever_their_case_unless_two_differ_by_it():
    assert translate("ORIGIN", known=["origin", "dest"]).column == "origin"
    assert translate("Origin", known=["origin", "Origin"]).column == "Origin"
    with pytest.raises(DataError, match=r'LM333.*Did you mean "origin"'):
        translate("orgin = 'JFK'", known=["origin", "dest"])


@pytest.mark.parametrize(
    "name", ["a b", "it's", 'double " quote', "back`tick", "; DROP TABLE x; --", "🙂", "select"]
)
def test_any_name_of_a_column_is_only_a_name(engine, name):
    written = "`" + name.replace("`", "``") + "`"
    made = translate(f"{written} > 1", known=[name])
    found = engine.evaluate(pa.table({name: [1, 2]}), {"value": made.sql})
    assert found.column("value").to_pylist() == [False, True]


@pytest.mark.parametrize("text", ["'; DROP TABLE x; --'", '"a\'b"', "'\\n'", "'{{x}}'", "'--'"])
def test_any_text_is_only_a_text(value_of, text):
    assert isinstance(value_of(text), str)


def test_a_comment_is_no_part_of_an_expression():
    assert translate("x > 1 -- the big ones").sql == translate("x > 1").sql


def test_only_a_bare_column_is_a_column():
    assert translate("`a b`").column == "a b"
    assert translate("a + 1").column is None
