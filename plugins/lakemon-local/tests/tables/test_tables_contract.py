"""Delta tables pass the contract of all tables."""

import pytest
from lakemon_local.tables import DeltaTables

from lakemon_core.testing.tables import TablesContract


class TestDeltaTables(TablesContract):
    @pytest.fixture
    def tables(self, tmp_path):
        return DeltaTables(tmp_path / "tables")
