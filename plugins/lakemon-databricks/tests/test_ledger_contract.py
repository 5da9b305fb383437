"""The ledger of a Databricks workspace passes the contract of all ledgers."""

from collections.abc import Iterator
from itertools import count

import pytest
from fakes.databricks import FakeWorkspace
from lakemon_databricks.ledger import LakeLedger
from lakemon_databricks.statements import Statements

from lakemon_core.domain.names import TableName
from lakemon_core.testing.ledger import LedgerContract

_numbers = count()


@pytest.fixture(scope="module")
def lake() -> Iterator[FakeWorkspace]:
    """One workspace for all of the suite; each test has a ledger of its own."""
    workspace = FakeWorkspace()
    workspace.lake.create_catalog("lab")
    yield workspace
    workspace.stop()
    workspace.check()


@pytest.fixture(scope="module")
def statements(lake: FakeWorkspace) -> Statements:
    """One client for all of the suite."""
    return Statements(lake.client(), lake.warehouse_id, 20.0)


class TestLakeLedger(LedgerContract):
    @pytest.fixture
    def ledger(self, statements: Statements) -> LakeLedger:
        return LakeLedger(statements, TableName("lab", "lakemon", f"ledger_{next(_numbers)}"))
