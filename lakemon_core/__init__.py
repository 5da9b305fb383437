"""lakemon monitors any MLflow model in production.

The public names: `MonitoringFramework` runs everything from Python; `hookimpl` marks a plugin's hooks;
`alert_sink` makes a function a way to people.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lakemon_core.framework import MonitoringFramework
    from lakemon_core.hookspecs import hookimpl
    from lakemon_core.ports.function_sink import alert_sink

__version__ = "0.1.0"
__all__ = ["MonitoringFramework", "__version__", "alert_sink", "hookimpl"]

_HOMES = {
    "MonitoringFramework": "lakemon_core.framework",
    "alert_sink": "lakemon_core.ports.function_sink",
    "hookimpl": "lakemon_core.hookspecs",
}


def __getattr__(name: str) -> object:
    """Imports a public name when it is asked for, so that `import lakemon_core` stays light."""
    if name not in _HOMES:
        raise AttributeError(f"module 'lakemon_core' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
