"""State in a Delta table: the ledger, and the lease of a run."""

from lakemon_databricks.ledger.lake_ledger import LakeLedger
from lakemon_databricks.ledger.lease import hold

__all__ = ["LakeLedger", "hold"]
