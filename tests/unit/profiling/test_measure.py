from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest

from lakemon_core.domain.monitor import Roles
from lakemon_core.domain.window import Granularity
from lakemon_core.profiling.columns import Kind, NumericSummary
from lakemon_core.profiling.layout import Labels, lay_out
from lakemon_core.profiling.measure import (
    TABLE,
    Comparison,
    GroupKey,
    drift_rows,
    each_group,
    measure,
    plan_columns,
    profile_rows,
)
from lakemon_core.profiling.schemas import drift_schema, profile_schema

pytestmark = pytest.mark.usefixtures("loops")

ROLES = Roles(prediction_proba="proba", label="late", categorical=("prediction", "late", "hour"))
DAY = Granularity("1 day")
FIRST = DAY.window(datetime(2024, 1, 1, tzinfo=UTC))
BASELINE = GroupKey(None, None, "*", None, None, "BASELINE")
INPUT = GroupKey(FIRST, "1 day", "*", None, None, "INPUT")


@dataclass(frozen=True)
class Answer:
    values: dict
    n: int = 1
    rows: int = 1
    reasons: dict = field(default_factory=dict)
    intervals: dict = field(default_factory=dict)
    counts: dict = field(default_factory=dict)


def table(**changes):
    columns = {
        "timestamp": pa.array([FIRST.start, FIRST.start]),
        "model_id": ["1", "2"],
        "request_id": ["r", "s"],
        "row_index": [0, 0],
        "dist 'km' 🛫": [1.5, None],
        "hour": [7, 7],
        "tags": pa.array([["x"], None]),
        "carrier": ["AA", "UA"],
        "prediction": [1, 0],
        "proba": [0.7, 0.2],
        "late": pa.array([None, 1.0]),
    }
    return pa.table(columns | changes)


@pytest.mark.parametrize("windows", [[1, 0, -1, 1, 0, 0], [-1, 0, 0, 0, 1, 1]])
def test_every_group_is_asked_with_its_rows_and_those_of_the_same_rows_once(windows):
    windows = np.array(windows)
    rows = pa.table({"place": list(range(6)), "model": ["a", "a", "b", "b", "a", "a"], "other": [0] * 6})
    (section,) = lay_out(windows, 2, Labels.of(rows["model"]))
    asked = []

    def places(part):
        asked.append(part.schema.names)
        return sorted(part["place"].to_pylist())

    found = each_group(rows, section, ["place", "missing"], places)
    expected = {
        place: [
            at
            for at in range(6)
            if windows[at] == place.window and place.model_id in ("*", rows["model"][at].as_py())
        ]
        for place in section.groups
    }
    assert found == expected
    assert asked == [["place"]] * len({tuple(held) for held in expected.values()})


def test_features_prediction_probability_and_label_are_measured():
    plan = plan_columns(table().schema, ROLES)
    assert [column[:3] for column in plan.columns] == [
        ("dist 'km' 🛫", Kind.NUMERIC, "double"),
        ("hour", Kind.CATEGORICAL, "bigint"),
        ("carrier", Kind.CATEGORICAL, "string"),
        ("prediction", Kind.CATEGORICAL, "bigint"),
        ("proba", Kind.NUMERIC, "double"),
        ("late", Kind.CATEGORICAL, "double"),
    ]
    assert plan.skipped == {"tags": "columns of type list<item: string> are not measured"}


def test_named_features_only_are_measured_and_missing_ones_come_with_the_nearest_name():
    roles = Roles(features=("carier", "hour"), label="late")
    plan = plan_columns(table().schema, roles)
    assert [column.name for column in plan.columns] == ["hour", "prediction", "late"]
    assert plan.skipped == {"carier": "the table has no column 'carier'. Did you mean \"carrier\"?"}


def test_probabilities_by_class_are_skipped_with_a_reason():
    proba = pa.array([[("a", 0.5)]] * 2, pa.map_(pa.string(), pa.float64()))
    plan = plan_columns(table(proba=proba).schema, ROLES)
    assert "map" in plan.skipped["proba"]


def test_a_plan_keeps_the_columns_of_another_and_its_categories():
    inference = plan_columns(table().schema, ROLES)
    baseline = plan_columns(table(extra=["x", "y"], carrier=[1, 2]).drop(["proba"]).schema, ROLES).keep(
        inference
    )
    assert [column.name for column in baseline.columns] == [
        "dist 'km' 🛫",
        "hour",
        "carrier",
        "prediction",
        "late",
    ]
    assert baseline.columns[2].kind is Kind.CATEGORICAL


def test_profile_rows_fit_the_schema_and_come_back_as_they_were():
    rows = table()
    plan = plan_columns(rows.schema, ROLES)
    quality = Answer({"accuracy_score": 0.5, "log_loss": None}, reasons={"log_loss": "no probabilities"})
    quality.intervals["accuracy"] = (0.1, 0.9)
    quality.counts["accuracy"] = 7
    group = measure(rows, INPUT, plan, lambda rows: quality)
    fields = [("accuracy_score", pa.float64()), ("log_loss", pa.float64())]
    found = profile_rows(group, "model_id", table_version=4, config_hash="abc")
    stored = pa.Table.from_pylist(found, schema=profile_schema("model_id", fields)).to_pylist()
    assert [row["column_name"] for row in stored] == [TABLE, *(column.name for column in plan.columns)]
    whole, distance = stored[0], stored[1]
    assert whole["window"] == {"start": FIRST.start, "end": FIRST.end}
    assert dict(whole["intervals"]) == {"accuracy": {"lower": 0.1, "upper": 0.9}}
    assert dict(whole["counts"]) == {"accuracy": 7}
    assert (whole["count"], whole["accuracy_score"], whole["log_loss"]) == (2, 0.5, None)
    assert dict(whole["reasons"]) == {"log_loss": "no probabilities"}
    assert "dist 'km' 🛫" in whole["non_null_columns"]
    assert (distance["count"], distance["num_nulls"], distance["avg"]) == (1, 1, 1.5)
    assert (distance["data_type"], distance["log_type"], distance["granularity"]) == (
        "double",
        "INPUT",
        "1 day",
    )
    assert {row["table_version"] for row in stored} == {4}
    assert {row["config_hash"] for row in stored} == {"abc"}
    assert stored[6]["frequent_items"] == [{"item": "1", "count": 1}]


def test_drift_rows_fit_the_schema_and_name_their_reference():
    rows = table()
    plan = plan_columns(rows.schema, ROLES)
    baseline = measure(rows.drop(["carrier"]), BASELINE, plan)
    before = measure(rows.slice(0, 1), GroupKey(DAY.previous(FIRST), "1 day", "*", None, None, "INPUT"), plan)
    group = measure(rows, INPUT, plan)
    found = drift_rows(
        [Comparison(group, baseline, "BASELINE")], "model_id", table_version=4, config_hash="abc"
    )[0]
    found += drift_rows([Comparison(group, before, "CONSECUTIVE")], "model_id", smoothing="clip")[0]
    stored = pa.Table.from_pylist(found, schema=drift_schema("model_id")).to_pylist()
    place = {(row["drift_type"], row["column_name"]): row for row in stored}
    assert place["BASELINE", "hour"]["window_cmp"] is None
    assert place["CONSECUTIVE", "hour"]["window_cmp"]["end"] == FIRST.start
    assert place["BASELINE", TABLE]["non_null_columns_delta"] == {"added": 1, "missing": 0}
    assert place["CONSECUTIVE", TABLE]["count_delta"] == 1
    assert place["CONSECUTIVE", TABLE]["non_null_columns_delta"] == {"added": 1, "missing": 0}
    assert dict(place["BASELINE", "carrier"]["reasons"])["js_distance"] == "the reference has no such column"
    assert place["BASELINE", "hour"]["js_distance"] == 0
    assert place["CONSECUTIVE", "hour"]["method"] == "psi:levels:clip:1"
    assert place["BASELINE", "hour"]["table_version"] == 4


def test_a_reference_of_another_name_tells_its_window():
    group = measure(table(), INPUT, plan_columns(table().schema, ROLES))
    row = drift_rows([Comparison(group, group, "LAST_WEEK")], "model_id")[0][0]
    assert (row["drift_type"], row["window_cmp"]) == ("LAST_WEEK", row["window"])


def test_a_group_without_rows_has_rows_with_reasons():
    rows = table().slice(0, 0)
    plan = plan_columns(rows.schema, ROLES)
    group, full = measure(rows, INPUT, plan), measure(table(), BASELINE, plan)
    profile = pa.Table.from_pylist(profile_rows(group, "model_id"), schema=profile_schema("model_id"))
    drift = pa.Table.from_pylist(
        drift_rows([Comparison(group, full, "BASELINE")], "model_id")[0], schema=drift_schema("model_id")
    )
    assert profile.column("count").to_pylist() == [0] * 7
    reasons = dict(drift.to_pylist()[1]["reasons"])
    assert reasons["ks_test"] == "in the window there are no rows"


def test_a_number_that_was_planned_but_came_as_text_is_not_compared():
    plan = plan_columns(table().schema, ROLES)
    baseline = measure(table(proba=["high", "low"]), BASELINE, plan)
    group = measure(table(), INPUT, plan)
    assert isinstance(group.columns["proba"], NumericSummary)
    row = next(
        r
        for r in drift_rows([Comparison(group, baseline, "BASELINE")], "m")[0]
        if r["column_name"] == "proba"
    )
    assert row["reasons"]["ks_test"] == "the reference is categorical, the column numeric"
