"""Pages that a backend's own server shows beside its endpoints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

WEB_APPS = "lakemon.web_apps"
"""Entry-point group: name → function that takes a `WebAppSetup` and returns an ASGI application."""


@dataclass(frozen=True, slots=True)
class WebAppSetup:
    """What pages are opened with.

    Attributes:
        workspace: folder for state.
        configs: config files that the server knows; empty where it was told none.
        token: the application has to ask every browser for it, once; empty where only this machine can come
            in, and the server has looked at Host and Origin.
    """

    workspace: Path
    configs: Sequence[Path] = ()
    token: str = ""
