"""Tables of a Databricks workspace pass the contract of all tables."""

from collections.abc import Iterator
from itertools import count

import pytest
from fakes.databricks import FakeWorkspace
from lakemon_databricks.statements import Statements
from lakemon_databricks.tables import LakeTables

from lakemon_core.domain.names import TableName
from lakemon_core.testing.tables import TablesContract

_numbers = count()


@pytest.fixture(scope="module")
def lake() -> Iterator[FakeWorkspace]:
    """One workspace for all of the suite; each test has a catalog of its own."""
    workspace = FakeWorkspace()
    yield workspace
    workspace.stop()
    workspace.check()


@pytest.fixture(scope="module")
def statements(lake: FakeWorkspace) -> Statements:
    """One client for all of the suite."""
    return Statements(lake.client(), lake.warehouse_id, 20.0)


class TestLakeTables(TablesContract):
    versions_of_a_new_column = 2

    @pytest.fixture
    def name(self, lake: FakeWorkspace) -> TableName:
        catalog = f"lab{next(_numbers)}"
        lake.lake.create_catalog(catalog)
        return TableName(catalog, "air", "flights")

    @pytest.fixture
    def tables(self, statements: Statements, name: TableName) -> LakeTables:
        return LakeTables(statements, name.catalog)
