"""A fake Databricks workspace: an HTTP server that the real SDK talks to. See README.md."""

from .lake import SqlFailure
from .web import faults
from .workspace import FakeWorkspace

__all__ = ["FakeWorkspace", "SqlFailure", "faults"]
