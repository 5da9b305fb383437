"""The config as it was resolved, and the plugins that are there."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from lakemon_core.config import show
from lakemon_core.domain.errors import LakemonError
from lakemon_core.pipeline.plugins import PluginRow, discover
from lakemon_core.ui.desk import desk_of
from lakemon_core.ui.render import problems_of

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response


def config(request: Request) -> Response:
    """Shows one environment as lakemon sees it, as `lakemon config show` does; secrets are hidden."""
    desk = desk_of(request)
    place = desk.dashboard.watched(request.path_params["slug"]).place
    text, problems = "", list[dict[str, str]]()
    try:
        text = show(place.load().monitor)
    except LakemonError as error:
        problems = problems_of(error)
    return desk.show.page(
        request, "config", 422 if problems else 200, place=place, text=text, problems=problems
    )


def plugins(request: Request) -> Response:
    """Lists what is installed, what works and why not, as `lakemon plugins list` does."""
    return desk_of(request).show.page(request, "plugins", rows=_rows())


@cache
def _rows() -> list[PluginRow]:
    """Looks once: what is installed does not change while a process runs."""
    return discover().rows()
