"""The sink `slack`: an incoming webhook, or a bot that keeps one thread for each incident."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Collection, Mapping
from time import monotonic
from typing import Any, ClassVar, cast

from pydantic import Field, model_validator

from lakemon_core.domain.incident import (
    Attempt,
    DeliveryResult,
    DeliveryStatus,
    Notification,
    Rendered,
    TargetResult,
    Transition,
)
from lakemon_core.domain.mail import is_chart
from lakemon_core.domain.message_parts import heading_of
from lakemon_core.ports import PluginConfig, SinkCheck
from lakemon_core.ports.web_sink import SecretText, WebAddress, WebConfig, WebSink
from lakemon_slack.api import of_method, of_webhook
from lakemon_slack.blocks import MOST_CHARACTERS, blocks_of, escaped, text_of
from lakemon_slack.bot import SENT, Bot

_CHANNEL = re.compile(r"#[\w.-]{1,80}|[CGD][A-Z0-9]{8,20}")


class SlackConfig(WebConfig):
    """Settings of the sink `slack`: either `webhook_url`, or `token`.

    Attributes:
        webhook_url: of an incoming webhook; it posts to its own channel, whatever a rule names.
        token: of a bot, scope `chat:write`, and `files:write` for charts.
        channel: where the bot posts alerts of rules that name no channel.
        api_url: of the Web API; another one for GovSlack.
    """

    webhook_url: WebAddress | None = Field(None, repr=False)
    token: SecretText | None = Field(None, repr=False)
    channel: str | None = Field(None, min_length=1)
    api_url: WebAddress = "https://slack.com/api"

    @model_validator(mode="after")
    def _is_one_of_two(self) -> SlackConfig:
        if (self.webhook_url is None) == (self.token is None):
            raise ValueError("give either webhook_url or token")
        if self.channel is not None and self.token is None:
            raise ValueError("an incoming webhook posts to its own channel; channel goes with token")
        return self


class SlackSink(WebSink):
    """Posts Block Kit messages; with a bot token the opening message is updated when its incident ends."""

    type: ClassVar[str] = "slack"
    Config: ClassVar[type[PluginConfig]] = SlackConfig
    accepts_recipients: ClassVar[bool] = True
    hosts: ClassVar[Collection[str]] = ("slack.com", ".slack.com", "slack-gov.com", ".slack-gov.com")
    rate: ClassVar[tuple[int, float] | None] = (1, 1.0)
    most_characters: ClassVar[int] = MOST_CHARACTERS

    def owns(self, recipient: str) -> bool:
        """Whether it is a channel, `#ml` or its id."""
        return _CHANNEL.fullmatch(recipient) is not None

    @property
    def has_default(self) -> bool:
        """Whether the webhook's or the bot's channel is known."""
        return bool(self._config.webhook_url or self._config.channel)

    @property
    def keeps_state(self) -> bool:
        """Whether it is a bot, whose opening message is updated at the end."""
        return self._config.token is not None

    @property
    def shows_charts(self) -> bool:
        """Whether it is a bot: a webhook cannot upload."""
        return self._config.token is not None

    def render(self, notification: Notification) -> Rendered:
        """Returns the message, its thread, the line that closes the thread, and the chart."""
        blocks, was_cut = blocks_of(notification)
        message = {
            "text": text_of(notification),
            "blocks": blocks,
            "mrkdwn": False,
            "unfurl_links": False,
            "unfurl_media": False,
        }
        ended = notification.transition is Transition.RESOLVED
        reply = escaped(heading_of(notification, 300)) if ended else ""
        has_chart = self._config.token and not ended and is_chart(notification.chart)
        chart = base64.b64encode(notification.chart or b"").decode() if has_chart else ""
        body = {"message": message, "thread": notification.thread, "reply": reply, "chart": chart}
        return Rendered(body, "application/json", was_cut)

    def deliver(self, rendered: Rendered, attempt: Attempt) -> DeliveryResult:
        """Posts it once to every channel that still has to get it."""
        body = cast("Mapping[str, Any]", rendered.body)
        if self._config.webhook_url:
            return self._through_webhook(body["message"], attempt)
        targets = attempt.targets or ((self._config.channel,) if self._config.channel else ())
        if not targets:
            return DeliveryResult(DeliveryStatus.REJECTED, "no_recipient", "there is no channel to post to")
        bot = self._bot(attempt.deadline_seconds)
        results: list[TargetResult] = []
        receipt, pauses = dict(attempt.receipt), [0.0]
        for target in targets:
            result = bot.tell(self.setup.secrets.reveal(target), body, receipt.get(target, ""))
            results.append(TargetResult(target, result.status, result.code, result.detail))
            pauses.append(result.retry_after or 0.0)
            if result.receipt:
                receipt[target] = result.receipt["root"]
        return DeliveryResult.of(results, retry_after=max(pauses) or None, receipt=receipt)

    def check(self) -> SinkCheck:
        """Looks whether the webhook's host can be reached, or whether Slack knows the token."""
        config = self._config
        if config.webhook_url:
            return self.reach(config.webhook_url)
        answer = self._bot(config.timeout).call("auth.test", {})
        result = of_method(answer)
        if result.status not in SENT:
            return SinkCheck(ok=False, detail=result.detail)
        said = answer.json()
        return SinkCheck(
            ok=True, detail=f"posts as {said.get('user', 'a bot')} to {said.get('team', 'Slack')}"
        )

    def _through_webhook(self, message: object, attempt: Attempt) -> DeliveryResult:
        url = cast("str", self._config.webhook_url)
        answer = self.send(url, json.dumps(message).encode(), seconds=attempt.deadline_seconds)
        return of_webhook(answer)

    def _bot(self, seconds: float) -> Bot:
        return Bot(self.send, self._config.api_url, self._config.token or "", monotonic() + seconds)

    @property
    def _config(self) -> SlackConfig:
        return cast("SlackConfig", self.setup.config)
