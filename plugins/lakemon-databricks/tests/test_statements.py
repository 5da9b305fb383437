"""Statements: typed parameters in, typed rows out, an end in time, and failures in our words."""

from datetime import UTC, date, datetime
from decimal import Decimal
from threading import Event

import pyarrow as pa
import pytest
from fakes.databricks import FakeWorkspace, faults
from lakemon_databricks.statements import StatementFailed, Statements
from lakemon_databricks.statements.sql_types import arrow_type, sql_type
from lakemon_databricks.tables.lake_tables import LakeTables

from lakemon_core.domain.errors import DataError

STATEMENTS = "/api/2.0/sql/statements"


@pytest.fixture
def statements(databricks_workspace: FakeWorkspace) -> Statements:
    return Statements(databricks_workspace.client(), databricks_workspace.warehouse_id, 20.0)


@pytest.mark.parametrize(
    "value",
    ["it's :x 🙂\n", "", True, 7, -(2**63), 0.1, float("inf"), Decimal("1.50"), date(2026, 3, 1), None,
     datetime(2026, 3, 1, 12, 30, 0, 5, tzinfo=UTC)],
    ids=repr,
)  # fmt: skip
def test_a_parameter_comes_back_as_it_was(statements, value):
    assert statements.read("SELECT :v AS v", {"v": value}).to_pylist() == [{"v": value}]


def test_rows_in_many_chunks_come_whole_and_in_order(statements, databricks_workspace):
    databricks_workspace.statements.rows_a_chunk = 7
    rows = statements.read("SELECT explode(sequence(1, 50)) AS n")
    assert sorted(rows["n"].to_pylist()) == list(range(1, 51))


def test_a_result_without_rows_has_its_columns(statements):
    found = statements.read("SELECT CAST(1 AS BIGINT) AS a, 'x' AS b WHERE false")
    assert found.schema == pa.schema({"a": pa.int64(), "b": pa.string()})


def test_a_statement_that_fails_is_told_though_its_status_is_200(statements):
    with pytest.raises(StatementFailed, match=r"LM450 .*TABLE_OR_VIEW_NOT_FOUND") as failed:
        statements.read("SELECT * FROM main.default.nowhere")
    assert failed.value.error_class == "TABLE_OR_VIEW_NOT_FOUND"


def test_a_statement_that_takes_long_is_waited_for(statements, databricks_workspace):
    databricks_workspace.statements.seconds = 300.0
    databricks_workspace.clock.seconds_a_call = 200.0
    assert statements.read("SELECT 1 AS v").to_pylist() == [{"v": 1}]


def test_a_statement_that_does_not_end_is_cancelled_at_its_deadline(databricks_workspace):
    databricks_workspace.statements.seconds = 1e9
    hurried = Statements(databricks_workspace.client(), databricks_workspace.warehouse_id, 0.5)
    with pytest.raises(StatementFailed, match="LM451"):
        hurried.read("SELECT 1")
    assert databricks_workspace.journal.to("POST", f"{STATEMENTS}/*/cancel")


def test_a_statement_that_somebody_stops_is_cancelled(databricks_workspace):
    databricks_workspace.statements.seconds = 1e9
    statements = Statements(databricks_workspace.client(), databricks_workspace.warehouse_id, 60.0)
    tables = LakeTables(statements, "main")
    stop = Event()
    stop.set()
    with pytest.raises(DataError, match="LM317"):
        tables.query("SELECT 1", stop=stop)
    assert databricks_workspace.journal.to("POST", f"{STATEMENTS}/*/cancel")


def test_a_chunk_whose_link_fails_once_is_asked_for_again(statements, databricks_workspace):
    databricks_workspace.faults.on("GET", "/external-storage/*", faults.refuses(403, "EXPIRED"), times=1)
    assert statements.read("SELECT 1 AS v").to_pylist() == [{"v": 1}]
    assert len(databricks_workspace.journal.to("GET", "/external-storage/*")) == 2


def test_a_write_that_loses_against_another_is_sent_again(statements, databricks_workspace):
    databricks_workspace.lake.sql("CREATE TABLE main.default.t (a BIGINT)")
    databricks_workspace.lake.conflict_on("main.default.t", times=2)
    statements.write("INSERT INTO main.default.t VALUES (1)")
    assert databricks_workspace.lake.rows("main.default.t") == [{"a": 1}]


@pytest.mark.parametrize(
    "text",
    ["ARRAY<STRUCT<`a`: INT, `b c`: MAP<STRING, DECIMAL(10,2)>>>", "STRUCT<`x``y`: ARRAY<STRING>>",
     "TIMESTAMP", "DECIMAL(38,0)", "MAP<STRING, STRUCT<`lower`: DOUBLE>>"],
)  # fmt: skip
def test_types_go_there_and_back(text):
    assert sql_type(arrow_type(text)) == text


def test_types_are_read_as_databricks_writes_them():
    assert arrow_type("struct<start:timestamp,end:timestamp NOT NULL>") == pa.struct(
        {"start": pa.timestamp("us", "UTC"), "end": pa.timestamp("us", "UTC")}
    )
    assert arrow_type("VARIANT") == pa.string()
