"""What sinks that speak HTTP share: how they are configured, and one guarded request."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Annotated, ClassVar, cast

from pydantic import AfterValidator, Field

from lakemon_core.domain.errors import LakemonError
from lakemon_core.domain.incident import DeliveryResult, DeliveryStatus
from lakemon_core.ports.alert_sink import AlertSink, SinkCheck
from lakemon_core.ports.setting import PluginConfig, refusal
from lakemon_core.web import Answer, Request, probe, read_url, send

_REFERENCE = re.compile(r"\$\{(env|secret):[^}]+\}")
_CREDENTIAL = re.compile(r"hooks\.slack(-gov)?\.com/|xox[a-z]-|whsec_|[?&]sig=|/services/T")


def _is_kept_out_of_the_file(text: str) -> str:
    if _CREDENTIAL.search(text):
        raise refusal("it is a credential; keep it out of the file: ${secret:scope/key} or ${env:NAME}")
    return text


def _can_be_read(url: str) -> str:
    if not _REFERENCE.search(url):
        try:
            read_url(url)
        except LakemonError as error:
            raise refusal(error.what.rstrip(";")) from None
    return url


SecretText = Annotated[str, Field(min_length=1), AfterValidator(_is_kept_out_of_the_file)]
"""A secret setting: a reference; what is plainly a credential itself is refused. Use `repr=False`."""

WebAddress = Annotated[SecretText, AfterValidator(_can_be_read)]
"""A setting that is a URL or a reference to one."""


class WebConfig(PluginConfig):
    """Settings of every sink that speaks HTTP.

    Attributes:
        timeout: seconds that one attempt may take, all in all.
        allow_private: the receiver may be in a private network or on this machine.
        proxy: URL of an HTTP proxy that the request goes through; those of the environment are not used.
    """

    timeout: float = Field(20.0, gt=0, le=120)
    allow_private: bool = False
    proxy: WebAddress | None = Field(None, repr=False)


class WebSink(AlertSink):
    """A sink whose channel takes HTTP requests."""

    Config: ClassVar[type[PluginConfig]] = WebConfig
    hosts: ClassVar[Collection[str]] = ()
    """Hosts of the channel, or endings such as `.example.com`; empty where the config names any host."""

    def send(
        self,
        url: str,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        *,
        seconds: float,
        method: str = "POST",
    ) -> Answer:
        """Makes one request with the guards of the config; references in URL and headers are resolved now.

        Args:
            url: where to.
            body: JSON, unless the headers say otherwise.
            headers: further headers.
            seconds: the attempt's deadline; the config's `timeout` where that is shorter.
            method: POST unless something is only looked up.
        """
        try:
            request = self._request(url, seconds)
            given = {name: self.setup.secrets.reveal(text) for name, text in (headers or {}).items()}
        except LakemonError as error:
            return Answer(DeliveryResult(DeliveryStatus.RETRY, error.code, str(error)))
        sent = {"Content-Type": "application/json"} | given
        return send(replace(request, body=body, headers=sent, method=method), now=self.setup.clock.now())

    def reach(self, url: str) -> SinkCheck:
        """Looks whether the receiver can be reached and its certificate trusted, sending nothing."""
        try:
            request = self._request(url, self._web.timeout)
        except LakemonError as error:
            return SinkCheck(ok=False, detail=str(error))
        failure = probe(request)
        return SinkCheck(failure is None, failure or f"{read_url(request.url)} takes connections")

    @property
    def _web(self) -> WebConfig:
        return cast("WebConfig", self.setup.config)

    def _request(self, url: str, seconds: float) -> Request:
        reveal, config = self.setup.secrets.reveal, self._web
        return Request(
            url=reveal(url),
            seconds=min(config.timeout, seconds),
            allow_private=config.allow_private,
            proxy=reveal(config.proxy) if config.proxy else "",
            hosts=self.hosts,
        )
