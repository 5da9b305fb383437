"""The sink `teams`: posts cards through a workflow of Power Automate."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import ClassVar, cast

from pydantic import Field, field_validator

from lakemon_core.domain.errors import DeliveryError, LakemonError
from lakemon_core.domain.incident import Attempt, DeliveryResult, DeliveryStatus, Notification, Rendered
from lakemon_core.ports import PluginConfig, SinkCheck
from lakemon_core.ports.setting import refusal
from lakemon_core.ports.web_sink import WebAddress, WebConfig, WebSink
from lakemon_teams.card import LARGEST_CARD, message_of

_CONNECTOR = re.compile(
    r"https?://([\w-]+\.)?(webhook\.office\.com|outlook\.office(365)?\.com)[:/]", re.IGNORECASE
)
_GONE = "is of an Office 365 connector, which Microsoft has switched off"
_CURE = "make a workflow: in Teams, Workflows, 'Post to a channel when a webhook request is received'"


class TeamsConfig(WebConfig):
    """Settings of the sink `teams`.

    Attributes:
        workflow_url: of a workflow with the trigger 'When a Teams webhook request is received'.
    """

    workflow_url: WebAddress = Field(repr=False)

    @field_validator("workflow_url")
    @classmethod
    def _is_alive(cls, url: str) -> str:
        if _CONNECTOR.match(url):
            raise refusal(f"it {_GONE}; {_CURE}")
        return url


class TeamsSink(WebSink):
    """Posts one card a message to the channel of its workflow, also when a rule names another target."""

    type: ClassVar[str] = "teams"
    Config: ClassVar[type[PluginConfig]] = TeamsConfig
    accepts_recipients: ClassVar[bool] = True
    largest_card: ClassVar[int] = LARGEST_CARD
    rate: ClassVar[tuple[int, float] | None] = (3, 1.0)

    def render(self, notification: Notification) -> Rendered:
        """Returns the request's body with the card."""
        body, was_cut = message_of(notification)
        return Rendered(body, "application/json", was_cut)

    def deliver(self, rendered: Rendered, attempt: Attempt) -> DeliveryResult:
        """Posts it once; the workflow answers before the card is looked at, so success is `accepted`."""
        try:
            self._look_at_url()
        except LakemonError as error:
            return DeliveryResult(DeliveryStatus.RETRY, error.code, str(error))
        body = cast("bytes", rendered.body)
        answer = self.send(self._config.workflow_url, body, seconds=attempt.deadline_seconds)
        if not answer.is_success:
            return answer.outcome
        detail = "the workflow took it; Teams does not say whether it is shown"
        return replace(answer.outcome, status=DeliveryStatus.ACCEPTED, detail=detail)

    def check(self) -> SinkCheck:
        """Looks whether the workflow's host can be reached."""
        try:
            self._look_at_url()
        except LakemonError as error:
            return SinkCheck(ok=False, detail=str(error))
        return self.reach(self._config.workflow_url)

    def _look_at_url(self) -> None:
        """Refuses a connector's URL that stands behind a reference."""
        if _CONNECTOR.match(self.setup.secrets.reveal(self._config.workflow_url)):
            raise DeliveryError("LM555", f"the URL of sink {self.setup.name} {_GONE};", cure=f"{_CURE}.")

    @property
    def _config(self) -> TeamsConfig:
        return cast("TeamsConfig", self.setup.config)
