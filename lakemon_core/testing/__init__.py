"""Contract suites and fixtures for plugin authors; lakemon's own plugins pass the same.

Subclass a suite in your tests; put `pytest_plugins = ["lakemon_core.testing.plugin"]` into your conftest for
the fixtures `lakemon_host` and `run_lakemon`.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lakemon_core.testing.backend import BackendContract
    from lakemon_core.testing.hooks import HookPluginContract
    from lakemon_core.testing.ledger import LedgerContract
    from lakemon_core.testing.model_types import ModelTypeContract
    from lakemon_core.testing.sinks import AlertSinkContract
    from lakemon_core.testing.tables import TablesContract
    from lakemon_core.testing.web_sinks import WebSinkContract

_HOMES = {
    "AlertSinkContract": "sinks",
    "BackendContract": "backend",
    "HookPluginContract": "hooks",
    "LedgerContract": "ledger",
    "ModelTypeContract": "model_types",
    "TablesContract": "tables",
    "WebSinkContract": "web_sinks",
}

__all__ = [
    "AlertSinkContract",
    "BackendContract",
    "HookPluginContract",
    "LedgerContract",
    "ModelTypeContract",
    "TablesContract",
    "WebSinkContract",
]


def __getattr__(name: str) -> object:
    """Imports a suite when it is asked for: each needs libraries that the others do not."""
    if name not in _HOMES:
        raise AttributeError(f"module 'lakemon_core.testing' has no attribute {name!r}")
    return getattr(import_module(f"lakemon_core.testing.{_HOMES[name]}"), name)
