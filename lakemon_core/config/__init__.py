"""YAML to Monitor: read, overlay, resolve, validate, explain.

    text ──source──▶ tree of one environment ──shape──▶ sections ──load──▶ Monitor

`load` reads a file, `from_python` the arguments of `MonitoringFramework`. Both return the Monitor with the
place of each of its values, so that `validate_settings` can say where a plugin's settings are wrong.
"""

from lakemon_core.config.load import Loaded, from_dict, from_python, load, load_all
from lakemon_core.config.places import OpenPlace, project_places, text_places
from lakemon_core.config.secrets import EnvironmentSecrets
from lakemon_core.config.settings import validate_settings
from lakemon_core.config.show import resolved, show
from lakemon_core.config.source.read import open_places

__all__ = [
    "EnvironmentSecrets",
    "Loaded",
    "OpenPlace",
    "from_dict",
    "from_python",
    "load",
    "load_all",
    "open_places",
    "project_places",
    "resolved",
    "show",
    "text_places",
    "validate_settings",
]
