"""The lake: catalogs, schemas and tables with ids and grants, and Databricks SQL that is really executed."""

from .failures import SqlFailure
from .lake import Lake
from .metastore import Metastore, Schema, Table

__all__ = ["Lake", "Metastore", "Schema", "SqlFailure", "Table"]
