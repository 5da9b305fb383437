"""Calls hooks: each plugin on its own, in its own thread, with a deadline; every answer is an outcome."""

from __future__ import annotations

import inspect
import logging
import math
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextvars import copy_context
from dataclasses import dataclass, field, replace
from itertools import islice
from types import MappingProxyType

import pluggy

from lakemon_core.domain.errors import PluginError, did_you_mean
from lakemon_core.domain.rule import Signal
from lakemon_core.domain.run import Finding, HookOutcome, HookStatus
from lakemon_core.hookspecs import HOOKS, PROJECT, LakemonHooks, RunContext
from lakemon_core.pipeline.loading import one_line, strict
from lakemon_core.ports import MetricSpec, PanelSpec

MOST_ANSWERS = 100_000
"""More elements from one call of one hook are refused."""

_ELEMENTS: Mapping[str, type] = {
    "lakemon_deploy": Finding,
    "lakemon_validate": Finding,
    "lakemon_monitor": Signal,
    "lakemon_analyze": Finding,
    "lakemon_metrics": MetricSpec,
    "lakemon_report_panels": PanelSpec,
}
"""Hook → what its answer is a sequence of. The answers of all other hooks are ignored."""

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Listener:
    """One plugin in a pluggy manager of its own: nothing that it does reaches another's call."""

    name: str
    manager: pluggy.PluginManager
    settings: Mapping[str, object] = field(default_factory=dict[str, object])
    timed_out: bool = False

    @property
    def hooks(self) -> tuple[str, ...]:
        return tuple(hook for hook in HOOKS if getattr(self.manager.hook, hook).get_hookimpls())


class HookRunner:
    """The plugins that listen in one run, and the one way to call them.

    Args:
        on_outcome: is told every outcome, e.g. by `--trace-hooks`.

    Attributes:
        warnings: hook plugins that are installed and could not be used, one sentence each.
    """

    def __init__(self, on_outcome: Callable[[HookOutcome], None] | None = None) -> None:
        self.warnings: list[str] = []
        self._on_outcome = on_outcome
        self._drivers: dict[str, _Listener] = {}
        self._plugins: dict[str, _Listener] = {}

    def register(self, driver: object, name: str) -> None:
        """Lets a chosen driver listen too; drivers come before hook plugins, in the order of registration.

        Args:
            driver: instance of a backend, model type or sink; one without hooks is welcome.
            name: `group:name`.

        Raises:
            PluginError: LM208 for hooks that do not exist, arguments that do not fit, and wrappers.
        """
        self._drivers[name] = _listener(driver, name)

    def add(self, plugin: object, name: str, settings: Mapping[str, object]) -> None:
        """Lets a hook plugin listen; hook plugins are called in the order of their names.

        Raises:
            PluginError: LM208 as in `register`.
        """
        listener = _listener(plugin, name)
        listener.settings = MappingProxyType(dict(settings))
        self._plugins[name] = listener

    def hooks_of(self, name: str) -> tuple[str, ...]:
        """Returns the hooks a registered plugin listens to, in the order of the lifecycle."""
        listener = self._drivers.get(name) or self._plugins.get(name)
        return listener.hooks if listener else ()

    def listeners(self, hook: str) -> tuple[str, ...]:
        """Returns the names of those who listen to a hook, in the order of the calls."""
        return tuple(listener.name for listener in self._ordered() if hook in listener.hooks)

    def call(self, hook: str, context: RunContext | None, *, deadline: float) -> list[HookOutcome]:
        """Calls everyone who listens to a hook, one after the other.

        A plugin that ran out of time is left out for the rest of the run: its thread may still work.

        Args:
            hook: one of `hookspecs.HOOKS`.
            context: the hook's context; each plugin gets its own `settings` in it. None for
                `lakemon_metrics`, which takes none.
            deadline: seconds for each plugin.

        Returns:
            one outcome a plugin. The value of an ok outcome is a tuple of what the hook promises, or None
            for hooks whose answers are ignored.
        """
        outcomes: list[HookOutcome] = []
        for listener in self._ordered():
            if hook not in listener.hooks:
                continue
            outcome = _call(listener, hook, context, deadline)
            outcomes.append(outcome)
            if self._on_outcome is not None:
                self._on_outcome(outcome)
        return outcomes

    def _ordered(self) -> Iterable[_Listener]:
        yield from self._drivers.values()
        yield from (self._plugins[name] for name in sorted(self._plugins))


def _listener(plugin: object, name: str) -> _Listener:
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(LakemonHooks)
    try:
        manager.register(plugin, name)
    except Exception as error:
        raise _refused(name, one_line(error)) from error
    for caller in manager.get_hookcallers(plugin) or ():
        for implementation in caller.get_hookimpls():
            if not implementation.optionalhook or caller.has_spec():
                _check(name, caller, implementation)
    return _Listener(name, manager)


def _check(name: str, caller: pluggy.HookCaller, implementation: pluggy.HookImpl) -> None:
    """Refuses what pluggy would accept and then call in a way its author did not mean."""
    if not caller.has_spec():
        raise _refused(name, f"there is no hook {caller.name!r}", did_you_mean(caller.name, HOOKS))
    if implementation.wrapper or implementation.hookwrapper:
        raise _refused(name, f"{caller.name} is a wrapper; plugins may not wrap the others")
    parameters = inspect.signature(implementation.function).parameters.values()
    unmet = [
        parameter.name
        for parameter in parameters
        if parameter.default is parameter.empty
        and parameter.kind not in {parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD}
        and parameter.name not in implementation.argnames
    ]
    if unmet:
        cure = f"write `def {caller.name}(self, context)`."
        raise _refused(name, f"{caller.name} is never given {', '.join(unmet)}", cure)


def _refused(name: str, why: str, cure: str = "docs/reference/hooks.md says what fits.") -> PluginError:
    return PluginError("LM208", f"its hooks cannot be used: {why};", where=name, cure=cure)


def _call(listener: _Listener, hook: str, context: RunContext | None, deadline: float) -> HookOutcome:
    """Calls one plugin and waits until it answers, fails, or is out of time."""
    if listener.timed_out:
        reason = "left out: it ran out of time earlier in this run"
        return HookOutcome(hook, listener.name, HookStatus.SKIPPED, 0.0, error=reason)
    answers: list[object] = []
    errors: list[BaseException] = []

    def work() -> None:
        try:
            answers.append(_answer(listener, hook, context))
        except BaseException as error:  # noqa: BLE001 - SystemExit and KeyboardInterrupt of a plugin are its failure
            errors.append(error)

    start = time.monotonic()
    thread = threading.Thread(target=copy_context().run, args=(work,), name=listener.name, daemon=True)
    thread.start()
    thread.join(deadline)
    seconds = time.monotonic() - start
    if errors:
        if strict():
            raise errors[0]
        _log.debug("%s of %s failed", hook, listener.name, exc_info=errors[0])
        return HookOutcome(hook, listener.name, HookStatus.FAILED, seconds, error=one_line(errors[0]))
    if answers:
        return HookOutcome(hook, listener.name, HookStatus.OK, seconds, answers[0])
    listener.timed_out = True
    return HookOutcome(
        hook, listener.name, HookStatus.TIMEOUT, seconds, error=f"no answer within {deadline:g} s"
    )


def _answer(listener: _Listener, hook: str, context: RunContext | None) -> tuple[object, ...] | None:
    """Makes the call and checks the answer; runs in the plugin's thread, so that lazy answers count too."""
    arguments = {} if context is None else {"context": replace(context, settings=listener.settings)}
    answers: list[object] = getattr(listener.manager.hook, hook)(**arguments)
    element = _ELEMENTS.get(hook)
    if element is None:
        return None
    return tuple(item for answer in answers for item in _elements(hook, element, answer))


def _elements(hook: str, element: type, answer: object) -> list[object]:
    wanted = f"{hook} answers with a list of {element.__name__} or None"
    if isinstance(answer, (str, bytes, Mapping)) or not isinstance(answer, Iterable):
        raise TypeError(f"{wanted}, not {type(answer).__name__}")
    items: list[object] = list(islice(answer, MOST_ANSWERS + 1))
    if len(items) > MOST_ANSWERS:
        raise ValueError(f"{hook} answers with at most {MOST_ANSWERS} elements")
    for item in items:
        if not isinstance(item, element):
            raise TypeError(f"{wanted}; one element is a {type(item).__name__}")
        if isinstance(item, Signal) and item.value is not None and not math.isfinite(item.value):
            raise ValueError(f"signal {item.name!r} is {item.value}; use None and say the reason")
    return items
