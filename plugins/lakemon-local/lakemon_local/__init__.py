"""The local backend of lakemon: MLflow on SQLite, a model server, Delta tables and a SQLite ledger."""

from lakemon_local.backend import LocalBackend, LocalConfig

__all__ = ["LocalBackend", "LocalConfig"]
