"""The sink `webhook`: hands each message as signed JSON to any program that takes HTTP."""

from __future__ import annotations

from typing import ClassVar, Literal, cast

from pydantic import Field, field_validator

from lakemon_core.domain.errors import LakemonError
from lakemon_core.domain.incident import Attempt, DeliveryResult, DeliveryStatus, Notification, Rendered
from lakemon_core.ports import PluginConfig, SinkCheck
from lakemon_core.ports.web_sink import SecretText, WebAddress, WebConfig, WebSink
from lakemon_webhook.payload import LARGEST_BODY, cloud_event, standard
from lakemon_webhook.signature import signed_headers

_OURS = ("webhook-", "content-", "host", "connection", "transfer-encoding")


class WebhookConfig(WebConfig):
    """Settings of the sink `webhook`.

    Attributes:
        url: where to.
        secret: signs every message, `whsec_…`; two of them while one is replaced.
        format: `standard` (Standard Webhooks) or `cloudevents`; both are signed.
        headers: further headers, e.g. `Authorization`.
    """

    url: WebAddress = Field(repr=False)
    secret: tuple[SecretText, ...] = Field(min_length=1, max_length=5, repr=False)
    format: Literal["standard", "cloudevents"] = "standard"
    headers: dict[str, SecretText] = Field(default_factory=dict, repr=False)

    @field_validator("secret", mode="before")
    @classmethod
    def _one_is_a_list(cls, secret: object) -> object:
        return [secret] if isinstance(secret, str) else secret

    @field_validator("headers")
    @classmethod
    def _leave_ours_alone(cls, headers: dict[str, str]) -> dict[str, str]:
        for name in headers:
            if not name.replace("-", "").isalnum() or name.lower().startswith(_OURS):
                raise ValueError(f"{name!r} cannot be set: it is no header, or lakemon sets it")
        return headers


class WebhookSink(WebSink):
    """Posts signed JSON; `webhook-id` is the same in every attempt, so a repetition is known as one."""

    type: ClassVar[str] = "webhook"
    Config: ClassVar[type[PluginConfig]] = WebhookConfig
    largest_body: ClassVar[int] = LARGEST_BODY

    @property
    def keeps_state(self) -> bool:
        """Always: a program may keep what a person forgets."""
        return True

    def render(self, notification: Notification) -> Rendered:
        """Returns the JSON as bytes, as they are signed and sent."""
        return cloud_event(notification) if self._config.format == "cloudevents" else standard(notification)

    def deliver(self, rendered: Rendered, attempt: Attempt) -> DeliveryResult:
        """Signs and posts it once; any 2xx means taken."""
        body = cast("bytes", rendered.body)
        try:
            secrets = [self.setup.secrets.reveal(secret) for secret in self._config.secret]
            headers = signed_headers(attempt.key, int(self.setup.clock.now().timestamp()), body, secrets)
        except LakemonError as error:
            return DeliveryResult(DeliveryStatus.RETRY, error.code, str(error))
        headers |= {"Content-Type": rendered.content_type, **self._config.headers}
        return self.send(self._config.url, body, headers, seconds=attempt.deadline_seconds).outcome

    def check(self) -> SinkCheck:
        """Looks whether the secrets can sign and the receiver can be reached."""
        try:
            signed_headers("check", 0, b"", [self.setup.secrets.reveal(one) for one in self._config.secret])
        except LakemonError as error:
            return SinkCheck(ok=False, detail=str(error))
        return self.reach(self._config.url)

    @property
    def _config(self) -> WebhookConfig:
        return cast("WebhookConfig", self.setup.config)
