"""The sink `apprise`: hands each message to any of the services that Apprise knows."""

from __future__ import annotations

from collections.abc import Mapping
from time import monotonic
from typing import TYPE_CHECKING, ClassVar, cast

from pydantic import Field, field_validator

from lakemon_apprise.services import notify, read_service
from lakemon_apprise.words import LONGEST_TITLE, MOST_LINES, body_of, title_of
from lakemon_core.domain.errors import DeliveryError, LakemonError, did_you_mean
from lakemon_core.domain.incident import (
    Attempt,
    DeliveryResult,
    DeliveryStatus,
    Notification,
    Rendered,
    TargetResult,
)
from lakemon_core.domain.names import plain
from lakemon_core.ports import AlertSink, PluginConfig, SinkCheck
from lakemon_core.ports.web_sink import SecretText

if TYPE_CHECKING:
    from apprise import NotifyBase


class AppriseConfig(PluginConfig):
    """Settings of the sink `apprise`.

    Attributes:
        urls: name → Apprise URL; rules may name one as `apprise:NAME`.
        timeout: seconds that one service may take.
    """

    urls: dict[str, SecretText] = Field(min_length=1, repr=False)
    timeout: float = Field(20.0, gt=0, le=120)

    @field_validator("urls", mode="before")
    @classmethod
    def _one_is_a_mapping(cls, urls: object) -> object:
        if isinstance(urls, str):
            return {"1": urls}
        if isinstance(urls, list):
            return {str(number): url for number, url in enumerate(cast("list[object]", urls), 1)}
        return urls


class AppriseSink(AlertSink):
    """Sends plain text to each of its services; each is delivered or tried again for itself."""

    type: ClassVar[str] = "apprise"
    Config: ClassVar[type[PluginConfig]] = AppriseConfig
    accepts_recipients: ClassVar[bool] = True
    longest_title: ClassVar[int] = LONGEST_TITLE
    most_lines: ClassVar[int] = MOST_LINES

    def render(self, notification: Notification) -> Rendered:
        """Returns title and text; what a service does not take of it, Apprise cuts off."""
        body = {"title": title_of(notification), "body": body_of(notification), "state": notification.state}
        return Rendered(body, "text/plain", len(notification.lines) > MOST_LINES)

    def deliver(self, rendered: Rendered, attempt: Attempt) -> DeliveryResult:
        """Sends it once to every service that still has to get it."""
        message = cast("Mapping[str, str]", rendered.body)
        end = monotonic() + attempt.deadline_seconds
        names = attempt.targets or tuple(self._config.urls)
        return DeliveryResult.of([self._tell(name, message, end - monotonic()) for name in names])

    def check(self) -> SinkCheck:
        """Looks whether Apprise knows all URLs; whether a service answers, only a message would tell."""
        try:
            for name in self._config.urls:
                self._service(name)
        except LakemonError as error:
            return SinkCheck(ok=False, detail=str(error))
        return SinkCheck(ok=True, detail=f"Apprise knows {plain(', '.join(self._config.urls), 300)}")

    def _tell(self, name: str, message: Mapping[str, str], left: float) -> TargetResult:
        if name not in self._config.urls:
            detail = f"there is no such name under urls. {did_you_mean(name, list(self._config.urls))}"
            return TargetResult(name, DeliveryStatus.REJECTED, "no_such_name", detail)
        if left <= 0:
            return TargetResult(name, DeliveryStatus.RETRY, "timeout", "there was no time left to send it")
        try:
            service = self._service(name)
        except LakemonError as error:
            return TargetResult(name, DeliveryStatus.RETRY, error.code, str(error))
        return notify(name, service, message, min(left, self._config.timeout))

    def _service(self, name: str) -> NotifyBase:
        service = read_service(self.setup.secrets.reveal(self._config.urls[name]))
        if service is None:
            raise DeliveryError(
                "LM556",
                f"Apprise does not know the URL {name!r} of sink {self.setup.name};",
                cure="write it as Apprise's page of that service says, e.g. ntfys://host/topic.",
            )
        return service

    @property
    def _config(self) -> AppriseConfig:
        return cast("AppriseConfig", self.setup.config)
