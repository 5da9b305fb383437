"""Registered models of Unity Catalog."""

from lakemon_databricks.registry.unity_catalog import UnityCatalog

__all__ = ["UnityCatalog"]
