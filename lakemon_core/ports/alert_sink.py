"""A channel that reaches people: the class that the author of a sink implements."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from lakemon_core.domain.incident import Attempt, DeliveryResult, Notification, Rendered
from lakemon_core.ports.setting import API_VERSION, Clock, PluginConfig, Secrets


@dataclass(frozen=True, slots=True)
class SinkSetup:
    """What a sink is opened with: its name in the config, its validated `Config`, and what it may use."""

    name: str
    config: PluginConfig
    secrets: Secrets
    clock: Clock
    workspace: Path


@dataclass(frozen=True, slots=True)
class SinkCheck:
    """Whether a sink could deliver now: `ok` and one sentence."""

    ok: bool
    detail: str


class AlertSink(ABC):
    """A channel that reaches people; entry-point group `lakemon.alert_sinks`.

    A sink makes exactly one attempt a call. Retry, order, rates and redaction are the engine's.
    """

    lakemon_api: ClassVar[int] = API_VERSION
    type: ClassVar[str]
    Config: ClassVar[type[PluginConfig]] = PluginConfig
    accepts_recipients: ClassVar[bool] = False
    """`recipients:` of a rule that look like this channel's targets are handed to it."""
    rate: ClassVar[tuple[int, float] | None] = None
    """At most so many messages in so many seconds to one target; the engine keeps to it."""

    def __init__(self, setup: SinkSetup) -> None:
        self.setup = setup

    def owns(self, recipient: str) -> bool:
        """Whether a recipient of a rule, e.g. `a@b.c`, belongs to this channel."""
        del recipient
        return False

    @property
    def has_default(self) -> bool:
        """Whether a message that names no recipient reaches somebody here."""
        return True

    @property
    def keeps_state(self) -> bool:
        """Whether something stays open in the channel until it is told that an incident is over.

        Such a channel hears of incidents too that end because their rule was edited or removed.
        """
        return False

    @property
    def shows_charts(self) -> bool:
        """Whether `render` makes something of `notification.chart`; else nobody draws one for it."""
        return False

    @abstractmethod
    def render(self, notification: Notification) -> Rendered:
        """Makes the message: pure, deterministic, within the channel's limits."""

    @abstractmethod
    def deliver(self, rendered: Rendered, attempt: Attempt) -> DeliveryResult:
        """Makes one attempt. Errors of the channel are results, not exceptions."""

    @abstractmethod
    def check(self) -> SinkCheck:
        """Looks whether the channel can be reached, without sending a message."""
