"""The way of a logged request: from the disk of the server to its payload table."""

from lakemon_local.serving.spool.mover import Mover, payload_rows, payload_schema
from lakemon_local.serving.spool.store import Batch, LoggedCall, Spool

__all__ = ["Batch", "LoggedCall", "Mover", "Spool", "payload_rows", "payload_schema"]
