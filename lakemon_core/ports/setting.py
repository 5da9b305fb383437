"""The small things that are handed in: clock, progress, secrets, and the parent of plugin configs."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from pydantic import BaseModel, ConfigDict
from pydantic_core import PydanticCustomError

from lakemon_core.domain.errors import SAFE_TO_SHOW

API_VERSION = 1
"""Major version of the plugin interfaces; a plugin class states the one it needs as `lakemon_api`."""


def refusal(why: str) -> PydanticCustomError:
    """Returns the error that a validator raises for a secret setting; `why` must not hold the value."""
    return PydanticCustomError(SAFE_TO_SHOW, "{why}", {"why": why})


class Clock(Protocol):
    """The time, so that tests can set it."""

    def now(self) -> datetime:
        """Returns the present moment, aware, UTC."""
        ...


class Progress(Protocol):
    """Tells a person what is going on. Never raises."""

    def update(self, what: str, done: int | None = None, total: int | None = None) -> None:
        """Says what is being done now and how far it is."""
        ...


class Secrets(Protocol):
    """Resolves secret references at the moment of use."""

    def reveal(self, text: str) -> str:
        """Returns `text` with every `${secret:scope/key}` and `${env:X}` replaced.

        Raises:
            LakemonError: LM130 when a secret is not there; the message names the reference only.
        """
        ...

    def redact(self, text: str) -> str:
        """Returns `text` without any secret that was revealed so far."""
        ...


class PluginConfig(BaseModel):
    """Parent of every plugin's `Config`: strict, frozen, and quiet about its input in errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)
