"""Metric tables to a page."""
