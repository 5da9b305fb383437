"""Runs with their stages and times, and the one that is going on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from lakemon_core.domain.run import RunRecord
from lakemon_core.ui.desk import desk_of
from lakemon_core.ui.pages.overview import Progress, progress_of
from lakemon_core.ui.pages.reading import read_ledgers
from lakemon_core.ui.render import is_part

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

MOST = 100
WIDTH = 240.0


@dataclass(frozen=True, slots=True)
class Part:
    """One stage of a run as a piece of its bar."""

    stage: str
    status: str
    seconds: float
    detail: Mapping[str, object]
    start: float
    width: float


@dataclass(frozen=True, slots=True)
class Line:
    """One run: its record, its stages, how long it took, and how far it is when it is going on."""

    run: RunRecord
    parts: Sequence[Part]
    seconds: float
    progress: Progress | None


def runs(request: Request) -> Response:
    """Shows runs; nothing when the browser has them already."""
    desk = desk_of(request)
    ledgers = read_ledgers(desk.dashboard)
    query = request.query_params
    wanted = query.get("environment", "")
    mark = ledgers.mark(wanted)
    part = is_part(request)
    if part and query.get("seen") == mark:
        return desk.show.unchanged()
    shown = [run for run in ledgers.runs if wanted in {"", run.environment}][:MOST]
    newest = {run.environment: run for run in reversed(ledgers.runs)}
    return desk.show.page(
        request,
        "runs_list" if part else "runs",
        lines=[_line(run, ledgers.now, is_newest=newest.get(run.environment) is run) for run in shown],
        environments=sorted({run.environment for run in ledgers.runs}),
        wanted=wanted,
        unread=ledgers.problems,
        mark=mark,
        flash=desk.take_told(request),
    )


def _line(run: RunRecord, now: datetime | None, *, is_newest: bool) -> Line:
    total = sum(stage.seconds for stage in run.stages)
    parts: list[Part] = []
    start = 0.0
    for stage in run.stages:
        width = WIDTH * stage.seconds / total if total else 0.0
        parts.append(Part(stage.name.value, stage.status.value, stage.seconds, stage.detail, start, width))
        start += width
    ended = run.finished_at or now or run.started_at
    progress = progress_of([run], now or run.started_at) if is_newest else None
    return Line(
        run,
        parts,
        (ended - run.started_at).total_seconds() if run.finished_at or progress else total,
        progress,
    )
