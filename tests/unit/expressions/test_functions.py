"""Every function that may be used gives what Databricks documents for it, null and NaN included."""

import math
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from lakemon_core.expressions import functions

NAN = float("nan")
MOMENT = "cast('2024-02-29 13:45:10' as timestamp)"  # a Thursday

SCALAR = [
    ("abs(-1.5)", 1.5),
    ("abs(-3)", 3),
    ("ceil(-0.1)", 0),
    ("ceil(5.2)", 6),
    ("ceiling(-5.8)", -5),
    ("floor(-0.1)", -1),
    ("floor(7.9)", 7),
    ("round(2.5D)", 3),
    ("round(-2.5D)", -3),
    ("sqrt(4)", 2),
    ("sqrt(-1D)", NAN),
    ("exp(0)", 1),
    ("ln(1)", 0),
    ("ln(0)", None),
    ("log(exp(2))", 2),
    ("log(10, 100)", 2),
    ("log(-1)", None),
    ("log10(1000)", 3),
    ("log2(8)", 3),
    ("log2(0)", None),
    ("pow(2, 3)", 8),
    ("power(2, 0.5)", math.sqrt(2)),
    ("pow(-8D, 0.5D)", NAN),
    ("mod(-7, 3)", -1),
    ("mod(7, 0)", None),
    ("pmod(-7, 3)", 2),
    ("pmod(7, -3)", 1),
    ("pmod(-7, -3)", -1),
    ("isnan(cast('NaN' as double))", True),
    ("isnan(null)", False),
    ("nanvl(cast('NaN' as double), 2D)", 2),
    ("nanvl(1D, 2D)", 1),
    ("isnull(null)", True),
    ("isnotnull(null)", False),
    ("ifnull(null, 'a')", "a"),
    ("nvl(null, 2)", 2),
    ("nvl2(null, 1, 2)", 2),
    ("nvl2(3, 1, 2)", 1),
    ("nullif(2, 2)", None),
    ("coalesce(null, null, 3)", 3),
    ("if(1 < 2, 'a', 'b')", "a"),
    ("if(null, 'a', 'b')", "b"),
    ("iff(1 > 2, 'a', 'b')", "b"),
    ("greatest(1, null, 3)", 3),
    ("least(2, null, 3)", 2),
    ("greatest(1D, cast('NaN' as double))", NAN),
    ("upper('straße é')", "STRASSE É"),
    ("ucase('a')", "A"),
    ("lower('ÀB')", "àb"),
    ("lcase('A')", "a"),
    ("length('Ab é ')", 5),
    ("len('🙂')", 1),
    ("char_length('ab')", 2),
    ("character_length('')", 0),
    ("concat('a', '/', 'b')", "a/b"),
    ("concat('a', null)", None),
    ("concat(1, 'a', true)", "1atrue"),
    ("trim('  a\t ')", "a\t"),
    ("ltrim('  a ')", "a "),
    ("rtrim(' a  ')", " a"),
    ("left('Spark', 3)", "Spa"),
    ("left('Spark', -1)", ""),
    ("left('Spark', null)", None),
    ("right('Spark', 3)", "ark"),
    ("right('Spark', -1)", ""),
    ("startswith('Spark', 'Sp')", True),
    ("endswith('Spark', 'rk')", True),
    ("contains('Spark', 'par')", True),
    ("contains(null, 'a')", None),
    ("replace('abcabc', 'b', 'X')", "aXcaXc"),
    ("replace('abc', 'b')", "ac"),
    ("replace('abc', '', 'X')", "abc"),
    (f"year({MOMENT})", 2024),
    (f"quarter({MOMENT})", 1),
    (f"month({MOMENT})", 2),
    (f"day({MOMENT})", 29),
    (f"dayofmonth({MOMENT})", 29),
    (f"dayofyear({MOMENT})", 60),
    (f"weekofyear({MOMENT})", 9),
    (f"dayofweek({MOMENT})", 5),
    ("dayofweek(date '2026-11-22')", 1),
    (f"weekday({MOMENT})", 3),
    ("weekday(date '2026-11-22')", 6),
    (f"hour({MOMENT})", 13),
    (f"minute({MOMENT})", 45),
    ("to_date('2024-02-29')", date(2024, 2, 29)),
    ("to_date('x')", None),
    ("datediff(date '2024-03-01', date '2024-02-28')", 2),
    ("date_add(date '2024-02-28', 2)", date(2024, 3, 1)),
    ("date_sub(date '2024-03-01', 1)", date(2024, 2, 29)),
    (f"date_trunc('WEEK', {MOMENT})", datetime(2024, 2, 26, tzinfo=UTC)),
    (f"date_trunc('hour', {MOMENT})", datetime(2024, 2, 29, 13, tzinfo=UTC)),
    ("cast(2.9D as int)", 2),
    ("cast(-2.9D as bigint)", -2),
    ("cast(2.9 as int)", 2),
    ("cast('12' as int)", 12),
    ("cast(1 > 0 as int)", 1),
    ("cast('x' as double)", None),
    ("try_cast('x' as int)", None),
    ("cast(5 as string)", "5"),
    ("'7'::int", 7),
]
OPERATORS = [
    ("7 / 2", 3.5),
    ("7 / 0", None),
    ("-7 div 2", -3),
    ("7 div 0", None),
    ("-7 % 3", -1),
    ("7 % 0", None),
    ("1 + 2 * 3", 7),
    ("(1 + 2) * 3", 9),
    ("-(1 - 3)", 2),
    ("not true and false or true", True),
    ("null <=> null", True),
    ("1 is distinct from null", True),
    ("null = null", None),
    ("null is not null", False),
    ("2 between 1 and 2", True),
    ("2 in (1, 2)", True),
    ("2 not in (1, null)", None),
    ("'abc' like 'a%'", True),
    ("'a' || null", None),
    ("case when 1 > 2 then 'a' when 2 > 1 then 'b' end", "b"),
    ("case 3 when 3 then 'three' else 'other' end", "three"),
    ("'it\\'s'", "it's"),
    ('"double quotes"', "double quotes"),
    ("cast('NaN' as double) = cast('NaN' as double)", True),
    ("cast('NaN' as double) > 1e300", True),
]
AGGREGATE = [
    ("count(*)", 4),
    ("count(x)", 3),
    ("count(distinct k)", 2),
    ("count_if(x > 1)", 2),
    ("sum(x)", 7),
    ("sum(k)", 4),
    ("avg(x)", 7 / 3),
    ("mean(x)", 7 / 3),
    ("avg(n)", NAN),
    ("min(x)", 1),
    ("max(x)", 4),
    ("max(n)", NAN),
    ("min(s)", "a"),
    ("stddev(x)", math.sqrt(7 / 3)),
    ("std(x)", math.sqrt(7 / 3)),
    ("stddev_samp(x)", math.sqrt(7 / 3)),
    ("stddev_pop(x)", math.sqrt(14 / 9)),
    ("variance(x)", 7 / 3),
    ("var_samp(x)", 7 / 3),
    ("var_pop(x)", 14 / 9),
    ("median(x)", 2),
    ("percentile(x, 0.25)", 1.5),
    ("bool_and(b)", False),
    ("every(b)", False),
    ("bool_or(b)", True),
    ("some(b)", True),
    ("sum(x) filter (where b)", 5),
    ("sum(cast(b as int)) / count(b)", 2 / 3),
    ("sqrt(avg(x * x))", math.sqrt(7)),
    ("count_if(n > 2)", 2),
    ("sum(x) / count_if(x > 100)", None),
]


def same(found, expected):
    if isinstance(expected, float) and math.isnan(expected):
        return isinstance(found, float) and math.isnan(found)
    if isinstance(expected, int | float) and not isinstance(expected, bool):
        return found is not None and math.isclose(float(found), expected, rel_tol=1e-12, abs_tol=1e-12)
    return found == expected and type(found) is type(expected)


@pytest.mark.parametrize(("text", "expected"), SCALAR + OPERATORS, ids=lambda part: str(part)[:60])
def test_a_value_is_what_databricks_documents(value_of, text, expected):
    found = value_of(text)
    assert same(found, expected), found


@pytest.mark.parametrize(("text", "expected"), AGGREGATE, ids=lambda part: str(part)[:60])
def test_an_aggregate_is_what_databricks_documents(total_of, text, expected):
    found = total_of(text)
    assert same(found, expected), found


def test_the_guide_names_every_function_that_may_be_used():
    guide = Path(__file__).parents[3] / "docs/guide/slices-and-custom-metrics.md"
    text = guide.read_text(encoding="utf-8")
    assert [name for name in functions.names(aggregates=True) if f"`{name}`" not in text] == []


def test_every_function_that_may_be_used_is_held_against_its_meaning():
    texts = " ".join(text for text, _ in SCALAR + AGGREGATE)
    missing = [name for name in functions.names(aggregates=True) if f"{name}(" not in texts]
    assert missing == []
