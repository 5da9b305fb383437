"""Payload rows become inference rows, each exactly once, whatever comes twice, late or broken."""

from datetime import UTC, datetime

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lakemon_core.ports import PROBE_PREFIX, UnpackResult

UTC_US = pa.timestamp("us", "UTC")


def test_without_a_payload_table_there_is_nothing_to_do(lake):
    assert lake.unpack() == UnpackResult()
    assert not lake.tables.exists(lake.target)


def test_one_row_a_prediction_with_key_time_version_inputs_and_outputs(lake):
    asked = lake.ask(
        {"distance": 1, "hour": 3, "flight_id": 7}, {"distance": 2.5, "hour": None}, predictions=[0.25, 0.75],
        client_request_id="mine",
    )  # fmt: skip
    assert lake.unpack() == UnpackResult(requests=1, rows=2)
    first, second = lake.rows()
    assert (first["request_id"], first["row_index"], first["model_id"]) == (asked, 0, "1")
    assert (first["distance"], first["hour"], first["flight_id"], first["prediction"]) == (1.0, 3, 7, 0.25)
    assert (second["row_index"], second["distance"], second["hour"], second["prediction"]) == (
        1,
        2.5,
        None,
        0.75,
    )
    assert second["flight_id"] is None
    assert first["client_request_id"] == "mine"
    assert first["timestamp"] == datetime(2026, 3, 2, 12, 0, 1, tzinfo=UTC)


def test_columns_are_typed_by_the_signature_the_others_by_their_values(lake):
    lake.ask({"distance": 1, "hour": 3.0, "at": "2026-03-01", "tags": ["a"], "flight_id": 7, "note": "n"})
    lake.unpack()
    kinds = {
        name: lake.type_of(name) for name in ("distance", "hour", "at", "flight_id", "note", "prediction")
    }
    assert kinds == {
        "distance": pa.float64(), "hour": pa.int64(), "at": UTC_US, "flight_id": pa.int64(),
        "note": pa.string(), "prediction": pa.float64(),
    }  # fmt: skip
    assert lake.column("tags") == [["a"]]
    assert (lake.type_of("timestamp"), lake.type_of("row_index")) == (UTC_US, pa.int64())


def test_again_changes_nothing_and_new_requests_are_added(lake):
    lake.ask({"distance": 1.0})
    lake.unpack()
    version = lake.tables.info(lake.target).version
    assert lake.unpack() == UnpackResult()
    assert lake.tables.info(lake.target).version == version
    lake.ask({"distance": 2.0})
    assert lake.unpack() == UnpackResult(requests=1, rows=1)
    assert lake.column("distance") == [1.0, 2.0]


def test_a_replayed_request_changes_nothing(lake):
    lake.ask({"distance": 1.0}, databricks_request_id="same")
    lake.ask({"distance": 1.0}, databricks_request_id="same")
    assert lake.unpack().rows == 1
    lake.ask({"distance": 1.0}, databricks_request_id="same")
    version = lake.tables.info(lake.target).version
    assert lake.unpack() == UnpackResult(requests=1, rows=0)
    assert lake.tables.info(lake.target).version == version


def test_a_lost_watermark_costs_work_but_no_row(lake):
    lake.ask({"distance": 1.0})
    lake.unpack()
    lake.ledger.put(f"unpacked:{lake.payload}:{lake.target}", "999")
    lake.ask({"distance": 2.0})
    assert lake.unpack().rows == 1
    assert len(lake.rows()) == 2


def test_a_dropped_inference_table_is_made_again_whole(lake, tmp_path):
    import shutil

    for number in range(3):
        lake.ask({"distance": float(number)})
    lake.unpack()
    shutil.rmtree(tmp_path / "tables" / "dev" / "flights" / "logs")
    assert lake.unpack().rows == 3


def test_failed_and_test_requests_are_left_out(lake):
    lake.ask({"distance": 1.0})
    lake.log("{", '{"error_code": "BAD_REQUEST"}', status_code=400)
    lake.ask({"distance": 2.0}, client_request_id=f"{PROBE_PREFIX}1")
    assert lake.unpack() == UnpackResult(requests=2, rows=1, failed=1)
    assert lake.column("distance") == [1.0]


def test_what_is_not_understood_is_counted_by_its_kind_and_stops_nothing(lake):
    lake.ask({"distance": 1.0}, predictions=[0.1, 0.2])
    lake.ask({"distance": 2.0}, predictions=[0.1, 0.2])
    lake.log(None, '{"predictions": [1]}')
    lake.log({"rows": []}, {"predictions": []})
    lake.ask({"distance": 1.0}, predictions=[["odd"]])
    lake.ask({"distance": 1.0, "timestamp": "noon"})
    lake.ask({"distance": 9.0})
    result = lake.unpack()
    assert (result.requests, result.rows, result.failed) == (7, 1, 0)
    assert result.unreadable == {
        "request and response differ in length: 1 rows and 2 predictions": 2,
        "request or response was too large to be logged": 1,
        "request has none or several of the input formats": 1,
        "prediction is not understood: a list is no score": 1,
        "timestamp is not understood: 'noon' is no time": 1,
    }
    assert lake.column("distance") == [9.0]


def test_a_value_that_does_not_fit_its_column_leaves_its_request_out_whole(lake):
    lake.ask({"flight_id": 1})
    lake.unpack()
    lake.ask({"flight_id": 2}, {"flight_id": 2.5})
    lake.ask({"flight_id": 3})
    result = lake.unpack()
    assert (result.rows, list(result.unreadable.values())) == (1, [1])
    assert "'flight_id' does not fit int64: 2.5" in next(iter(result.unreadable))
    assert lake.column("flight_id") == [1, 3]


def test_columns_that_come_later_are_added(lake):
    lake.ask({"distance": 1.0, "gone": None})
    lake.unpack()
    lake.ask({"distance": 2.0, "fresh": "x"})
    lake.unpack()
    assert lake.column("fresh") == [None, "x"]


def test_names_that_differ_only_in_case_and_nameless_columns_are_refused(lake):
    lake.ask({"Flight": 1})
    lake.unpack()
    lake.ask({"flight": 2})
    lake.ask({"": 2})
    lake.ask({"a": 1, "A": 2})
    result = lake.unpack()
    assert (result.rows, sum(result.unreadable.values())) == (0, 3)
    assert lake.column("Flight") == [1]


def test_a_flood_of_columns_is_refused(lake):
    lake.ask({f"c{number}": 1 for number in range(1001)})
    lake.ask({"fine": 1})
    assert lake.unpack().rows == 1


@pytest.mark.parametrize("name", ["o'brien", 'quo"te', "emoji 🛫", "dot.ted", "x; DROP TABLE", "back\\slash"])
def test_odd_column_names_pass_through(lake, name):
    lake.ask({name: 1.5})
    lake.unpack()
    lake.ask({name: 2.5})
    lake.unpack()
    assert lake.column(name) == [1.5, 2.5]


def test_the_time_of_the_row_wins_over_the_time_of_the_request(make_lake):
    lake = make_lake(timestamp="ts")
    lake.ask({"ts": "2026-01-01T10:00:00+02:00"}, {"ts": None}, {})
    lake.unpack()
    request_time = datetime(2026, 3, 2, 12, 0, 1, tzinfo=UTC)
    assert lake.column("ts") == [datetime(2026, 1, 1, 8, tzinfo=UTC), request_time, request_time]


def test_our_columns_win_over_those_of_the_request(lake):
    asked = lake.ask({"request_id": "theirs", "row_index": 9, "model_id": "theirs", "prediction": 9.0})
    lake.unpack()
    row = lake.rows()[0]
    assert (row["request_id"], row["row_index"], row["model_id"], row["prediction"]) == (asked, 0, "1", 0.5)


def test_the_clients_id_may_come_with_each_row(lake):
    lake.ask({"client_request_id": "a"}, {"client_request_id": "b"})
    lake.unpack()
    assert lake.column("client_request_id") == ["a", "b"]


def test_versions_are_told_apart_and_unknown_ones_keep_their_id(lake):
    for entity in ("e1", "e2", "e3", "elsewhere", None):
        lake.ask({"distance": 1.0}, served_entity_id=entity)
    lake.unpack()
    assert sorted(lake.column("model_id")) == ["1", "2", "3", "elsewhere", "unknown"]


def test_positional_rows_take_the_names_of_the_signature(lake):
    lake.log({"inputs": [[1.5, 3]]}, {"predictions": [0.5]})
    lake.log({"inputs": [[1.5, 3]]}, {"predictions": [0.5]}, served_entity_id="e2")
    lake.unpack()
    assert lake.column("distance") == [1.5, None]
    assert lake.column("0") == [None, 1.5]


def test_probabilities_by_class_stay_together(lake):
    shares = {"prediction": "b", "proba": {"a": 0.25, "b": 0.75}}
    lake.ask({"distance": 1.0}, predictions=[shares])
    lake.unpack()
    assert [dict(found) for found in lake.column("proba")] == [shares["proba"]]
    lake.ask({"distance": 1.0}, predictions=[shares])
    assert lake.unpack().rows == 1


@pytest.mark.parametrize("kind", [pa.bool_(), pa.int32(), pa.string()])
def test_the_label_waits_in_the_type_of_the_label_table(make_lake, kind):
    lake = make_lake(label="late_label")
    lake.tables.append(
        lake.labels, pa.table({"flight_id": pa.array([], pa.int64()), "late": pa.array([], kind)})
    )
    lake.ask({"flight_id": 1})
    lake.unpack()
    assert lake.type_of("late_label") == kind
    assert lake.column("late_label") == [None]


def test_without_a_label_table_the_label_waits_in_the_type_of_the_prediction(make_lake):
    lake = make_lake(label="late")
    lake.ask({"flight_id": 1}, predictions=["yes"])
    lake.unpack()
    assert lake.type_of("late") == pa.string()
    lake.tables.merge(
        lake.target,
        pa.table({"flight_id": [1], "late": ["no"]}),
        on=["flight_id"],
        insert=False,
        update=["late"],
    )
    lake.ask({"flight_id": 2}, predictions=["no"])
    lake.unpack()
    assert lake.column("late") == ["no", None], "a label that is there stays"


def test_a_label_that_comes_with_the_request_is_kept(make_lake):
    lake = make_lake(label="late")
    lake.ask({"flight_id": 1, "late": True}, {"flight_id": 2})
    lake.unpack()
    assert lake.column("late") == [True, None]


REQUESTS = st.lists(st.sampled_from(["a", "b", "c", "d", "broken", "failed"]), min_size=1, max_size=8)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=REQUESTS, second=REQUESTS)
def test_the_rows_depend_on_the_set_of_requests_only(tmp_path_factory, make_lake, first, second):
    """Order, repetition and the split into two runs do not matter."""
    lake = make_lake(tmp_path_factory.mktemp("lake"))
    for part in (first, second):
        for name in part:
            status = 400 if name == "failed" else 200
            answers = [] if name == "broken" else [0.5]
            lake.ask({"distance": float(ord(name[0]))}, predictions=answers, status_code=status,
                     databricks_request_id=name)  # fmt: skip
        lake.unpack()
    wanted = sorted({*first, *second} - {"broken", "failed"})
    assert (lake.column("request_id") if wanted else []) == wanted
    lake.ledger.close()
