"""The Statement Execution API of the fake, asked by the real SDK."""

import urllib.request
from urllib.error import HTTPError

import pyarrow as pa
import pytest
from databricks.sdk.service.sql import (
    Disposition,
    ExecuteStatementRequestOnWaitTimeout,
    Format,
    StatementParameterListItem,
    StatementState,
)

MANY = "SELECT explode(sequence(1, 5)) AS n"


def run(fake, client, text, **more):
    return client.statement_execution.execute_statement(text, fake.warehouse_id, **more)


def test_values_come_as_strings_with_their_types_beside_them(fake, client):
    answer = run(
        fake, client,
        "SELECT :n AS n, 1.5e12D AS d, true AS b, timestamp'2026-01-02 03:04:05' AS t,"
        " named_struct('x', 1) AS s, CAST(NULL AS STRING) AS z",
        parameters=[StatementParameterListItem("n", type="BIGINT", value="7")],
    )  # fmt: skip

    assert answer.result.data_array == [
        ["7", "1.5E12", "true", "2026-01-02T03:04:05.000Z", '{"x":"1"}', None]
    ]
    assert [column.type_text for column in answer.manifest.schema.columns] == [
        "BIGINT", "DOUBLE", "BOOLEAN", "TIMESTAMP", "STRUCT<x: INT>", "STRING",
    ]  # fmt: skip


def test_an_arrow_result_comes_by_links_without_credentials(fake, client):
    fake.statements.rows_a_chunk = 2
    answer = run(fake, client, MANY, disposition=Disposition.EXTERNAL_LINKS, format=Format.ARROW_STREAM)
    rows, part = [], answer.result
    while part:
        link = part.external_links[0]
        with urllib.request.urlopen(link.external_link) as stream:
            rows += pa.ipc.open_stream(stream.read()).read_all()["n"].to_pylist()
        following = link.next_chunk_index
        part = following and client.statement_execution.get_statement_result_chunk_n(
            answer.statement_id, following
        )

    assert sorted(rows) == [1, 2, 3, 4, 5]
    assert answer.manifest.total_chunk_count == 3


@pytest.mark.parametrize("trouble", ["authorization", "late"])
def test_a_link_wants_no_token_and_expires(fake, client, trouble):
    answer = run(fake, client, MANY, disposition=Disposition.EXTERNAL_LINKS, format=Format.ARROW_STREAM)
    request = urllib.request.Request(answer.result.external_links[0].external_link)
    if trouble == "authorization":
        request.add_header("Authorization", f"Bearer {fake.token}")
    else:
        fake.clock.advance(901)

    with pytest.raises(HTTPError) as caught:
        urllib.request.urlopen(request)
    caught.value.close()

    assert caught.value.code == (400 if trouble == "authorization" else 403)


def test_an_empty_result_has_a_schema_and_no_chunk(fake, client):
    answer = run(fake, client, "SELECT 1 AS n WHERE false")

    assert answer.manifest.total_chunk_count == 0
    assert answer.result.data_array is None
    assert answer.manifest.schema.columns[0].name == "n"


def test_a_failing_statement_is_an_answer_and_no_error(fake, client):
    answer = run(fake, client, "SELECT * FROM main.default.nope")

    assert answer.status.state == StatementState.FAILED
    assert "TABLE_OR_VIEW_NOT_FOUND" in answer.status.error.message
    assert fake.journal.calls[-1].status == 200


def test_without_waiting_it_is_pending_then_running_then_done(fake, client):
    answer = run(fake, client, "SELECT 1", wait_timeout="0s")
    seen = [answer.status.state]
    seen += [client.statement_execution.get_statement(answer.statement_id).status.state for _ in range(2)]

    assert seen == [StatementState.PENDING, StatementState.RUNNING, StatementState.SUCCEEDED]


def test_a_long_statement_works_when_its_time_has_come(fake, client):
    fake.lake.sql("CREATE TABLE main.default.t (a INT)")
    fake.statements.seconds = 60
    answer = run(fake, client, "INSERT INTO main.default.t VALUES (1)")
    before = fake.lake.rows("main.default.t")
    fake.clock.advance(61)

    assert answer.status.state == StatementState.RUNNING
    assert before == []
    assert (
        client.statement_execution.get_statement(answer.statement_id).status.state == StatementState.SUCCEEDED
    )
    assert fake.lake.rows("main.default.t") == [{"a": 1}]


def test_a_cancelled_statement_never_works(fake, client):
    fake.lake.sql("CREATE TABLE main.default.t (a INT)")
    fake.statements.seconds = 60
    by_limit = run(
        fake, client, "INSERT INTO main.default.t VALUES (1)",
        on_wait_timeout=ExecuteStatementRequestOnWaitTimeout.CANCEL,
    )  # fmt: skip
    by_call = run(fake, client, "INSERT INTO main.default.t VALUES (2)")
    client.statement_execution.cancel_execution(by_call.statement_id)
    client.statement_execution.cancel_execution("unknown")
    fake.clock.advance(120)

    assert by_limit.status.state == StatementState.CANCELED
    assert (
        client.statement_execution.get_statement(by_call.statement_id).status.state == StatementState.CANCELED
    )
    assert fake.lake.rows("main.default.t") == []


def test_an_inline_result_over_the_limit_fails_and_a_row_limit_truncates(fake, client):
    fake.statements.inline_limit = 16
    too_large = run(fake, client, MANY)
    limited = run(fake, client, MANY, row_limit=1)

    assert too_large.status.state == StatementState.FAILED
    assert limited.manifest.truncated
    assert limited.manifest.total_row_count == 1


def test_a_scripted_failure_hits_once(fake, client):
    fake.statements.fail["SELECT 42"] = ("DELTA_CONCURRENT_APPEND", "Somebody else was faster.")

    assert run(fake, client, "SELECT 42").status.state == StatementState.FAILED
    assert run(fake, client, "SELECT 42").status.state == StatementState.SUCCEEDED


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"format": Format.ARROW_STREAM}, "INLINE"),
        ({"wait_timeout": "3s"}, "wait_timeout"),
        ({"wait_timeout": "51s"}, "wait_timeout"),
        ({"parameters": [StatementParameterListItem("a", type="ARRAY<INT>", value="1")]}, "ARRAY"),
        ({"wait_timeout": "0s", "on_wait_timeout": ExecuteStatementRequestOnWaitTimeout.CANCEL}, "CANCEL"),
    ],
)
def test_a_request_the_service_does_not_take_is_a_400(fake, client, refusal, more, told):
    said = refusal(lambda: run(fake, client, "SELECT 1", **more))

    assert said.startswith("InvalidParameterValue INVALID_PARAMETER_VALUE")
    assert told in said


def test_unknown_warehouses_statements_and_chunks_are_refused(fake, client, refusal):
    done = run(fake, client, "SELECT 1")
    execution = client.statement_execution

    assert "RESOURCE_DOES_NOT_EXIST" in refusal(lambda: execution.execute_statement("SELECT 1", "nope"))
    assert "RESOURCE_DOES_NOT_EXIST" in refusal(lambda: execution.get_statement("nope"))
    assert "out of range" in refusal(lambda: execution.get_statement_result_chunk_n(done.statement_id, 5))
    assert "RESOURCE_DOES_NOT_EXIST" in refusal(lambda: client.warehouses.get("nope"))
