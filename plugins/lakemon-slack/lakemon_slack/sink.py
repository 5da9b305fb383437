"""The sink `slack`: an incoming webhook, or a bot that keeps one thread for each incident."""

from __future__ import annotations

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
from lakemon_core.domain.message_parts import heading_of
from lakemon_core.ports import PluginConfig, SinkCheck
from lakemon_core.ports.web_sink import SecretText, WebAddress, WebConfig, WebSink
from lakemon_core.web import Answer
from lakemon_slack.api import CANNOT_CHANGE, of_method, of_webhook
from lakemon_slack.blocks import blocks_of, escaped, text_of

_CHANNEL = re.compile(r"#[\w.-]{1,80}|[CGD][A-Z0-9]{8,20}")
_SENT = frozenset({DeliveryStatus.DELIVERED, DeliveryStatus.ACCEPTED})


class SlackConfig(WebConfig):
    """Settings of the sink `slack`: either `webhook_url`, or `token`.

    Attributes:
        webhook_url: of an incoming webhook; it posts to its own channel, whatever a rule names.
        token: of a bot, scope `chat:write`.
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

    def owns(self, recipient: str) -> bool:
        """Whether it is a channel, `#ml` or its id."""
        return _CHANNEL.fullmatch(recipient) is not None

    @property
    def has_default(self) -> bool:
        """Whether the webhook's or the bot's channel is known."""
        return bool(self._config.webhook_url or self._config.channel)

    def render(self, notification: Notification) -> Rendered:
        """Returns the message, the thread it belongs to, and the line that closes the thread."""
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
        body = {"message": message, "thread": notification.thread, "reply": reply}
        return Rendered(body, "application/json", was_cut)

    def deliver(self, rendered: Rendered, attempt: Attempt) -> DeliveryResult:
        """Posts it once to every channel that still has to get it."""
        body = cast("Mapping[str, Any]", rendered.body)
        if self._config.webhook_url:
            return self._through_webhook(body["message"], attempt)
        targets = attempt.targets or ((self._config.channel,) if self._config.channel else ())
        if not targets:
            return DeliveryResult(DeliveryStatus.REJECTED, "no_recipient", "there is no channel to post to")
        end = monotonic() + attempt.deadline_seconds
        results: list[TargetResult] = []
        receipt, pauses = dict(attempt.receipt), [0.0]
        for target in targets:
            result = self._tell(self.setup.secrets.reveal(target), body, receipt.get(target, ""), end)
            results.append(TargetResult(target, result.status, result.code, result.detail))
            if result.receipt:
                receipt[target] = result.receipt["root"]
            pauses.append(result.retry_after or 0.0)
        return DeliveryResult.of(results, retry_after=max(pauses) or None, receipt=receipt)

    def check(self) -> SinkCheck:
        """Looks whether the webhook's host can be reached, or whether Slack knows the token."""
        config = self._config
        if config.webhook_url:
            return self.reach(config.webhook_url)
        answer = self._call("auth.test", {}, config.timeout)
        result = of_method(answer)
        if result.status not in _SENT:
            return SinkCheck(ok=False, detail=result.detail)
        said = answer.json()
        return SinkCheck(
            ok=True, detail=f"posts as {said.get('user', 'a bot')} to {said.get('team', 'Slack')}"
        )

    def _through_webhook(self, message: object, attempt: Attempt) -> DeliveryResult:
        url = cast("str", self._config.webhook_url)
        answer = self.send(url, json.dumps(message).encode(), seconds=attempt.deadline_seconds)
        return of_webhook(answer)

    def _tell(self, channel: str, body: Mapping[str, Any], root: str, end: float) -> DeliveryResult:
        """Tells one channel.

        The receipt is the thread's root, `channel/ts/thread`. An ending updates the message that told of
        exactly the same incidents, and says so in the thread, for an update notifies nobody.
        """
        message, thread = body["message"], str(body["thread"])
        if not root:
            return self._post(channel, message, thread, end)
        place, ts, opened = root.split("/", 2)
        replied: dict[str, Any] = {"thread_ts": ts, "reply_broadcast": not body["reply"]}
        if body["reply"] and opened == thread:
            changed = self._method("chat.update", {"channel": place, "ts": ts, **_changeable(message)}, end)
            if changed.code in CANNOT_CHANGE:
                return self._post(channel, message, thread, end)
            if changed.status not in _SENT:
                return changed
            message = {"text": body["reply"], "mrkdwn": False}
        told = self._method("chat.postMessage", {"channel": place, **message, **replied}, end)
        return DeliveryResult(told.status, told.code, told.detail, told.retry_after)

    def _post(self, channel: str, message: Mapping[str, Any], thread: str, end: float) -> DeliveryResult:
        """Posts a new message, which becomes the root of its thread."""
        answer = self._call("chat.postMessage", {"channel": channel, **message}, end - monotonic())
        result, said = of_method(answer), answer.json()
        root = f"{said.get('channel')}/{said.get('ts')}/{thread}"
        receipt = {"root": root} if result.status in _SENT else {}
        return DeliveryResult(result.status, result.code, result.detail, result.retry_after, receipt)

    def _method(self, name: str, arguments: Mapping[str, Any], end: float) -> DeliveryResult:
        return of_method(self._call(name, arguments, end - monotonic()))

    def _call(self, name: str, arguments: Mapping[str, Any], seconds: float) -> Answer:
        headers = {
            "Authorization": f"Bearer {self._config.token}",
            "Content-Type": "application/json; charset=utf-8",
        }
        body = json.dumps(arguments).encode()
        return self.send(f"{self._config.api_url}/{name}", body, headers, seconds=max(seconds, 0.001))

    @property
    def _config(self) -> SlackConfig:
        return cast("SlackConfig", self.setup.config)


def _changeable(message: Mapping[str, Any]) -> dict[str, Any]:
    return {name: message[name] for name in ("text", "blocks")}
