"""Incidents: what is open, who cares, what is kept quiet, what was."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse

from lakemon_core.domain.errors import LakemonError
from lakemon_core.pipeline.attention import acknowledge, end_of, silence, somebody, unsilence
from lakemon_core.pipeline.session import Session
from lakemon_core.ui.desk import Desk, desk_of, read_form
from lakemon_core.ui.pages.reading import Told, read_ledgers
from lakemon_core.ui.render import is_part, problems_of

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

LENGTHS = ("1 hour", "4 hours", "1 day", "3 days", "7 days", "30 days")
MOST = 200
"""Incidents of a page."""

_ARRIVED = {"delivered", "accepted"}


def incidents(request: Request) -> Response:
    """Shows incidents, those that the filters leave; nothing when the browser has them already."""
    return _page(request)


def _page(
    request: Request,
    told: str = "",
    problems: Sequence[Mapping[str, str]] = (),
    wanted: Mapping[str, str] | None = None,
) -> Response:
    desk = desk_of(request)
    query = request.query_params if wanted is None else wanted
    filters = {name: query.get(name, "") for name in ("state", "severity", "place", "text")}
    filters["state"] = filters["state"] or "open"
    ledgers = read_ledgers(desk.dashboard)
    mark = ledgers.mark(sorted(filters.items()))
    part = is_part(request)
    if part and query.get("seen") == mark and not told and not problems:
        return desk.show.unchanged()
    shown = [one for one in ledgers.told if _fits(one, filters)]
    return desk.show.page(
        request,
        "incidents_list" if part else "incidents",
        200 if not problems else 422,
        shown=shown[:MOST],
        left_out=len(shown) - len(shown[:MOST]),
        total=len(ledgers.told),
        filters=filters,
        quiet=ledgers.quiet,
        mark=mark,
        unread=ledgers.problems,
        places=[one.place for one in desk.dashboard.all()],
        lengths=LENGTHS,
        author=somebody(),
        flash=told or desk.take_told(request),
        problems=problems,
    )


def _fits(one: Told, filters: Mapping[str, str]) -> bool:
    incident = one.incident
    states = {"open": incident.is_open, "over": not incident.is_open, "all": True}
    where = " ".join((incident.title, incident.rule, incident.column, incident.model, incident.slice))
    return (
        states.get(filters["state"], True)
        and filters["severity"] in {"", incident.severity.value}
        and filters["place"] in {"", one.slug}
        and filters["text"].casefold() in where.casefold()
    )


async def acknowledge_incident(request: Request) -> Response:
    """Takes an incident on, by the code of `lakemon alert ack`."""

    def act(session: Session, form: Mapping[str, str]) -> str:
        state, sent = acknowledge(
            session,
            request.path_params["fingerprint"],
            author=form.get("author", ""),
            reason=form.get("reason", ""),
        )
        arrived = sum(item.status in _ARRIVED for item in sent)
        heard = f" {arrived} of {len(sent)} messages arrived." if sent else ""
        return f"{state.title}: acknowledged by {state.acknowledged_by}.{heard}"

    return await _acted(request, act)


async def silence_incidents(request: Request) -> Response:
    """Keeps an incident, or all of its rule or column, quiet, by the code of `lakemon alert silence`."""

    def act(session: Session, form: Mapping[str, str]) -> str:
        made = silence(
            session,
            _matches(session, request.path_params["fingerprint"], form.get("what", "")),
            until=end_of(form.get("length"), None, session.clock.now()),
            reason=form.get("reason", ""),
            author=form.get("author", ""),
        )
        return f"Silent until {made.until:%Y-%m-%d %H:%M} UTC (silence {made.id})."

    return await _acted(request, act)


async def end_silence(request: Request) -> Response:
    """Ends a silence now."""

    def act(session: Session, form: Mapping[str, str]) -> str:
        del form
        ended = unsilence(session, request.path_params["silence"])
        return f"Silence {ended.id} has ended; the next run tells what still stands open."

    return await _acted(request, act)


def _matches(session: Session, fingerprint: str, what: str) -> dict[str, str]:
    """Returns what a silence names: one incident, or all of this model with its rule or its column."""
    incident = session.backend.ledger.incidents().get(fingerprint)
    if incident is None or what not in {"rule", "column"}:
        return {"incident": fingerprint}
    value = incident.rule if what == "rule" else incident.column
    return {what: value, "model": incident.model}


async def _acted(request: Request, act: Callable[[Session, Mapping[str, str]], str]) -> Response:
    desk = desk_of(request)
    form = await read_form(request)
    told, problems = "", list[dict[str, str]]()
    try:
        told = await run_in_threadpool(_do, desk, request, act, form)
    except LakemonError as error:
        problems = problems_of(error)
    if is_part(request) or problems:
        wanted = {name: form.get(f"filter_{name}", "") for name in ("state", "severity", "place", "text")}
        return await run_in_threadpool(_page, request, told, problems, wanted)
    desk.tell(request, told)
    return RedirectResponse(f"{request.scope.get('root_path', '')}/incidents", 303)


def _do(
    desk: Desk,
    request: Request,
    act: Callable[[Session, Mapping[str, str]], str],
    form: Mapping[str, str],
) -> str:
    return act(desk.dashboard.watched(request.path_params["slug"]).session(), form)
