"""The functions that may be used: the Databricks name, and what gives the same value in DuckDB.

A function is listed when a test holds it against what Databricks documents. Whatever is not listed is
refused: SQLGlot passes functions that it does not know on unchanged and without a warning.
"""

from __future__ import annotations

from collections.abc import Mapping

SCALAR: Mapping[str, tuple[str, ...]] = {
    "abs": ("ABS(:a)",),
    "ceil": ("TRY_CAST(CEIL(:a) AS BIGINT)",),
    "ceiling": ("TRY_CAST(CEIL(:a) AS BIGINT)",),
    "floor": ("TRY_CAST(FLOOR(:a) AS BIGINT)",),
    "round": ("ROUND(:a)",),
    "sqrt": ("CASE WHEN :a < 0 THEN CAST('NaN' AS DOUBLE) ELSE SQRT(:a) END",),
    "exp": ("EXP(:a)",),
    "ln": ("CASE WHEN :a > 0 THEN LN(:a) END",),
    "log": (
        "CASE WHEN :a > 0 THEN LN(:a) END",
        "CASE WHEN :a > 0 AND :b > 0 THEN LN(:b) / NULLIF(LN(:a), 0) END",
    ),
    "log10": ("CASE WHEN :a > 0 THEN LOG10(:a) END",),
    "log2": ("CASE WHEN :a > 0 THEN LOG2(:a) END",),
    "pow": ("POW(CAST(:a AS DOUBLE), CAST(:b AS DOUBLE))",),
    "power": ("POW(CAST(:a AS DOUBLE), CAST(:b AS DOUBLE))",),
    "mod": (":a % NULLIF(:b, 0)",),
    "pmod": ("CASE WHEN :a % NULLIF(:b, 0) < 0 THEN (:a % :b + :b) % :b ELSE :a % NULLIF(:b, 0) END",),
    "isnan": ("COALESCE(ISNAN(CAST(:a AS DOUBLE)), FALSE)",),
    "nanvl": ("CASE WHEN ISNAN(CAST(:a AS DOUBLE)) THEN :b ELSE :a END",),
    "isnull": (":a IS NULL",),
    "isnotnull": (":a IS NOT NULL",),
    "ifnull": ("COALESCE(:a, :b)",),
    "nvl": ("COALESCE(:a, :b)",),
    "nvl2": ("CASE WHEN :a IS NULL THEN :c ELSE :b END",),
    "nullif": ("NULLIF(:a, :b)",),
    "if": ("CASE WHEN :a THEN :b ELSE :c END",),
    "iff": ("CASE WHEN :a THEN :b ELSE :c END",),
    "upper": ("UPPER(REPLACE(:a, 'ß', 'SS'))",),
    "ucase": ("UPPER(REPLACE(:a, 'ß', 'SS'))",),
    "lower": ("LOWER(:a)",),
    "lcase": ("LOWER(:a)",),
    "length": ("LENGTH(:a)",),
    "len": ("LENGTH(:a)",),
    "char_length": ("LENGTH(:a)",),
    "character_length": ("LENGTH(:a)",),
    "trim": ("TRIM(:a, ' ')",),
    "ltrim": ("LTRIM(:a, ' ')",),
    "rtrim": ("RTRIM(:a, ' ')",),
    "left": ("LEFT(:a, CASE WHEN :b < 0 THEN 0 ELSE :b END)",),
    "right": ("RIGHT(:a, CASE WHEN :b < 0 THEN 0 ELSE :b END)",),
    "startswith": ("STARTS_WITH(:a, :b)",),
    "endswith": ("ENDS_WITH(:a, :b)",),
    "contains": ("CONTAINS(CAST(:a AS TEXT), :b)",),
    "replace": ("REPLACE(:a, :b, '')", "REPLACE(:a, :b, :c)"),
    "year": ("YEAR(:a)",),
    "quarter": ("QUARTER(:a)",),
    "month": ("MONTH(:a)",),
    "day": ("DAY(:a)",),
    "dayofmonth": ("DAY(:a)",),
    "dayofyear": ("DAYOFYEAR(:a)",),
    "weekofyear": ("WEEKOFYEAR(:a)",),
    "dayofweek": ("DAYOFWEEK(:a) + 1",),
    "weekday": ("ISODOW(:a) - 1",),
    "hour": ("HOUR(:a)",),
    "minute": ("MINUTE(:a)",),
    "to_date": ("TRY_CAST(:a AS DATE)",),
    "datediff": ("DATE_DIFF('day', CAST(:b AS DATE), CAST(:a AS DATE))",),
    "date_add": ("CAST(CAST(:a AS DATE) + CAST(:b AS INT) AS DATE)",),
    "date_sub": ("CAST(CAST(:a AS DATE) - CAST(:b AS INT) AS DATE)",),
}
"""Name → one template for each number of arguments; `:a` is the first argument."""

ANY_NUMBER: Mapping[str, str] = {
    "coalesce": "COALESCE",
    "greatest": "GREATEST",
    "least": "LEAST",
    "concat": "||",
}
"""Functions of any number of arguments → their DuckDB name; `||` joins and is null when a part is null."""

AGGREGATE: Mapping[str, tuple[str, ...]] = {
    "count": ("COUNT(:a)",),
    "count_if": ("COUNT_IF(:a)",),
    "sum": ("SUM(:a)",),
    "avg": ("AVG(:a)",),
    "mean": ("AVG(:a)",),
    "min": ("MIN(:a)",),
    "max": ("MAX(:a)",),
    "stddev": ("STDDEV_SAMP(:a)",),
    "std": ("STDDEV_SAMP(:a)",),
    "stddev_samp": ("STDDEV_SAMP(:a)",),
    "stddev_pop": ("STDDEV_POP(:a)",),
    "variance": ("VAR_SAMP(:a)",),
    "var_samp": ("VAR_SAMP(:a)",),
    "var_pop": ("VAR_POP(:a)",),
    "median": ("QUANTILE_CONT(CAST(:a AS DOUBLE), 0.5)",),
    "percentile": ("QUANTILE_CONT(CAST(:a AS DOUBLE), :b)",),
    "bool_and": ("BOOL_AND(:a)",),
    "every": ("BOOL_AND(:a)",),
    "bool_or": ("BOOL_OR(:a)",),
    "some": ("BOOL_OR(:a)",),
}
"""Aggregate functions, as `SCALAR`."""

WHOLE_NUMBER = (
    "CASE WHEN TYPEOF(:a) IN ('DOUBLE', 'FLOAT') OR TYPEOF(:a) LIKE 'DECIMAL%'"
    " THEN TRY_CAST(TRUNC(TRY_CAST(:a AS DOUBLE)) AS BIGINT) ELSE TRY_CAST(:a AS BIGINT) END"
)
"""Casts to whole numbers: Databricks cuts the fraction off, DuckDB would round."""
QUOTIENT = "CAST(:a AS DOUBLE) / NULLIF(CAST(:b AS DOUBLE), 0)"
"""Division is always that of doubles, and null when the divisor is 0."""
WHOLE_QUOTIENT = "TRY_CAST(TRUNC(:a / NULLIF(:b, 0)) AS BIGINT)"
"""`div` cuts the fraction off."""
REMAINDER = ":a % NULLIF(:b, 0)"

UNITS = frozenset({"year", "quarter", "month", "week", "day", "hour", "minute", "second"})
"""Units of `date_trunc`."""
CASTS: Mapping[str, str] = {
    "TEXT": "TEXT", "VARCHAR": "TEXT", "DOUBLE": "DOUBLE", "FLOAT": "FLOAT", "BOOLEAN": "BOOLEAN",
    "DATE": "DATE", "TIMESTAMP": "TIMESTAMPTZ", "TIMESTAMPTZ": "TIMESTAMPTZ",
}  # fmt: skip
"""Types of `cast`, by SQLGlot's name → DuckDB's; whole numbers go by `WHOLE_NUMBER`."""
WHOLE_TYPES = frozenset({"TINYINT", "SMALLINT", "INT", "BIGINT"})


def names(*, aggregates: bool) -> list[str]:
    """Returns the functions that may be used, sorted; with those that sum up many rows if wanted."""
    known = {*SCALAR, *ANY_NUMBER, "date_trunc", "cast", "try_cast"}
    return sorted(known | (set(AGGREGATE) if aggregates else set()))
