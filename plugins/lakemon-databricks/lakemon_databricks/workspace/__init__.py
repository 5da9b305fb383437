"""The workspace: one client with deadlines on every call, and its errors in our words."""

from lakemon_databricks.workspace.connection import Connection, connect
from lakemon_databricks.workspace.refusals import refused

__all__ = ["Connection", "connect", "refused"]
