"""The sink `pagerduty`: triggers, acknowledges and resolves one alert for each incident."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import replace
from time import monotonic
from typing import Any, ClassVar, Literal, cast

from pydantic import Field

from lakemon_core.domain.errors import LakemonError
from lakemon_core.domain.incident import (
    Attempt,
    DeliveryResult,
    DeliveryStatus,
    Notification,
    Rendered,
    TargetResult,
)
from lakemon_core.ports import PluginConfig, SinkCheck
from lakemon_core.ports.web_sink import SecretText, WebAddress, WebConfig, WebSink
from lakemon_pagerduty.events import LARGEST_EVENT, LONGEST_SUMMARY, events_of

_DOORS = {"us": "https://events.pagerduty.com", "eu": "https://events.eu.pagerduty.com"}
_TO_BE_TRIED_AGAIN = (DeliveryStatus.UNKNOWN, DeliveryStatus.RETRY)


class PagerDutyConfig(WebConfig):
    """Settings of the sink `pagerduty`.

    Attributes:
        routing_key: integration key of a service, type Events API v2.
        region: `us` or `eu`, where the account lives.
        events_url: of the Events API, where neither region has it.
    """

    routing_key: SecretText = Field(repr=False)
    region: Literal["us", "eu"] = "us"
    events_url: WebAddress | None = None


class PagerDutySink(WebSink):
    """Sends one event for each incident; each is a target of its own, so only what failed is sent again."""

    type: ClassVar[str] = "pagerduty"
    Config: ClassVar[type[PluginConfig]] = PagerDutyConfig
    accepts_recipients: ClassVar[bool] = True
    hosts: ClassVar[Collection[str]] = (".pagerduty.com",)
    rate: ClassVar[tuple[int, float] | None] = (2, 1.0)
    longest_summary: ClassVar[int] = LONGEST_SUMMARY
    largest_event: ClassVar[int] = LARGEST_EVENT

    @property
    def keeps_state(self) -> bool:
        """Always: an alert stays open until it is resolved."""
        return True

    def render(self, notification: Notification) -> Rendered:
        """Returns the events, one for each incident."""
        return Rendered({"events": events_of(notification)}, "application/json")

    def deliver(self, rendered: Rendered, attempt: Attempt) -> DeliveryResult:
        """Sends each event that is still due once; when one has to wait, those after it wait too."""
        events = cast("list[dict[str, Any]]", cast("dict[str, Any]", rendered.body)["events"])
        try:
            key = self.setup.secrets.reveal(self._config.routing_key)
        except LakemonError as error:
            return DeliveryResult(DeliveryStatus.RETRY, error.code, str(error))
        due = [event for event in events if event["dedup_key"] in attempt.targets] or events
        end = monotonic() + attempt.deadline_seconds
        results: list[TargetResult] = []
        last = DeliveryResult(DeliveryStatus.ACCEPTED)
        for event in due:
            if last.status not in _TO_BE_TRIED_AGAIN:
                last = self._sent(event | {"routing_key": key}, end - monotonic())
            results.append(TargetResult(str(event["dedup_key"]), last.status, last.code, last.detail))
        return DeliveryResult.of(results, retry_after=last.retry_after)

    def check(self) -> SinkCheck:
        """Looks whether the key is there and PagerDuty can be reached; only an event would try the key."""
        try:
            self.setup.secrets.reveal(self._config.routing_key)
        except LakemonError as error:
            return SinkCheck(ok=False, detail=str(error))
        return self.reach(self._door)

    def _sent(self, event: dict[str, Any], seconds: float) -> DeliveryResult:
        if seconds <= 0:
            return DeliveryResult(DeliveryStatus.RETRY, "timeout", "there was no time left to send it")
        answer = self.send(f"{self._door}/v2/enqueue", json.dumps(event).encode(), seconds=seconds)
        if not answer.is_success:
            return answer.outcome
        detail = "PagerDuty took it; whom it calls is decided there"
        return replace(answer.outcome, status=DeliveryStatus.ACCEPTED, detail=detail)

    @property
    def _door(self) -> str:
        return self._config.events_url or _DOORS[self._config.region]

    @property
    def _config(self) -> PagerDutyConfig:
        return cast("PagerDutyConfig", self.setup.config)
