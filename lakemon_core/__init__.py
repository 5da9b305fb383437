"""lakemon monitors any MLflow model in production.

The public names: `MonitoringFramework` runs everything from Python; `hookimpl` marks a plugin's hooks.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lakemon_core.framework import MonitoringFramework
    from lakemon_core.hookspecs import hookimpl

__version__ = "0.1.0"
__all__ = ["MonitoringFramework", "__version__", "hookimpl"]

_HOMES = {"MonitoringFramework": "lakemon_core.framework", "hookimpl": "lakemon_core.hookspecs"}


def __getattr__(name: str) -> object:
    """Imports a public name when it is asked for, so that `import lakemon_core` stays light."""
    if name not in _HOMES:
        raise AttributeError(f"module 'lakemon_core' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
