"""`type: python`: a sink from a module that lies beside the config, without packaging."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import cast

from lakemon_core.domain.errors import UsageError, did_you_mean
from lakemon_core.domain.names import plain
from lakemon_core.ports import API_VERSION, AlertSink

PYTHON = "python"


def own_sink(name: str, settings: Mapping[str, object], folder: Path) -> type[AlertSink]:
    """Returns the class that `target` names, `module:Name`.

    The module is looked for where Python looks, and then in the folder of the config. Its code runs with the
    rights of lakemon: a config that names a target is trusted as code is.

    Args:
        name: of the sink in the config.
        settings: of the sink; `target` among them.
        folder: of the config.

    Raises:
        UsageError: LM129 when there is no such module or name, it cannot be imported, or it is no sink.
    """
    target = settings.get("target")
    module_name, colon, attribute = target.partition(":") if isinstance(target, str) else ("", "", "")
    if not (module_name and colon and attribute):
        raise _unfit(name, "has no target;", 'write e.g. target: "team_sinks:PagerSink".')
    found = getattr(_module(name, module_name, folder), attribute, None)
    if found is None:
        names = [one for one in vars(sys.modules[module_name]) if not one.startswith("_")]
        raise _unfit(name, f"{module_name} has no {plain(attribute)};", did_you_mean(attribute, names))
    if not isinstance(found, type) or not issubclass(found, AlertSink):
        cure = "mark the function with `@alert_sink`, or derive the class from `AlertSink`."
        raise _unfit(name, f"{plain(str(target))} is no sink;", cure)
    if found.lakemon_api != API_VERSION:
        raise _unfit(
            name, f"{plain(str(target))} wants plugin API {found.lakemon_api}, not {API_VERSION};", ""
        )
    missing = sorted(getattr(found, "__abstractmethods__", ()))
    if missing:
        raise _unfit(name, f"{plain(str(target))} lacks {', '.join(missing)};", "add these methods.")
    if hasattr(found, "type"):
        return found
    return cast("type[AlertSink]", type(found.__name__, (found,), {"type": PYTHON}))


def _module(name: str, module_name: str, folder: Path) -> ModuleType:
    place = str(folder.absolute())
    if place not in sys.path:
        sys.path.append(place)
    try:
        return importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name != module_name.partition(".")[0]:
            raise _unfit(name, f"{module_name} needs {error.name};", "install it.") from error
        cure = f"put {module_name.partition('.')[0]}.py beside the config, or install it."
        raise _unfit(name, f"there is no module {plain(module_name)};", cure) from error
    except Exception as error:
        what = f"{module_name} cannot be imported: {type(error).__name__}: {plain(str(error), 300)};"
        raise _unfit(name, what, "mend the module.") from error


def _unfit(name: str, what: str, cure: str) -> UsageError:
    return UsageError("LM129", what, where=f"sinks.{plain(name)}:", cure=cure)
