"""Expressions that a lake runs itself: checked, names filled in, and otherwise as they were written."""

import pytest

from lakemon_core.domain.errors import DataError
from lakemon_core.domain.monitor import Roles
from lakemon_core.expressions import DATABRICKS, Shape, read_metrics

ROLES = Roles(timestamp="ts", model_id="v", prediction="my prediction", label="late`s")


@pytest.mark.parametrize(
    ("text", "sql"),
    [
        ("distance > 900", "`distance` > 900"),
        ("DISTANCE", "`distance`"),
        ("upper(origin) like 'J%'", "UPPER(`origin`) LIKE 'J%'"),
        ("regexp_like(origin, '^J')", "REGEXP_LIKE(`origin`, '^J')"),
        ("case when distance is null then 'no' else origin end",
         "CASE WHEN `distance` IS NULL THEN 'no' ELSE `origin` END"),
    ],
)  # fmt: skip
def test_an_expression_stays_databricks_sql_with_its_names_quoted(text: str, sql: str):
    done = DATABRICKS.translate(text, known=["distance", "origin"])
    assert done.sql == sql
    assert set(done.columns) <= {"distance", "origin"}
    assert done.column == ("distance" if text == "DISTANCE" else None)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("distance >", "LM330"),
        ("distance, origin", "LM330"),
        ("max(distance)", "LM332"),
        ("odd(distance) + (select max(distance) from flights)", "LM332"),
        ("odd(distanc)", "LM333"),
    ],
)
def test_what_no_lake_can_slice_by_is_refused(text: str, code: str):
    with pytest.raises(DataError) as caught:
        DATABRICKS.translate(text, known=["distance", "origin"])
    assert caught.value.code == code


def test_parameters_become_quoted_names_and_types_are_those_of_databricks():
    (rows, drift) = read_metrics(
        [
            {"name": "same", "type": "aggregate", "input_columns": [":table"], "output_data_type": "string",
             "definition": "max_by({{prediction_col}}, {{timestamp_col}}) || count_if({{label_col}} = 'x')"},
            {"name": "moved", "type": "drift", "input_columns": ["a"],
             "definition": "{{current_df}}.precision.macro - {{base_df}}.mase"},
        ],
        (),
    )  # fmt: skip
    (one,) = rows.planned(ROLES, dialect=DATABRICKS)
    assert one.translated.sql == (
        "CAST(MAX_BY(`my prediction`, `ts`) || COUNT_IF(`late``s` = 'x') AS STRING)"
    )
    assert one.translated.columns == ("my prediction", "ts", "late`s")
    (two,) = drift.planned(ROLES, dialect=DATABRICKS)
    assert two.translated.sql == "CAST(`current_df`.`precision`.`macro` - `base_df`.`mase` AS DOUBLE)"
    assert two.translated.fields == ("precision", "mase")
    assert DATABRICKS.translate("a.b", shape=Shape.METRICS).fields == ("b",)
