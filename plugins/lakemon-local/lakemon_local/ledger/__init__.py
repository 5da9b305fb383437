"""The ledger of a workspace, in SQLite."""

from lakemon_local.ledger.records import Batch, Deployment
from lakemon_local.ledger.sqlite_ledger import SqliteLedger

__all__ = ["Batch", "Deployment", "SqliteLedger"]
