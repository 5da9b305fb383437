"""Signs in to a workspace by Databricks' unified authentication."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from lakemon_databricks.workspace.calls import LONGEST_PAUSE, Overdue, guarded, in_time
from lakemon_databricks.workspace.refusals import no_answer, no_credentials, refused

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient
    from databricks.sdk.clock import Clock
    from databricks.sdk.core import Config

OPENING_SECONDS = 10.0
"""Limit of signing in; the SDK alone waits five minutes for a host that is not there."""
SCORING_SECONDS = 300.0
"""Limit of one scoring request: an endpoint may take 297 seconds."""


@dataclass(frozen=True, slots=True)
class Connection:
    """How a workspace is reached; what is empty comes from the environment or from the profile.

    Attributes:
        host: address of the workspace.
        profile: of `~/.databrickscfg`.
        auth_type: forces one way to sign in, e.g. `azure-client-secret`, `github-oidc`, `azure-devops-oidc`.
        call_seconds: limit of one call with all of its retries.
    """

    host: str = ""
    profile: str = ""
    auth_type: str = ""
    call_seconds: float = 120.0

    @property
    def given(self) -> Mapping[str, str]:
        """What was set here and not left to the environment, by the SDK's names."""
        named = {"host": self.host, "profile": self.profile, "auth_type": self.auth_type}
        return {name: value for name, value in named.items() if value}


def connect(connection: Connection) -> WorkspaceClient:
    """Signs in and returns the client; each of its calls ends within `connection.call_seconds`.

    Raises:
        ModelError: LM420 no or too many credentials, LM421 they are refused, LM423 the workspace cannot be
            reached, LM424 it is none; all of that within about ten seconds.
    """
    from databricks.sdk import WorkspaceClient
    from databricks.sdk.core import Config
    from databricks.sdk.errors.base import DatabricksError

    given: dict[str, Any] = {**connection.given, "retry_timeout_seconds": 2, "http_timeout_seconds": 3}
    until = time.monotonic() + OPENING_SECONDS
    try:
        config = in_time(
            OPENING_SECONDS,
            lambda: Config(
                **given,
                product="lakemon",
                product_version=_semantic(version("lakemon-databricks")),
                clock=_hurried(),
            ),
        )
    except Overdue as error:
        raise no_answer(connection.host, "let us sign in", f"not in {OPENING_SECONDS:g} s") from error
    except ValueError as error:
        raise no_credentials(error, connection.host) from error
    door = guarded(WorkspaceClient(config=config), max(1.0, until - time.monotonic()))
    try:
        door.current_user.me()
    except DatabricksError as error:
        raise refused(error, "tell who we are") from error
    return _client(config, connection.call_seconds, min(60.0, connection.call_seconds))


def for_scoring(client: WorkspaceClient) -> WorkspaceClient:
    """Returns a client whose calls may take as long as an endpoint may.

    The SDK sends a request again after its time; with the usual minute, a slow model would answer and log the
    same request many times. A model that fails is an answer, and is not asked again.
    """
    return _client(client.config, SCORING_SECONDS, SCORING_SECONDS, sends_again=False)


def _client(
    config: Config, call_seconds: float, http_seconds: float, *, sends_again: bool = True
) -> WorkspaceClient:
    from databricks.sdk import WorkspaceClient

    patient = config.copy()
    patient.retry_timeout_seconds = max(1, int(call_seconds))
    patient.http_timeout_seconds = http_seconds
    return guarded(WorkspaceClient(config=patient), call_seconds, sends_again=sends_again)


def _hurried() -> Clock:
    """Returns a clock that sleeps from no time to `LONGEST_PAUSE`, whatever a server asks for."""
    from databricks.sdk.clock import RealClock

    class Hurried(RealClock):
        """The real clock with a limit."""

        def sleep(self, seconds: float) -> None:
            """Sleeps."""
            super().sleep(max(0.0, min(seconds, LONGEST_PAUSE)))

    return Hurried()


def _semantic(text: str) -> str:
    """Returns the three numbers of a version: the SDK refuses e.g. `0.1.0.dev1`."""
    found = re.match(r"\d+\.\d+\.\d+", text)
    return found[0] if found else "0.0.0"
