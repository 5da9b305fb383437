"""Pages of other distributions beside the endpoints: `/<name>/`, loaded when somebody first asks for them."""

from __future__ import annotations

import logging
import re
from html import escape
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse
from starlette.routing import Mount

from lakemon_core.ports import WEB_APPS, WebAppSetup
from lakemon_local.serving.process import known_configs
from lakemon_local.serving.server.page import HEADERS

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

_NAME = re.compile(r"[a-z][a-z0-9-]*")
_log = logging.getLogger(__name__)


def mounts(workspace: Path, token: str) -> list[Mount]:
    """Returns a mount for every web app that is installed, by name; nothing of them is imported.

    Args:
        workspace: folder for state.
        token: that the apps have to ask for; empty where only this machine can come in.
    """
    found = {
        entry.name: entry for entry in sorted(entry_points(group=WEB_APPS)) if _NAME.fullmatch(entry.name)
    }
    return [Mount(f"/{name}", app=_Pages(entry, workspace, token)) for name, entry in found.items()]


class _Pages:
    """One web app. A broken one answers with its error, is tried again, and hurts no endpoint."""

    def __init__(self, entry: EntryPoint, workspace: Path, token: str) -> None:
        self._entry = entry
        self._workspace = workspace
        self._token = token
        self._lock = Lock()
        self._configs: tuple[Path, ...] = ()
        self._app: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hands a request on."""
        try:
            app = await run_in_threadpool(self._loaded)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever pages raise, the endpoints go on
            _log.exception("the pages of %s do not work", self._entry.value)
            said = escape(f"The pages of {self._entry.value} do not work: {type(error).__name__}: {error}")
            answer = HTMLResponse(f"<!doctype html><title>Broken</title><p>{said}", 500, HEADERS)
            await answer(scope, receive, send)
            return
        await app(scope, receive, send)

    def _loaded(self) -> ASGIApp:
        """Returns the app; made anew when a deploy told the server of another config."""
        with self._lock:
            configs = known_configs(self._workspace)
            if self._app is not None and configs == self._configs:
                return self._app
            app: ASGIApp = self._entry.load()(WebAppSetup(self._workspace, configs, self._token))
            self._app, self._configs = app, configs
            return app
