"""Tables of a Databricks workspace pass the contract of all tables."""

import pytest
from fakes.databricks import FakeWorkspace
from lakemon_databricks.statements import Statements
from lakemon_databricks.tables import LakeTables

from lakemon_core.testing.tables import TablesContract


class TestLakeTables(TablesContract):
    versions_of_a_new_column = 2

    @pytest.fixture
    def tables(self, databricks_workspace: FakeWorkspace) -> LakeTables:
        databricks_workspace.lake.create_catalog("lab")
        client = databricks_workspace.client()
        return LakeTables(Statements(client, databricks_workspace.warehouse_id, 20.0), "lab")
