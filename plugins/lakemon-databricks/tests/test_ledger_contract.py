"""The ledger of a Databricks workspace passes the contract of all ledgers."""

import pytest
from fakes.databricks import FakeWorkspace
from lakemon_databricks.ledger import LakeLedger
from lakemon_databricks.statements import Statements

from lakemon_core.domain.names import TableName
from lakemon_core.testing.ledger import LedgerContract


class TestLakeLedger(LedgerContract):
    @pytest.fixture
    def ledger(self, databricks_workspace: FakeWorkspace) -> LakeLedger:
        databricks_workspace.lake.create_catalog("lab")
        statements = Statements(databricks_workspace.client(), databricks_workspace.warehouse_id, 20.0)
        return LakeLedger(statements, TableName("lab", "lakemon", "flights_logs_ledger"))
