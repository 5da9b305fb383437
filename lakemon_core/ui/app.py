"""The application: routes, errors as pages, and the door before all of them."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from lakemon_core.domain.errors import LakemonError, UsageError
from lakemon_core.ui.dashboard import Dashboard
from lakemon_core.ui.desk import Desk, desk_of
from lakemon_core.ui.door import Door, Keys
from lakemon_core.ui.pages import incidents, overview, runs, settings, tables
from lakemon_core.ui.render import FILES

if TYPE_CHECKING:
    from starlette.requests import Request

    from lakemon_core.ports import WebAppSetup


def make_app(dashboard: Dashboard, *, token: str = "") -> Door:
    """Returns the ASGI application of a dashboard.

    Args:
        dashboard: what it shows; closed when the application ends.
        token: asked for where other machines may come in; empty serves this machine alone.
    """
    desk = Desk(dashboard)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncGenerator[None]:
        yield
        dashboard.close()

    app = Starlette(
        routes=_routes(),
        exception_handlers={
            LakemonError: _told,
            HTTPException: _not_there,
            Exception: _broken,
        },
        lifespan=lifespan,
    )
    app.state.desk = desk
    return Door(app, Keys(token), desk.show.error)


def mounted(setup: WebAppSetup) -> Door:
    """Returns the dashboard of a workspace for a server that shows it; entry point of `lakemon.web_apps`."""
    dashboard = Dashboard(setup.workspace.parent, setup.configs, setup.workspace)
    return make_app(dashboard, token=setup.token)


def _routes() -> list[Route]:
    incident = "/incidents/{slug}/{fingerprint}"
    return [
        Route("/", overview.overview),
        Route("/cards/{slug}", overview.card),
        Route("/models/{slug}", overview.report),
        Route("/models/{slug}/config", settings.config),
        Route("/incidents", incidents.incidents),
        Route(f"{incident}/acknowledge", incidents.acknowledge_incident, methods=["POST"]),
        Route(f"{incident}/silence", incidents.silence_incidents, methods=["POST"]),
        Route("/silences/{slug}/{silence}/end", incidents.end_silence, methods=["POST"]),
        Route("/runs", runs.runs),
        Route("/tables", tables.tables),
        Route("/tables/{slug}/{name}", tables.table),
        Route("/query", tables.query, methods=["GET"]),
        Route("/query", tables.ask, methods=["POST"]),
        Route("/query/stop", tables.stop, methods=["POST"]),
        Route("/plugins", settings.plugins),
        Route("/assets/{name}", _asset),
    ]


def _asset(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in FILES:
        raise HTTPException(404)
    file, kind = FILES[name]
    return FileResponse(
        file, media_type=kind, headers={"cache-control": "public, max-age=31536000, immutable"}
    )


def _told(request: Request, error: Exception) -> Response:
    assert isinstance(error, LakemonError)
    return desk_of(request).show.error(request, error)


def _not_there(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    what = f"there is no page {request.url.path[:80]!r};"
    if error.status_code == 405:
        what = f"{request.method} is not a way to ask for {request.url.path[:80]!r};"
    return _told(request, UsageError("LM191", what, cure="start from the overview."))


def _broken(request: Request, error: Exception) -> Response:
    what = f"unexpected {type(error).__name__}: {error};"
    cure = "please report it; the log of `lakemon ui` shows the traceback."
    return _told(request, LakemonError("LM699", what, cure=cure))
