"""Databricks backend for lakemon: serving endpoints, Unity Catalog tables, data profiling."""
