"""Prometheus Alertmanager as an alert sink of lakemon."""
