"""Access tokens for SMTP servers that take no passwords any more (XOAUTH2)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol
from urllib.parse import urlencode

from pydantic import Field

from lakemon_core.domain.errors import DeliveryError
from lakemon_core.domain.names import plain
from lakemon_core.ports import Clock, PluginConfig, Secrets
from lakemon_core.ports.web_sink import SecretText, WebAddress
from lakemon_core.web import Request, send

_MARGIN = timedelta(minutes=1)
_LIFE = 300
"""Seconds a token is kept when its server does not say how long it lives."""


class TokenProvider(Protocol):
    """Gives an access token that is valid now."""

    def token(self, seconds: float) -> str:
        """Returns a token within so many seconds.

        Raises:
            DeliveryError: LM557 when there is none.
        """
        ...


class ClientCredentialsConfig(PluginConfig):
    """The key `oauth2`: how to get a token as an application (client credentials).

    Attributes:
        token_url: of the identity provider.
        client_id: of the application.
        client_secret: of the application.
        scope: default that of SMTP at Microsoft 365.
        allow_private: the identity provider may be in a private network.
    """

    token_url: WebAddress
    client_id: str = Field(min_length=1)
    client_secret: SecretText = Field(repr=False)
    scope: str = "https://outlook.office365.com/.default"
    allow_private: bool = False


class ClientCredentials:
    """Asks for a token, and keeps it until it is about to expire."""

    def __init__(self, config: ClientCredentialsConfig, secrets: Secrets, clock: Clock) -> None:
        self._config, self._secrets, self._clock = config, secrets, clock
        self._kept: tuple[str, datetime] | None = None

    def token(self, seconds: float) -> str:
        """Returns the token that is kept, or a new one."""
        now = self._clock.now()
        if self._kept is not None and now < self._kept[1]:
            return self._kept[0]
        token, life = self._ask(seconds)
        self._kept = (token, now + timedelta(seconds=life) - _MARGIN)
        return token

    def _ask(self, seconds: float) -> tuple[str, float]:
        """Returns a new token and how many seconds it lives."""
        config, reveal = self._config, self._secrets.reveal
        form = {
            "grant_type": "client_credentials",
            "client_id": reveal(config.client_id),
            "client_secret": reveal(config.client_secret),
            "scope": config.scope,
        }
        answer = send(
            Request(
                reveal(config.token_url),
                urlencode(form).encode(),
                {"Content-Type": "application/x-www-form-urlencoded"},
                seconds=seconds,
                allow_private=config.allow_private,
            ),
            now=self._clock.now(),
        )
        said = answer.json()
        token, life = said.get("access_token"), said.get("expires_in", _LIFE)
        if not (answer.is_success and isinstance(token, str) and token.isascii() and token.isprintable()):
            why = plain(str(said.get("error", "")) or answer.outcome.detail or "no token in its answer", 200)
            raise DeliveryError(
                "LM557",
                f"there is no access token for the mail server: {why};",
                cure="check `oauth2:` of the sink.",
            )
        return token, float(life) if isinstance(life, (int, float)) else _LIFE
