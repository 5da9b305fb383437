"""Alerts of lakemon for Prometheus Alertmanager."""

from lakemon_alertmanager.sink import AlertmanagerConfig, AlertmanagerSink

__all__ = ["AlertmanagerConfig", "AlertmanagerSink"]
