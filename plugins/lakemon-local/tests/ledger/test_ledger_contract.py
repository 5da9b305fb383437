"""The SQLite ledger passes the contract of all ledgers."""

import pytest
from lakemon_local.ledger import SqliteLedger

from lakemon_core.testing.ledger import LedgerContract
from lakemon_core.testing.sinks import FixedClock


class TestSqliteLedger(LedgerContract):
    @pytest.fixture
    def ledger(self, tmp_path):
        return SqliteLedger(tmp_path / "ledger.db", FixedClock())
