"""Loads one plugin. Whatever goes wrong is a value: status, code, one line and the exception."""

from __future__ import annotations

import importlib.metadata
import inspect
import logging
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from stevedore.driver import DriverManager

from lakemon_core.domain.errors import PluginError
from lakemon_core.domain.names import plain
from lakemon_core.pipeline.discovery import COMMAND_GROUP, HOOK_GROUP, Candidate, PluginStatus
from lakemon_core.ports import API_VERSION, AlertSink, Backend, ModelType

DRIVERS: Mapping[str, type] = {
    "lakemon.backends": Backend,
    "lakemon.model_types": ModelType,
    "lakemon.alert_sinks": AlertSink,
}
"""Entry-point group → the class its entry points derive from."""

_LONGEST = 500
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Plugin:
    """A candidate and what became of it.

    Attributes:
        candidate: the entry point.
        status: active or why not.
        target: the class, module or typer app; an instance for hook plugins; None unless active.
        api: `lakemon_api` of the target; None when it was not loaded.
        seconds: time of the import.
        code: `LM2nn` of the error.
        error: one line; empty when all is well.
        cure: what to do about it.
        cause: the exception, for `-vv`.
    """

    candidate: Candidate
    status: PluginStatus
    target: object = None
    api: int | None = None
    seconds: float = 0.0
    code: str = ""
    error: str = ""
    cure: str = ""
    cause: BaseException | None = None

    def failure(self) -> PluginError:
        """The error to raise when the config names this plugin."""
        candidate = self.candidate
        return PluginError(
            self.code,
            f"{candidate.kind} {candidate.name!r}: {self.error};",
            where=candidate.origin,
            cure=self.cure,
        )


class _Driver(DriverManager[Any]):
    """stevedore's choice of one driver, on our own discovery.

    Its own discovery caches on disk by a hash of rounded file times and loses the distribution; ours is
    fresh, sorted and free of duplicates.
    """

    def __init__(self, candidate: Candidate) -> None:
        self._entry_point = candidate.entry_point
        super().__init__(candidate.group, candidate.name)

    def list_entry_points(self) -> list[importlib.metadata.EntryPoint]:
        return [self._entry_point]


def strict() -> bool:
    """Whether errors of plugins are raised as they are (`LAKEMON_STRICT_PLUGINS=1`)."""
    return os.environ.get("LAKEMON_STRICT_PLUGINS", "") not in {"", "0"}


def one_line(error: BaseException) -> str:
    """Returns type and message of an error in one printable line."""
    try:
        message = plain(str(error), _LONGEST)
    except Exception:  # noqa: BLE001 - even the message of a plugin's error may be broken
        message = "its message cannot be read"
    return f"{type(error).__name__}: {message}" if message else type(error).__name__


def load(candidate: Candidate) -> Plugin:
    """Imports what a candidate points to, and checks that it is what its group asks for.

    Raises:
        BaseException: KeyboardInterrupt always; any error of the plugin when `LAKEMON_STRICT_PLUGINS=1`.
    """
    if candidate.status is not PluginStatus.FOUND:
        return _unusable(candidate)
    start = time.perf_counter()
    try:
        target = cast("object", _Driver(candidate).extensions[0].plugin)
        if candidate.group == HOOK_GROUP and isinstance(target, type):
            target = target()
        return _judged(candidate, target, time.perf_counter() - start)
    except (Exception, SystemExit) as error:
        if strict():
            raise
        return _broken(candidate, error, time.perf_counter() - start)


def _unusable(candidate: Candidate) -> Plugin:
    """Says why a candidate is not even tried."""
    if candidate.status is PluginStatus.DISABLED:
        cure = "take it out of `plugins.disabled` and LAKEMON_DISABLE_PLUGINS."
        return Plugin(candidate, candidate.status, code="LM206", error="it is disabled", cure=cure)
    if candidate.status is PluginStatus.CONFLICT:
        cure = "uninstall all but one, or name the other distributions under `plugins.disabled`."
        return Plugin(candidate, candidate.status, code="LM205", error=candidate.error, cure=cure)
    cure = f"reinstall or remove {candidate.distribution}."
    return Plugin(candidate, candidate.status, code="LM209", error=candidate.error, cure=cure)


def _broken(candidate: Candidate, error: BaseException, seconds: float) -> Plugin:
    """Tells a plugin that is not there from one whose dependency is not there, and both from a crash."""
    _log.debug("import of %s failed", candidate.id, exc_info=error)
    code, said = "LM202", f"its import failed with {one_line(error)}"
    cure = f"mend or remove {candidate.distribution}; `-vv` shows the traceback."
    if isinstance(error, ModuleNotFoundError) and error.name:
        package = candidate.entry_point.module.partition(".")[0]
        if error.name.partition(".")[0] == package:
            said = f"its module {error.name!r} is not installed"
            cure = f"reinstall {candidate.distribution}."
        else:
            code, said = "LM203", f"it needs {error.name!r}, which is not installed"
            cure = f"install what {candidate.distribution} depends on."
    return Plugin(candidate, PluginStatus.FAILED, None, None, seconds, code, said, cure, error)


def _judged(candidate: Candidate, target: object, seconds: float) -> Plugin:
    """Accepts a target or says why it does not fit."""
    api: object = getattr(target, "lakemon_api", API_VERSION)
    if api != API_VERSION:
        said = f"it needs plugin API {api!r}, this lakemon has {API_VERSION}"
        cure = f"install another version of {candidate.distribution} or of lakemon."
        known = api if isinstance(api, int) else None
        return Plugin(candidate, PluginStatus.INCOMPATIBLE, None, known, seconds, "LM204", said, cure)
    misfit = _misfit(candidate, target)
    if misfit:
        cure = f"tell the author of {candidate.distribution}; docs/guide/write-a-plugin.md says what fits."
        return Plugin(candidate, PluginStatus.FAILED, None, API_VERSION, seconds, "LM207", misfit, cure)
    return Plugin(candidate, PluginStatus.ACTIVE, target, API_VERSION, seconds)


def _misfit(candidate: Candidate, target: object) -> str:
    """Says why a target is not what its group asks for; empty when it is."""
    parent = DRIVERS.get(candidate.group)
    if parent is not None:
        return _driver_misfit(candidate, target, parent)
    if candidate.group == COMMAND_GROUP:
        return "" if type(target).__name__ == "Typer" else f"{candidate.value} is no typer.Typer"
    return f"{candidate.value} is a function; name its module or a class" if inspect.isroutine(target) else ""


def _driver_misfit(candidate: Candidate, target: object, parent: type) -> str:
    if not (isinstance(target, type) and issubclass(target, parent)):
        return f"{candidate.value} does not derive from lakemon_core.ports.{parent.__name__}"
    if inspect.isabstract(target):
        missing = ", ".join(sorted(getattr(target, "__abstractmethods__", ())))
        return f"{candidate.value} does not implement {missing}"
    stated: object = getattr(target, "type", None)
    if stated != candidate.name:
        return f"its `type` is {stated!r}, its entry point is named {candidate.name!r}"
    return ""
