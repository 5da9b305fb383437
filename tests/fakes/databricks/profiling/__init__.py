"""Data profiling: monitors, refreshes and metric tables, by the current API and by the one before it."""

from .monitors import Monitors

__all__ = ["Monitors"]
