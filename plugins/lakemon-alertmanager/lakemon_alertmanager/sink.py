"""The sink `alertmanager`: fires and resolves alerts of a Prometheus Alertmanager."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import ClassVar, cast

from pydantic import Field

from lakemon_alertmanager.alerts import LONGEST_VALUE, MOST_ALERTS, alerts_of
from lakemon_core.domain.incident import Attempt, DeliveryResult, Notification, Rendered
from lakemon_core.ports import PluginConfig, SinkCheck
from lakemon_core.ports.web_sink import SecretText, WebAddress, WebConfig, WebSink


class AlertmanagerConfig(WebConfig):
    """Settings of the sink `alertmanager`.

    Attributes:
        url: of the Alertmanager, with its prefix if it has one; `allow_private: true` is usual here.
        headers: further headers, e.g. `Authorization`.
        fires_for_days: an open incident keeps firing so long unless it is told again.
    """

    url: WebAddress = Field(repr=False)
    headers: dict[str, SecretText] = Field(default_factory=dict, repr=False)
    fires_for_days: float = Field(30.0, gt=0, le=366)


class AlertmanagerSink(WebSink):
    """Posts one alert for each incident; grouping, silences and people are Alertmanager's."""

    type: ClassVar[str] = "alertmanager"
    Config: ClassVar[type[PluginConfig]] = AlertmanagerConfig
    accepts_recipients: ClassVar[bool] = True
    most_alerts: ClassVar[int] = MOST_ALERTS
    longest_value: ClassVar[int] = LONGEST_VALUE

    @property
    def keeps_state(self) -> bool:
        """Always: an alert fires until it is resolved."""
        return True

    def render(self, notification: Notification) -> Rendered:
        """Returns the alerts as JSON."""
        alerts = alerts_of(notification, timedelta(days=self._config.fires_for_days))
        body = json.dumps(alerts, ensure_ascii=False).encode()
        return Rendered(body, "application/json", len(notification.evidence) > MOST_ALERTS)

    def deliver(self, rendered: Rendered, attempt: Attempt) -> DeliveryResult:
        """Posts them once; the same alerts twice are the same alerts."""
        url = f"{self._config.url.rstrip('/')}/api/v2/alerts"
        body = cast("bytes", rendered.body)
        return self.send(url, body, self._config.headers, seconds=attempt.deadline_seconds).outcome

    def check(self) -> SinkCheck:
        """Asks for its status."""
        url, config = f"{self._config.url.rstrip('/')}/api/v2/status", self._config
        answer = self.send(url, b"", config.headers, seconds=config.timeout, method="GET")
        said = answer.json().get("versionInfo")
        if answer.is_success and isinstance(said, dict):
            return SinkCheck(
                ok=True, detail=f"Alertmanager {cast('dict[str, str]', said).get('version', '')}"
            )
        return SinkCheck(ok=False, detail=answer.outcome.detail or "what answers there is no Alertmanager")

    @property
    def _config(self) -> AlertmanagerConfig:
        return cast("AlertmanagerConfig", self.setup.config)
