"""Custom metrics in Databricks' own definition, through the command line, held against pandas."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

FIRST_DAY = datetime(2026, 3, 2, tzinfo=UTC)
METRICS = "lake.monitoring.inference_logs"
CONFIG = """\
model: {name: delays, type: classification, model_id_col: version, label_col: late,
        features: [miles, age, city]}
environments:
  dev:
    catalog: lake
    schema: air
    monitoring:
      baseline_table: training
      slicing_exprs: [city]
      custom_metrics:
        - {type: aggregate, name: squared_avg, input_columns: [miles, age],
           definition: "avg({{input_column}} * {{ input_column }})", output_data_type: double}
        - {type: CUSTOM_METRIC_TYPE_DERIVED, name: rms, input_columns: [miles, age],
           definition: sqrt(squared_avg),
           output_data_type: '{"metadata":{},"name":"output","nullable":true,"type":"double"}'}
        - {type: DATA_PROFILING_CUSTOM_METRIC_TYPE_DRIFT, name: rms_ratio, input_columns: [age],
           definition: "{{current_df}}.rms / {{base_df}}.rms"}
        - {type: aggregate, name: agreement, input_columns: [":table"],
           definition: "count_if({{prediction_col}} = {{label_col}}) / count({{label_col}})"}
        - {type: aggregate, name: oldest, input_columns: [":table"], definition: max(age),
           output_data_type: bigint}
        - {type: aggregate, name: first_city, input_columns: [":table"], definition: min(city),
           output_data_type: string}
        - {type: aggregate, name: hopeless, input_columns: [":table"], definition: max(miles),
           output_data_type: int}
        - {type: derived, name: error_rate, input_columns: [":table"], definition: 1 - agreement}
        - {type: drift, name: accuracy_delta, input_columns: [":table"],
           definition: "{{current_df}}.accuracy_score - {{base_df}}.accuracy_score"}
        - {type: drift, name: macro_delta, input_columns: [":table"],
           definition: "{{current_df}}.f1_score.macro - {{base_df}}.f1_score.macro"}
      alerts:
        - {metric: agreement, threshold: 0.99, op: "<", slice: city=Rome}
        - {metric: rms_ratio, threshold: 1.2}
"""


def trips(seed: int, rows: int, day: int | None = None) -> pa.Table:
    rng = np.random.default_rng(seed)
    late = rng.random(rows) < 0.5
    miles = rng.normal(100, 20, rows)
    miles[0] = np.nan
    columns = {
        "miles": pa.array(miles, mask=rng.random(rows) < 0.1),
        "age": pa.array(rng.integers(20, 40, rows) * (2 if day == 1 else 1)),
        "city": pa.array(rng.choice(["Rome", "Oslo"], rows)),
        "version": pa.array(["1"] * rows),
        "prediction": pa.array(np.where(rng.random(rows) < 0.8, late, ~late)),
        "late": pa.array(late, mask=rng.random(rows) < 0.2),
    }
    if day is not None:
        moments = [FIRST_DAY + timedelta(days=day, seconds=second) for second in range(rows)]
        columns = {"timestamp": pa.array(moments, pa.timestamp("us", "UTC")), **columns}
    return pa.table(columns)


DAYS = [trips(1, 300, 0), trips(2, 350, 1)]
TRAINING = trips(3, 500)
TABLES = {"lake.air.inference_logs": pa.concat_tables(DAYS), "lake.air.training": TRAINING}


@pytest.fixture(scope="session")
def measured(project):
    made = project("custom", CONFIG, TABLES)
    made.first = made.json("run")
    return made


@pytest.fixture(scope="session")
def rows(measured):
    return {kind: measured.table(f"{METRICS}_{kind}_metrics") for kind in ("profile", "drift")}


def one(table, day, column, city=None, **more):
    found = [
        row
        for row in table.to_pylist()
        if row["column_name"] == column
        and row["slice_value"] == city
        and row["version"] == "*"
        and (row["window"]["start"] if row["window"] else None)
        == (None if day is None else FIRST_DAY + timedelta(days=day))
        and all(row[key] == value for key, value in more.items())
    ]
    assert len(found) == 1
    return found[0]


def part(day, city):
    found = (TRAINING if day is None else DAYS[day]).to_pandas()
    return found if city is None else found[found["city"] == city]


@pytest.mark.parametrize("city", [None, "Rome"])
@pytest.mark.parametrize("day", [0, 1, None])
def test_aggregates_and_what_is_derived_from_them_agree_with_pandas(rows, day, city):
    expected, table = part(day, city), one(rows["profile"], day, ":table", city)
    squared = float((expected["age"].astype(float) ** 2).mean())
    age = one(rows["profile"], day, "age", city)
    assert age["squared_avg"] == pytest.approx(squared, rel=1e-12)
    assert age["rms"] == pytest.approx(np.sqrt(squared), rel=1e-12)
    judged = expected[expected["late"].notna()]
    agreement = (judged["late"] == judged["prediction"]).mean()
    assert table["agreement"] == pytest.approx(agreement, rel=1e-12)
    assert table["error_rate"] == pytest.approx(1 - agreement, rel=1e-12)
    assert table["oldest"] == expected["age"].max()
    assert table["first_city"] == expected["city"].min()
    assert table["squared_avg"] is None
    assert age["agreement"] is None


def test_nan_stays_nan_as_in_databricks(rows):
    assert np.isnan(one(rows["profile"], 0, "miles")["squared_avg"])


@pytest.mark.parametrize("city", [None, "Oslo"])
def test_drift_metrics_compare_two_rows(rows, city):
    def rms(day):
        return np.sqrt(float((part(day, city)["age"].astype(float) ** 2).mean()))

    def accuracy(day):
        judged = part(day, city)
        judged = judged[judged["late"].notna()]
        return float((judged["late"] == judged["prediction"]).mean())

    for kind, reference in (("BASELINE", None), ("CONSECUTIVE", 0)):
        age = one(rows["drift"], 1, "age", city, drift_type=kind)
        assert age["rms_ratio"] == pytest.approx(rms(1) / rms(reference), rel=1e-12)
        table = one(rows["drift"], 1, ":table", city, drift_type=kind)
        assert table["accuracy_delta"] == pytest.approx(accuracy(1) - accuracy(reference), abs=1e-12)
        assert abs(table["macro_delta"]) < 1
        assert age["accuracy_delta"] is None


def test_columns_have_the_type_that_the_definition_names(rows):
    schema = rows["profile"].schema
    assert [str(schema.field(name).type) for name in ("rms", "oldest", "first_city", "hopeless")] == [
        "double",
        "int64",
        "string",
        "int32",
    ]
    assert str(rows["drift"].schema.field("rms_ratio").type) == "double"


def test_a_value_that_cannot_be_computed_says_why_and_stops_no_other(rows):
    row = one(rows["profile"], 0, ":table")
    assert row["hopeless"] is None
    assert "nan" in dict(row["reasons"])["hopeless"].lower()
    assert row["oldest"] is not None


def test_rules_name_custom_metrics(measured):
    opened = {one["rule"]: one for one in measured.first["incidents"] if one["status"] == "open"}
    assert opened.keys() == {"agreement/city=Rome", "rms_ratio"}
    assert opened["rms_ratio"]["column"] == "age"


def test_a_metric_that_is_added_later_becomes_a_column_with_all_windows_measured(project):
    first = CONFIG.partition("      custom_metrics:")[0]
    later = project("evolved", first, TABLES)
    later.lakemon("run")
    assert "rms" not in later.table(f"{METRICS}_profile_metrics").schema.names
    (later.folder / "monitoring_config.yml").write_text(CONFIG, encoding="utf-8")
    later.lakemon("run")
    found = later.table(f"{METRICS}_profile_metrics").to_pandas()
    ages = found[(found["column_name"] == "age") & (found["log_type"] == "INPUT")]
    assert len(ages) == 2 * 3 * 2
    assert ages["rms"].notna().all()


WRONG = """\
      slicing_exprs: [cty, "avg(age) > 1", "(SELECT 1)", "age + city", "city / 2"]
      custom_metrics:
        - {type: aggregate, name: a, input_columns: [":table"], definition: "sqroot(avg(age))"}
        - {type: aggregate, name: b, input_columns: [":table"], definition: "max(aeg)"}
        - {type: aggregate, name: c, input_columns: [":table"], definition: "1 + max_by(age, miles)"}
        - {type: aggregate, name: avg_delta, input_columns: [":table"], definition: "max(age)"}
        - {type: aggregate, name: d, input_columns: [age], definition: max(age), output_data_type: "map<int>"}
        - {type: aggregate, name: e, input_columns: [":table"], definition: "max({{input_column}})"}
        - {type: drift, name: f, input_columns: [":table"], definition: "{{current_df}}.rmss + 1"}
        - {type: drift, name: g, input_columns: [":table"], definition: "{{input_column}} + 1"}
        - {type: derived, name: h, input_columns: [":table"], definition: "1 - agreed"}
        - {type: aggregate, name: i, input_columns: [":table"], definition: "avg(city)"}
        - {type: aggregate, name: j, input_columns: [version], definition: "count(*)"}
        - {type: aggregate, name: k, input_columns: [":table"], definition: "{% if x %} 1 {% endif %}"}
        - {type: aggregate, name: l, input_columns: [":table"], definition: "count(*)); COPY t TO 'x"}
"""
REFUSED = [
    ("LM333", "slicing_exprs.0", 'Did you mean "city"'),
    ("LM332", "slicing_exprs.1", "the aggregate avg"),
    ("LM332", "slicing_exprs.2", "a subquery"),
    ("LM337", "slicing_exprs.3", "does not fit"),
    ("LM337", "slicing_exprs.4", "Could not convert string"),
    ("LM331", "custom_metrics.0", 'sqroot at character 1, which cannot be translated; Did you mean "sqrt"'),
    ("LM333", "custom_metrics.1", 'Did you mean "age"'),
    ("LM331", "custom_metrics.2", "max_by at character 5"),
    ("LM335", "custom_metrics.3", "avg_delta"),
    ("LM336", "custom_metrics.4", "use one of"),
    ("LM334", "custom_metrics.5", "{{input_column}} for :table"),
    ("LM333", "custom_metrics.6", "rmss"),
    ("LM334", "custom_metrics.7", "{{input_column}}, which a metric of type drift does not have"),
    ("LM333", "custom_metrics.8", "agreed"),
    ("LM337", "custom_metrics.9", "does not fit"),
    ("LM333", "custom_metrics.10", "not measured"),
    ("LM334", "custom_metrics.11", "{% if x %}"),
    ("LM330", "custom_metrics.12", "not one expression"),
]


@pytest.mark.parametrize("command", ["check", "plan", "run"])
def test_what_cannot_be_measured_is_refused_before_anything_runs(measured, command):
    head = CONFIG.partition("      slicing_exprs")[0]
    (measured.folder / "wrong.yml").write_text(head + WRONG, encoding="utf-8")
    before = measured.versions()
    line = ("config", "check") if command == "check" else (command,)
    problems = measured.json(*line, "wrong.yml", code=2)["error"]["problems"]
    assert [(one["code"], one["path"].rpartition("monitoring.")[2]) for one in problems] == [
        (code, path) for code, path, _ in REFUSED
    ]
    for problem, (_, _, says) in zip(problems, REFUSED, strict=True):
        assert says in f"{problem['what']} {problem['cure']}"
        assert problem["line"] > 0
    assert measured.versions() == before


def test_before_there_is_a_table_names_are_taken_on_trust_but_functions_are_not(project):
    empty = project("empty", CONFIG, {})
    empty.lakemon("config", "check")
    wrong = CONFIG.replace("max(age)", '"max_by(age, miles)"')
    (empty.folder / "wrong.yml").write_text(wrong, encoding="utf-8")
    assert "LM331" in str(empty.json("config", "check", "wrong.yml", code=2)["error"])
