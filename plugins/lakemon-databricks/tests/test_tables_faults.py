"""Answers that are lost after the work was done double nothing: the SDK sends a statement again."""

import pyarrow as pa
import pytest
from fakes.databricks import FakeWorkspace, faults
from lakemon_databricks.statements import Statements
from lakemon_databricks.tables import LakeTables
from lakemon_databricks.tables.writing import rows as sent_rows
from lakemon_databricks.workspace.calls import guarded

from lakemon_core.domain.names import TableName
from lakemon_core.ports import Condition
from lakemon_core.testing.table_rows import flights, ids_of

NAME = TableName("lab", "air", "flights")


@pytest.fixture
def tables(databricks_workspace: FakeWorkspace) -> LakeTables:
    databricks_workspace.lake.create_catalog("lab")
    client = guarded(databricks_workspace.client(), 20.0)
    tables = LakeTables(Statements(client, databricks_workspace.warehouse_id, 20.0), "lab")
    tables.append(NAME, flights())
    return tables


def lose(workspace: FakeWorkspace, nth: int) -> None:
    """The answer of the n-th statement from now is lost after the work."""
    workspace.faults.on("POST", "/api/2.0/sql/statements", faults.loses_the_answer(), after=nth, times=1)


def statements(count: int, *always: int) -> list:
    """The places of all statements of a write; those that are not tried always are tried before a release."""
    return [nth if nth in always else pytest.param(nth, marks=pytest.mark.slow) for nth in range(count)]


NEW = pa.table({"id": ["g", "h"], "seats": [7, 8]})


@pytest.mark.parametrize("nth", statements(5, 2))
def test_of_an_append(tables, databricks_workspace, nth):
    lose(databricks_workspace, nth)
    assert tables.append(NAME, NEW).inserted == 2
    assert ids_of(tables, NAME) == "abcdefgh"


@pytest.mark.parametrize(
    "status", [502, *(pytest.param(one, marks=pytest.mark.slow) for one in (500, 503, 504))]
)
def test_of_an_append_whose_answer_was_a_fault_of_the_server(tables, databricks_workspace, status):
    fault = faults.refuses(status, works=True)
    databricks_workspace.faults.on("POST", "/api/2.0/sql/statements", fault, after=2)
    assert tables.append(NAME, NEW).inserted == 2
    assert ids_of(tables, NAME) == "abcdefgh"


def test_rows_that_somebody_else_appends_meanwhile_stay(tables, databricks_workspace):
    def other(name: str) -> None:
        databricks_workspace.lake.before_write = None
        databricks_workspace.lake.sql(f"INSERT INTO {name} (id, seats) VALUES ('x', 1), ('y', 2)")

    databricks_workspace.lake.before_write = other
    tables.append(NAME, NEW)
    assert ids_of(tables, NAME) == "abcdefghxy"


@pytest.mark.parametrize("nth", statements(5, 3))
def test_of_a_merge(tables, databricks_workspace, nth):
    lose(databricks_workspace, nth)
    tables.merge(NAME, pa.table({"id": ["a", "g"], "seats": [10, 7]}), on=["id"], update=["seats"])
    assert ids_of(tables, NAME) == "abcdefg"


@pytest.mark.parametrize("nth", statements(5, 3))
def test_of_a_replace(tables, databricks_workspace, nth):
    lose(databricks_workspace, nth)
    tables.replace(NAME, pa.table({"id": ["a"], "seats": [9]}), where=[Condition("id", "=", "a")])
    assert ids_of(tables, NAME) == "abcdef"


@pytest.mark.parametrize("nth", statements(6, 1, 3))
def test_of_a_table_that_is_made(tables, databricks_workspace, nth):
    lose(databricks_workspace, nth)
    copy = NAME.sibling(suffix="_copy")
    tables.append(copy, flights())
    assert ids_of(tables, copy) == "abcdef"


def test_rows_that_do_not_fit_into_one_statement_come_in_one_commit(
    tables, monkeypatch, databricks_workspace
):
    monkeypatch.setattr(sent_rows, "CHUNK_CHARACTERS", 100)
    before = tables.info(NAME).version
    lose(databricks_workspace, 4)
    tables.replace(NAME, flights().slice(0, 5), where=[])
    assert tables.info(NAME).version == before + 1
    assert ids_of(tables, NAME) == "abcde"
    assert list(tables.list()) == [NAME]
