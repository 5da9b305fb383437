"""Requests are answered, logged, and found again; what is late, doubled, lost or too large is told apart."""

from dataclasses import replace

import pytest
from databricks.sdk.errors import BadRequest
from fakes.databricks import faults

from lakemon_core.domain.errors import ModelError

ROWS = [{"distance": 30.0, "hour": 3.0}, {"distance": 90.0, "hour": 9.0}]


@pytest.fixture
def serving(deploy, open_databricks):
    deploy("1")
    return open_databricks().serving


@pytest.fixture
def look(serving, payload, quiet):
    """Looks for requests: `look(answer, ..., wait_seconds=0.0)`."""

    def looked(*answers, wait_seconds: float = 0.0):
        ids = [answer.request_id for answer in answers]
        return serving.logged(payload, ids, wait_seconds=wait_seconds, progress=quiet)

    return looked


def test_a_request_is_answered_row_by_row_by_a_version_that_is_known(serving):
    answer = serving.query("flights", ROWS, client_request_id="ours-1")
    assert (answer.status, answer.predictions, answer.served_version) == (200, [0.1, 0.1], "1")
    assert (answer.client_request_id, answer.error) == ("ours-1", "")
    assert answer.request_id not in {"", "ours-1"}


def test_both_versions_of_a_canary_answer(deploy, serving):
    deploy("2", traffic={"1": 50, "2": 50})
    answers = [serving.query("flights", ROWS[:1]) for _ in range(4)]
    assert sorted(answer.served_version for answer in answers) == ["1", "1", "2", "2"]


def test_columns_of_an_answer_become_rows(models, serving):
    models.models.known["prod.flights.delays"].versions[1].predict = lambda rows: {"a": [1, 2], "b": [3, 4]}
    assert serving.query("flights", ROWS).predictions == [{"a": 1, "b": 3}, {"a": 2, "b": 4}]


def test_a_row_that_the_model_does_not_take_is_an_answer_with_its_reason(models, serving):
    def refuses(rows):
        raise ValueError("column 'hour' is missing")

    models.models.known["prod.flights.delays"].versions[1].predict = refuses
    answer = serving.query("flights", [{"distance": 1.0}], client_request_id="ours-2")
    assert answer.status == 400
    assert "column 'hour' is missing" in answer.error


def test_a_model_that_breaks_is_asked_once(models, serving):
    models.journal.clear()
    models.faults.on(
        "POST", "*/invocations", faults.refuses(500, "INTERNAL_ERROR", "worker died"), times=None
    )
    answer = serving.query("flights", ROWS)
    assert (answer.status, answer.error) == (500, "worker died")
    assert len(models.journal.to("POST", "*/invocations")) == 1


def test_a_value_that_json_does_not_have_is_told_before_it_is_sent(serving):
    with pytest.raises(ModelError, match="LM417"):
        serving.query("flights", [{"distance": float("nan")}])


def test_an_endpoint_that_is_not_there_is_named(serving):
    with pytest.raises(ModelError, match=r"LM416 .*nowhere"):
        serving.query("nowhere", ROWS)


def test_logged_requests_are_found_with_the_version_that_answered(serving, look):
    answers = [serving.query("flights", ROWS, client_request_id=f"ours-{number}") for number in range(3)]
    found = look(*answers)
    assert [entry.request_id for entry in found] == [answer.request_id for answer in answers]
    assert {entry.client_request_id for entry in found} == {"ours-0", "ours-1", "ours-2"}
    assert {(entry.status, entry.served_version) for entry in found} == {(200, "1")}
    assert '"distance": 30.0' in found[0].request
    assert '"predictions": [0.1, 0.1]' in found[0].response


def test_a_request_without_an_id_of_the_workspace_is_found_by_our_own(models, serving, look):
    def nameless(answer):
        return replace(answer, headers={"served-model-name": "delays-1"})

    models.faults.on("POST", "*/invocations", faults.rewrites(nameless))
    answer = serving.query("flights", ROWS, client_request_id="ours-7")
    (found,) = look(answer)
    assert (found.request_id, found.client_request_id) == ("ours-7", "ours-7")


def test_before_the_table_is_there_nothing_is_found_and_nothing_fails(models, serving, look, payload):
    models.payloads.delivers = lambda row: [3600.0]
    answer = serving.query("flights", ROWS)
    assert look(answer) == []
    assert serving.health(payload) is None


def test_rows_that_come_late_are_waited_for(models, serving, look):
    models.payloads.delivers = lambda row: [0.8]
    answer = serving.query("flights", ROWS)
    assert [entry.request_id for entry in look(answer, wait_seconds=20.0)] == [answer.request_id]


def test_rows_that_come_twice_count_once(models, serving, look, payload):
    models.payloads.delivers = lambda row: [0.0, 0.0]
    answers = [serving.query("flights", ROWS) for _ in range(2)]
    assert len(look(*answers)) == 2
    health = serving.health(payload)
    assert (health.requests, health.doubled, health.failed, health.oversize) == (2, 2, 0, 0)


def test_failed_and_oversize_requests_are_counted_by_kind(models, serving, payload):
    serving.query("flights", ROWS)
    serving.query("flights", [{"text": "x" * 1_200_000}])
    with pytest.raises(BadRequest):
        models.client().serving_endpoints.query("flights")
    health = serving.health(payload)
    assert (health.requests, health.doubled, health.failed, health.oversize) == (3, 0, 1, 1)
    assert health.newest is not None


def test_a_fault_of_the_server_is_an_error_with_the_call_it_was(models, serving):
    models.faults.on("POST", "*/invocations", faults.shows_a_page(), times=None)
    with pytest.raises(ModelError, match=r"LM423 .*not JSON"):
        serving.query("flights", ROWS)
