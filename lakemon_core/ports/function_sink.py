"""A team's own sink as one function, marked with `@alert_sink`."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from typing import Any, ClassVar, cast, overload

from pydantic import ConfigDict

from lakemon_core.domain.codec import decode, encode
from lakemon_core.domain.incident import Attempt, DeliveryResult, DeliveryStatus, Notification, Rendered
from lakemon_core.ports.alert_sink import AlertSink, SinkCheck, SinkSetup
from lakemon_core.ports.setting import PluginConfig

Send = Callable[[Notification, Any], "DeliveryResult | Coroutine[Any, Any, DeliveryResult | None] | None"]


class AnySettings(PluginConfig):
    """Settings of a function that states none: whatever stands in the config."""

    model_config = ConfigDict(extra="allow")


class FunctionSink(AlertSink):
    """Hands each message to a function; made by `@alert_sink`."""

    type: ClassVar[str] = "python"
    Config: ClassVar[type[PluginConfig]] = AnySettings
    send: ClassVar[Send]

    def __init__(self, setup: SinkSetup) -> None:
        super().__init__(setup)

    def render(self, notification: Notification) -> Rendered:
        """Returns the notification as JSON."""
        return Rendered(encode(notification), "application/json")

    def deliver(self, rendered: Rendered, attempt: Attempt) -> DeliveryResult:
        """Calls the function once: it returns nothing when the message is sent, or a `DeliveryResult`."""
        told = decode(Notification, cast("str", rendered.body))
        answer = type(self).send(replace(told, targets=attempt.targets), self._settings())
        if inspect.iscoroutine(answer):
            answer = asyncio.run(answer)
        return DeliveryResult(DeliveryStatus.DELIVERED) if answer is None else cast("DeliveryResult", answer)

    def check(self) -> SinkCheck:
        """A function can only be tried by sending."""
        return SinkCheck(ok=True, detail="a function of your own: `lakemon alert test` tries it")

    def _settings(self) -> object:
        """Returns the settings with their secrets: a mapping, or what `config` of the decorator says."""
        revealed = _revealed(self.setup.config.model_dump(), self.setup.secrets.reveal)
        return revealed if type(self).Config is AnySettings else type(self).Config.model_validate(revealed)


@overload
def alert_sink(send: Send, /) -> type[FunctionSink]: ...
@overload
def alert_sink(
    *, name: str = ..., config: type[PluginConfig] | None = ..., rate: tuple[int, float] | None = ...
) -> Callable[[Send], type[FunctionSink]]: ...
def alert_sink(
    send: Send | None = None,
    /,
    *,
    name: str = "python",
    config: type[PluginConfig] | None = None,
    rate: tuple[int, float] | None = None,
) -> type[FunctionSink] | Callable[[Send], type[FunctionSink]]:
    """Makes a sink of a function `send(notification, config)`.

    The function makes one attempt. It returns nothing when the message is sent, or a `DeliveryResult`; when
    it raises, the message may have arrived, and it is called again with the same `notification.key`. It may
    be `async`. `config` holds the sink's settings with their secrets.

    Args:
        send: the function, when the decorator is used without parentheses.
        name: the entry point's name, for a sink that is packaged.
        config: class of the settings; a function without one takes any.
        rate: at most so many messages in so many seconds to one target.

    Returns:
        a class that `type: python` and the entry-point group `lakemon.alert_sinks` both take.
    """

    def made(function: Send) -> type[FunctionSink]:
        known: dict[str, object] = {
            "__doc__": function.__doc__,
            "__module__": function.__module__,
            "type": name,
            "Config": config or AnySettings,
            "rate": rate,
            "send": staticmethod(function),
        }
        return cast("type[FunctionSink]", type(function.__name__, (FunctionSink,), known))

    return made if send is None else made(send)


def _revealed(value: Any, reveal: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return reveal(value)
    if isinstance(value, Mapping):
        return {name: _revealed(item, reveal) for name, item in cast("Mapping[str, Any]", value).items()}
    if isinstance(value, list | tuple):
        return [_revealed(item, reveal) for item in cast("list[Any]", value)]
    return value
