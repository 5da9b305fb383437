"""The sink `email`: hands each message to one SMTP server."""

from __future__ import annotations

import re
from typing import ClassVar, cast

from pydantic import ConfigDict, Field, field_validator, model_validator

from lakemon_core.domain.errors import DeliveryError, LakemonError
from lakemon_core.domain.incident import (
    Attempt,
    DeliveryResult,
    DeliveryStatus,
    Notification,
    Rendered,
    TargetResult,
)
from lakemon_core.domain.mail import address, compose, is_address
from lakemon_core.ports import AlertSink, PluginConfig, SinkCheck, SinkSetup
from lakemon_core.ports.web_sink import SecretText
from lakemon_email.oauth2 import ClientCredentials, ClientCredentialsConfig
from lakemon_email.smtp import Security, Server

_PORTS = {"starttls": 587, "ssl": 465, "none": 25}
_REFERENCE = re.compile(r"\$\{(env|secret):[^}]+\}")


class EmailConfig(PluginConfig):
    """Settings of the sink `email`. Texts may hold references, e.g. `${secret:smtp/password}`.

    Attributes:
        host: the SMTP server.
        port: default 587 for starttls, 465 for ssl, 25 for none.
        sender: the key `from`: address of the sender.
        to: who gets the alerts of rules that name nobody.
        username: of the login; none means no login.
        password: of the login.
        oauth2: logs in with an access token instead of a password (XOAUTH2).
        token: an access token that something else renews, instead of `oauth2`.
        security: `starttls` (default), `ssl`, or `none`; a login is never sent in plain text.
        timeout: seconds to wait for the server at each step.
    """

    model_config = ConfigDict(populate_by_name=True)

    host: str = Field(min_length=1)
    port: int | str | None = None
    sender: str = Field(alias="from")
    to: tuple[str, ...] = ()
    username: str | None = None
    password: str | None = Field(None, repr=False)
    oauth2: ClientCredentialsConfig | None = None
    token: SecretText | None = Field(None, repr=False)
    security: Security = "starttls"
    timeout: float = Field(20.0, gt=0, le=300)

    @field_validator("to", mode="before")
    @classmethod
    def _one_is_a_list(cls, to: object) -> object:
        return [to] if isinstance(to, str) else to

    @field_validator("sender", "to")
    @classmethod
    def _are_addresses(cls, given: str | tuple[str, ...]) -> str | tuple[str, ...]:
        for text in (given,) if isinstance(given, str) else given:
            if not _REFERENCE.search(text) and not is_address(text):
                raise ValueError("is not an e-mail address, e.g. lakemon@example.com")
        return given

    @field_validator("port")
    @classmethod
    def _is_a_port(cls, port: int | str | None) -> int | str | None:
        if isinstance(port, str) and _REFERENCE.fullmatch(port):
            return port
        if port is not None and not (str(port).isdecimal() and 1 <= int(port) <= 65535):
            raise ValueError("is not a port, 1 to 65535")
        return port

    @model_validator(mode="after")
    def _login_is_whole_and_safe(self) -> EmailConfig:
        keys = [one for one in (self.password, self.oauth2, self.token) if one is not None]
        if len(keys) != (self.username is not None):
            raise ValueError("a login needs both username and password, or username and oauth2 or token")
        if self.username is not None and self.security == "none":
            raise ValueError("security: none would send the password in plain text; use starttls or ssl")
        return self


class EmailSink(AlertSink):
    """Sends mail through one SMTP server; every recipient is accepted or refused for itself."""

    type: ClassVar[str] = "email"
    Config: ClassVar[type[PluginConfig]] = EmailConfig
    accepts_recipients: ClassVar[bool] = True

    def __init__(self, setup: SinkSetup) -> None:
        super().__init__(setup)
        oauth2 = self._config.oauth2
        self._tokens = ClientCredentials(oauth2, setup.secrets, setup.clock) if oauth2 else None

    def owns(self, recipient: str) -> bool:
        """Whether it is an e-mail address."""
        return is_address(recipient)

    @property
    def has_default(self) -> bool:
        """Whether `to` names somebody."""
        return bool(self._config.to)

    @property
    def shows_charts(self) -> bool:
        """Inside the mail."""
        return True

    def render(self, notification: Notification) -> Rendered:
        """Returns the whole mail as bytes, the same for every attempt."""
        recipients = [target for target in self._recipients(notification.targets) if is_address(target)]
        mail = compose(notification, sender=self._reveal(self._config.sender), recipients=recipients)
        return Rendered(mail, "message/rfc822")

    def deliver(self, rendered: Rendered, attempt: Attempt) -> DeliveryResult:
        """Hands the mail over once, to those who still have to get it."""
        try:
            server = self._server(attempt.deadline_seconds)
            sender = address(self._reveal(self._config.sender)).addr_spec
            targets = self._recipients(attempt.targets)
        except LakemonError as error:
            return DeliveryResult(DeliveryStatus.RETRY, error.code, str(error))
        good = {target: address(target).addr_spec for target in targets if is_address(target)}
        bad = [
            TargetResult(target, DeliveryStatus.REJECTED, "not_an_address", "is no e-mail address")
            for target in targets
            if target not in good
        ]
        if not targets:
            return DeliveryResult(DeliveryStatus.REJECTED, "no_recipient", "there is nobody to send to")
        if not good:
            return DeliveryResult.of(bad)
        sent = server.send(sender, good, cast("bytes", rendered.body))
        return DeliveryResult.of([*sent.targets, *bad]) if sent.targets else sent

    def check(self) -> SinkCheck:
        """Connects, secures and logs in, without sending a message."""
        try:
            server = self._server(self._config.timeout)
        except LakemonError as error:
            return SinkCheck(ok=False, detail=str(error))
        failure = server.probe()
        return SinkCheck(failure is None, failure or f"{server.host}:{server.port} takes mail")

    def _server(self, seconds: float) -> Server:
        """Returns the server with all references resolved, at the moment of use."""
        config = self._config
        return Server(
            host=self._reveal(config.host),
            port=self._port(),
            security=config.security,
            username=self._reveal(config.username) if config.username else None,
            password=self._reveal(config.password) if config.password else None,
            timeout=min(config.timeout, seconds),
            token=self._token(min(config.timeout, seconds)),
        )

    def _token(self, seconds: float) -> str | None:
        if self._tokens is not None:
            return self._tokens.token(seconds)
        return self._reveal(self._config.token) if self._config.token else None

    def _port(self) -> int:
        port = self._config.port
        if port is None:
            return _PORTS[self._config.security]
        text = self._reveal(str(port))
        if not text.isdecimal():
            raise DeliveryError(
                "LM512", f"the port of sink {self.setup.name} is {text!r};", cure="use a number."
            )
        return int(text)

    @property
    def _config(self) -> EmailConfig:
        return cast("EmailConfig", self.setup.config)

    def _reveal(self, text: str) -> str:
        return self.setup.secrets.reveal(text)

    def _recipients(self, targets: tuple[str, ...]) -> tuple[str, ...]:
        return targets or tuple(self._reveal(one) for one in self._config.to)
