"""Unpacking in the warehouse: every format, every shape of a prediction, each row exactly once."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from fakes.databricks import FakeWorkspace
from lakemon_classification.model_type import Classification
from lakemon_databricks.serving.history import Deployment, note
from lakemon_databricks.unpack import Unpacking
from lakemon_regression.model_type import Regression

from lakemon_core.ports import PROBE_PREFIX, ModelVersion

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
PAYLOAD = "prod.flights.inference_logs_payload"
TARGET = "prod.flights.inference_logs"
INPUTS = {"distance": "double", "dest": "string", "stops": "long"}
ROWS = [{"distance": 1.5, "dest": "JFK", "stops": 2}, {"distance": None, "dest": "it's 🙂", "stops": 0}]
_SCHEMA = pa.schema({
    "databricks_request_id": pa.string(), "client_request_id": pa.string(),
    "request_time": pa.timestamp("us", "UTC"), "status_code": pa.int32(), "request": pa.string(),
    "response": pa.string(), "served_entity_id": pa.string(),
})  # fmt: skip


class Models:
    """A registry that knows two versions of one model."""

    def resolve(self, name: str, version: str) -> ModelVersion:
        return ModelVersion(name, version, inputs=INPUTS, outputs={"prediction": "double"})


def logged(number: int, request: object, predictions: object, **fields: Any) -> dict[str, Any]:
    """One row of the payload table."""
    row = {
        "databricks_request_id": f"r{number}",
        "client_request_id": None,
        "request_time": NOON + timedelta(minutes=number),
        "status_code": 200,
        "request": request if isinstance(request, str | None) else json.dumps(request),
        "response": json.dumps({"predictions": predictions}),
        "served_entity_id": "e1",
    }
    return row | fields


@pytest.fixture
def unpack(signed_in: FakeWorkspace, open_databricks, quiet):
    """Writes payload rows and unpacks them; returns what it did, and the rows of the inference table."""
    signed_in.lake.create_schema("prod.flights")
    backend = open_databricks()
    note(backend.ledger, "flights", Deployment(NOON, "prod.flights.delays", {"3": 100}))

    def run(*payload: Mapping[str, Any], model_type: object = None):
        if payload:
            signed_in.lake.write(PAYLOAD, pa.Table.from_pylist(list(payload), schema=_SCHEMA))
        unpacking = Unpacking(
            backend.statements,
            backend.tables,
            backend.ledger,
            Models(),
            backend.setup.monitor,
            model_type or Classification(Classification.Config()),
        )
        done = unpacking.run(quiet)
        known = TARGET in signed_in.lake.metastore.tables
        rows = signed_in.lake.sql(f"SELECT * FROM {TARGET} ORDER BY request_id, row_index") if known else None
        return done, rows.to_pylist() if rows is not None else []

    return run


FORMATS = [
    {"dataframe_records": ROWS},
    {"dataframe_split": {"columns": list(INPUTS), "data": [list(row.values()) for row in ROWS]}},
    {
        "dataframe_split": {
            "columns": list(INPUTS),
            "index": [5, 6],
            "data": [[*row.values()] for row in ROWS],
        }
    },
    pytest.param({"instances": ROWS}, marks=pytest.mark.slow),
    {"instances": [list(row.values()) for row in ROWS]},
    {"inputs": {name: [row[name] for row in ROWS] for name in INPUTS}},
    pytest.param({"inputs": ROWS}, marks=pytest.mark.slow),
]


@pytest.mark.parametrize("request_body", FORMATS, ids=lambda body: json.dumps(body)[:40])
def test_every_format_of_a_request_gives_the_same_rows(unpack, request_body):
    done, rows = unpack(logged(1, request_body, ["yes", "no"], client_request_id="c1"))
    assert (done.requests, done.rows, done.failed, dict(done.unreadable)) == (1, 2, 0, {})
    common = {"request_id": "r1", "timestamp": NOON + timedelta(minutes=1), "model_id": "3",
              "client_request_id": "c1"}  # fmt: skip
    assert rows == [
        common | row | {"row_index": at, "prediction": answer}
        for at, (row, answer) in enumerate(zip(ROWS, ["yes", "no"], strict=True))
    ]


def classification(**settings: Any) -> Classification:
    return Classification(Classification.Config(**settings))


@pytest.mark.parametrize(
    ("model_type", "predictions", "expected"),
    [
        (classification(), ["a", "b"], [{"prediction": "a"}, {"prediction": "b"}]),
        (classification(), [0, 1], [{"prediction": 0}, {"prediction": 1}]),
        (classification(), [{"0": "a"}, {"0": "b"}], [{"prediction": "a"}, {"prediction": "b"}]),
        (
            classification(prediction_proba_col="p"),
            [{"prediction": "a", "p": 0.75}, {"prediction": "b", "p": 0.5}],
            [{"prediction": "a", "p": 0.75}, {"prediction": "b", "p": 0.5}],
        ),
        (
            classification(prediction_proba_col="p", classes=["no", "yes"]),
            [[0.25, 0.75], [0.5, 0.5]],
            [{"prediction": "yes", "p": 0.75}, {"prediction": "no", "p": 0.5}],
        ),
        (
            classification(prediction_proba_col="p", classes=["no", "yes"]),
            {"no": [0.25, 0.5], "yes": [0.75, 0.5]},
            [{"prediction": "yes", "p": 0.75}, {"prediction": "no", "p": 0.5}],
        ),
        (
            classification(prediction_proba_col="p", classes=["a", "b", "c"]),
            [[0.1, 0.2, 0.7], [0.6, 0.3, 0.1]],
            [
                {"prediction": "c", "p": [("a", 0.1), ("b", 0.2), ("c", 0.7)]},
                {"prediction": "a", "p": [("a", 0.6), ("b", 0.3), ("c", 0.1)]},
            ],
        ),
        (Regression(Regression.Config()), [1.5, 2], [{"prediction": 1.5}, {"prediction": 2.0}]),
        (Regression(Regression.Config()), [[1.5], [-2.5]], [{"prediction": 1.5}, {"prediction": -2.5}]),
        (
            Regression(Regression.Config(quantile_cols={0.1: "lo", 0.9: "hi"})),
            [{"prediction": 1.5, "lo": 1.0, "hi": 2.0}, {"prediction": 0.5, "lo": None, "hi": 1.0}],
            [{"prediction": 1.5, "lo": 1.0, "hi": 2.0}, {"prediction": 0.5, "lo": None, "hi": 1.0}],
        ),
    ],
    ids=lambda value: json.dumps(value)[:40] if isinstance(value, list | dict) else "",
)
def test_every_shape_of_a_prediction_means_what_the_model_type_says(
    unpack, model_type, predictions, expected
):
    done, rows = unpack(logged(1, {"dataframe_records": ROWS}, predictions), model_type=model_type)
    assert dict(done.unreadable) == {}
    assert [{name: row[name] for name in one} for row, one in zip(rows, expected, strict=True)] == expected


def test_what_comes_twice_or_again_changes_nothing(unpack, signed_in):
    first = logged(1, {"dataframe_records": ROWS}, ["yes", "no"])
    done, rows = unpack(first, first)
    assert (done.requests, done.rows, len(rows)) == (1, 2, 2)
    version = signed_in.lake.sql(f"DESCRIBE HISTORY {TARGET} LIMIT 1").to_pylist()[0]["version"]
    assert unpack()[0].requests == 0
    done, rows = unpack(first, logged(2, {"dataframe_records": ROWS[:1]}, ["yes"]))
    assert (done.rows, len(rows)) == (1, 3)
    assert signed_in.lake.sql(f"DESCRIBE HISTORY {TARGET} LIMIT 1").to_pylist()[0]["version"] == version + 1


def test_failed_requests_and_probes_are_left_out(unpack):
    body = {"dataframe_records": ROWS[:1]}
    done, rows = unpack(
        logged(1, body, ["yes"]),
        logged(2, body, None, status_code=400, response='{"error_code": "BAD_REQUEST"}'),
        logged(3, body, ["yes"], client_request_id=f"{PROBE_PREFIX}1"),
    )
    assert (done.requests, done.failed, [row["request_id"] for row in rows]) == (2, 1, ["r1"])


@pytest.mark.parametrize(
    ("request_body", "predictions", "why"),
    [
        (None, ["yes"], "request or response was too large to be logged"),
        ("<html>", ["yes"], "request has none or several of the input formats"),
        (
            {"dataframe_records": ROWS, "inputs": ROWS},
            ["yes"],
            "request has none or several of the input formats",
        ),
        ({"dataframe_records": ROWS}, ["yes"], "request and response differ in length"),
        ({"dataframe_records": ROWS}, None, "response has no predictions"),
        (
            {"inputs": {"distance": [1.0, 2.0], "dest": ["JFK"]}},
            ["yes", "no"],
            "request has none or several of the input formats",
        ),
        ({"dataframe_records": [{"timestamp": 1e40}]}, ["yes"], "a value does not fit its column"),
        ({"dataframe_records": ROWS}, ["yes", {"a": 1, "b": 2}], "prediction is not understood"),
        ({"dataframe_records": [ROWS[0], {"stops": 1.5}]}, ["yes", "no"], "a value does not fit its column"),
        ({"dataframe_records": [{"distance": "far"}]}, ["yes"], "a value does not fit its column"),
    ],
    ids=str,
)
def test_what_cannot_be_understood_is_counted_and_left_out_as_a_whole(unpack, request_body, predictions, why):
    good = logged(9, {"dataframe_records": ROWS}, ["yes", "no"])
    done, rows = unpack(logged(1, request_body, predictions), good)
    assert dict(done.unreadable) == {why: 1}
    assert {row["request_id"] for row in rows} == {"r9"}


def test_the_version_is_that_of_the_system_table_where_it_may_be_read(unpack, signed_in):
    signed_in.lake.virtual["system.serving.served_entities"] = lambda catalog: pa.table({
        "served_entity_id": ["e1", "e2"], "entity_name": ["prod.flights.delays"] * 2,
        "entity_version": ["7", "8"],
    })  # fmt: skip
    signed_in.lake.metastore.grant("system", signed_in.user, "USE CATALOG", "USE SCHEMA", "SELECT")
    body = {"dataframe_records": ROWS[:1]}
    _, rows = unpack(logged(1, body, ["yes"]), logged(2, body, ["no"], served_entity_id="e2"))
    assert [row["model_id"] for row in rows] == ["7", "8"]


def test_a_version_that_nobody_knows_is_named_by_its_entity(unpack):
    body = {"dataframe_records": ROWS[:1]}
    _, rows = unpack(logged(1, body, ["yes"], request_time=NOON - timedelta(days=1)))
    assert [row["model_id"] for row in rows] == ["e1"]


def test_a_row_may_state_its_own_time(unpack):
    body = {"dataframe_records": [{"timestamp": "2026-02-01T00:00:00Z"}, {"timestamp": 1772323200000}]}
    _, rows = unpack(logged(1, body, ["yes", "no"]))
    assert [row["timestamp"] for row in rows] == [
        datetime(2026, 2, 1, tzinfo=UTC),
        datetime(2026, 3, 1, tzinfo=UTC),
    ]


def test_a_place_is_made_for_labels_that_come_later(unpack):
    _, rows = unpack(
        logged(1, {"dataframe_records": ROWS[:1]}, ["yes"]), model_type=classification(label_col="late")
    )
    assert rows[0]["late"] is None
