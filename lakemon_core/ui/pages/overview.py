"""The first page: every model in every environment with its state, and the page of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from lakemon_core.domain.errors import LakemonError
from lakemon_core.domain.incident import Incident
from lakemon_core.domain.monitor import Monitor
from lakemon_core.domain.rule import Status
from lakemon_core.domain.run import RunRecord, Severity, Stage
from lakemon_core.pipeline.reporting import since_of
from lakemon_core.report.facts import ALL_MODELS, Facts
from lakemon_core.report.page import TEMPLATE, Page
from lakemon_core.ui.desk import desk_of
from lakemon_core.ui.pages.reading import strangers
from lakemon_core.ui.places import Place
from lakemon_core.ui.render import is_part, problems_of
from lakemon_core.ui.watched import View

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

STRIP = 24
"""Windows of the strip of a card."""

LONG = timedelta(hours=6)
"""A run that has been running for longer may have been killed."""


@dataclass(frozen=True, slots=True)
class Moment:
    """One window of a strip: its name, and the worst verdict on it."""

    window: str
    status: str


@dataclass(frozen=True, slots=True)
class Progress:
    """A run that is going on.

    Attributes:
        run: as the ledger has it.
        stage: the stage that it is in.
        number: which of the five that is.
        is_long: it may have been killed.
    """

    run: RunRecord
    stage: str
    number: int
    is_long: bool


@dataclass(frozen=True, slots=True)
class Card:
    """What the overview shows of one environment."""

    slug: str
    monitor: Monitor
    page: Page
    mark: str
    incidents: Sequence[Incident]
    strip: Sequence[Moment]
    progress: Progress | None
    last: RunRecord | None


def overview(request: Request) -> Response:
    """Shows all models; cards that nobody has judged yet, and configs that come, follow by themselves."""
    desk = desk_of(request)
    watched = desk.dashboard.all()
    mark = " ".join(one.place.slug for one in watched) or "none"
    if is_part(request) and request.query_params.get("seen") == mark:
        return desk.show.unchanged()
    return desk.show.page(
        request,
        "overview",
        mark=mark,
        places=[one.place for one in watched],
        cards={one.place.slug: _card(one.place, view) for one in watched if (view := one.newest())},
        strangers=strangers(desk.dashboard),
        folder=str(desk.dashboard.folder),
        has_tables=bool(desk.dashboard.with_tables()),
        flash=desk.take_told(request),
    )


def card(request: Request) -> Response:
    """Shows one card, or nothing when the browser has it already."""
    desk = desk_of(request)
    watched = desk.dashboard.watched(request.path_params["slug"])
    seen = request.query_params.get("seen", "")
    try:
        made = _card(watched.place, watched.view())
    except LakemonError as error:
        problems = problems_of(error)
        mark = f"LM{hash(str(problems)) & 0xFFFFFFFF:x}"
        if seen == mark:
            return desk.show.unchanged()
        return desk.show.page(request, "card_problem", place=watched.place, problems=problems, mark=mark)
    if made.mark == seen:
        return desk.show.unchanged()
    return desk.show.page(request, "card", card=made)


def report(request: Request) -> Response:
    """Shows the report of one environment, the same as `lakemon report` writes."""
    desk = desk_of(request)
    watched = desk.dashboard.watched(request.path_params["slug"])
    model = request.query_params.get("model") or ALL_MODELS
    asked = request.query_params.get("since", "").strip()
    since = since_of(asked, watched.session().clock.now()) if asked else None
    if since is not None:
        since = since.replace(second=0, microsecond=0)
    view = watched.view(model=model, since=since)
    query = request.url.query
    if is_part(request):
        if request.query_params.get("seen") == view.mark:
            return desk.show.unchanged()
        return desk.show.page(request, "news", place=watched.place)
    return desk.show.page(
        request,
        "report",
        **view.page.values(),
        place=watched.place,
        mark=view.mark,
        query=query,
        asked_model=model,
        asked_since=asked,
        known_models=sorted({one.model_id for one in view.page.facts.signals} - {ALL_MODELS}),
        page_template=TEMPLATE,
        progress=progress_of(view.page.facts.runs, view.page.facts.now),
    )


def progress_of(runs: Sequence[RunRecord], now: datetime) -> Progress | None:
    """Returns the run that is going on, if one is; only the newest can be."""
    if not runs or runs[0].status != "running":
        return None
    run = runs[0]
    stages = list(Stage)
    done = stages.index(run.stages[-1].name) + 1 if run.stages else 0
    number = min(done, len(stages) - 1)
    return Progress(run, stages[number].value, number + 1, now - run.started_at > LONG)


def _card(place: Place, view: View) -> Card:
    facts = view.page.facts
    order = list(reversed(Severity))
    opened = [one for one in facts.incidents if one.is_open]
    return Card(
        slug=place.slug,
        monitor=facts.monitor,
        page=view.page,
        mark=view.mark,
        incidents=sorted(opened, key=lambda one: (order.index(one.severity), one.title)),
        strip=_strip(facts),
        progress=progress_of(facts.runs, facts.now),
        last=next((run for run in facts.runs if run.status != "running"), None),
    )


def _strip(facts: Facts) -> list[Moment]:
    """Returns the worst verdict of each of the newest windows of the first granularity."""
    granularity = str(facts.monitor.monitoring.granularities[0])
    worst: dict[datetime, Moment] = {}
    order = [Status.BREACHED.value, Status.OK.value, Status.UNKNOWN.value]
    for verdict in facts.verdicts:
        window = verdict.window
        if window is None or verdict.signal.granularity != granularity:
            continue
        known = worst.get(window.start)
        if known is None or order.index(verdict.status.value) < order.index(known.status):
            worst[window.start] = Moment(str(window), verdict.status.value)
    return [worst[start] for start in sorted(worst)[-STRIP:]]
