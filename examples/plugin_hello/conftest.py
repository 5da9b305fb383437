"""Brings in the fixtures `lakemon_host` and `run_lakemon`."""

pytest_plugins = ["lakemon_core.testing.plugin"]
