"""One environment under watch: its session, and its page, judged again only when something has changed."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Hashable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from lakemon_core.domain.errors import LakemonError
from lakemon_core.domain.monitor import Monitor
from lakemon_core.domain.names import TableName
from lakemon_core.pipeline.reporting import read_facts, with_ledger
from lakemon_core.pipeline.result import RunRequest
from lakemon_core.pipeline.session import Session, open_session
from lakemon_core.report.facts import ALL_MODELS, Facts
from lakemon_core.report.page import Page
from lakemon_core.ui.places import Place

LOOK_PAUSE, JUDGE_PAUSE = 20, 5
"""So many times as long as a look at the tables, or a judging, took, nobody looks or judges again."""
CLOCK_SECONDS = 600
"""What depends on the time alone, like freshness, is judged again so often."""
KEPT_VIEWS = 4


@dataclass(frozen=True, slots=True)
class View:
    """A page that was judged, and the mark by which a browser knows whether it has this one."""

    page: Page
    mark: str


@dataclass(slots=True)
class _Judged:
    facts: Facts
    page: Page
    key: Hashable
    mark: str
    not_before: float


@dataclass(slots=True)
class Watched:
    """One model in one environment, as long as the dashboard runs; may be called from any thread.

    Attributes:
        place: where its config stands.
        workspace: folder for state, where one is given.
    """

    place: Place
    workspace: Path | None = None
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _stack: ExitStack = field(default_factory=ExitStack)
    _session: Session | None = None
    _stamp: tuple[int, int] = (0, 0)
    _judged: dict[tuple[str, datetime | None], _Judged] = field(
        default_factory=dict[tuple[str, datetime | None], _Judged]
    )
    _versions: tuple[Hashable, ...] = ()
    _look_again: float = 0.0

    def newest(self) -> View | None:
        """Returns the page that was judged last, without looking whether it still holds; None before that."""
        known = self._judged.get((ALL_MODELS, None))
        return View(known.page, known.mark) if known else None

    def session(self) -> Session:
        """Returns the open session; opened anew when the config has changed.

        Raises:
            LakemonError: what is wrong with the config or a plugin that it names.
        """
        with self._lock:
            stamp = self.place.stamp()
            if self._session is None or stamp != self._stamp:
                self.close()
                request = RunRequest(
                    self.place.load(),
                    self.place.environment or None,
                    workspace=self.workspace,
                )
                self._session = self._stack.enter_context(open_session(request))
                self._stamp = stamp
            return self._session

    def view(self, *, model: str = ALL_MODELS, since: datetime | None = None) -> View:
        """Returns the page as it stands, judged anew where tables or config have changed.

        While one thread judges, others get the page from before, if there is one.

        Raises:
            LakemonError: why nothing can be said.
        """
        session = self.session()
        wanted = (model, since)
        known = self._judged.get(wanted)
        if not self._lock.acquire(blocking=known is None):
            assert known is not None
            return View(known.page, known.mark)
        try:
            return self._look(session, wanted)
        finally:
            self._lock.release()

    def close(self) -> None:
        """Frees what the session holds."""
        with self._lock:
            self._session = None
            self._judged.clear()
            self._look_again = 0.0
            self._stack.close()

    def _look(self, session: Session, wanted: tuple[str, datetime | None]) -> View:
        key = (self._versions_of(session), int(time.time() // CLOCK_SECONDS), self._stamp)
        known = self._judged.get(wanted)
        if known is None or (known.key != key and time.monotonic() >= known.not_before):
            started = time.monotonic()
            facts = read_facts(session, model=wanted[0], since=wanted[1])
            ended = time.monotonic()
            known = _Judged(facts, Page.of(facts), key, "", ended + JUDGE_PAUSE * (ended - started))
            self._keep(wanted, known)
        fresh = with_ledger(session, known.facts)
        mark = _mark(known.key, fresh)
        if mark != known.mark:
            known.page, known.mark = Page.of(fresh), mark
        return View(known.page, known.mark)

    def _keep(self, wanted: tuple[str, datetime | None], judged: _Judged) -> None:
        """Keeps the newest few views: the plain one always, others as people ask for them."""
        for old in list(self._judged)[: max(0, len(self._judged) - KEPT_VIEWS + 1)]:
            if old != (ALL_MODELS, None):
                del self._judged[old]
        self._judged[wanted] = judged

    def _versions_of(self, session: Session) -> tuple[Hashable, ...]:
        """Returns the newest version of every table that the page rests on; asks a slow lake less often."""
        if time.monotonic() >= self._look_again:
            started = time.monotonic()
            self._versions = tuple(_version(session, name) for name in _read_tables(session.monitor))
            ended = time.monotonic()
            self._look_again = ended + LOOK_PAUSE * (ended - started)
        return self._versions


def _read_tables(monitor: Monitor) -> list[TableName]:
    kinds = ("profile_metrics", "drift_metrics", "signals")
    named = [monitor.inference_table.name, *(monitor.metric_table(kind) for kind in kinds)]
    baseline = monitor.monitoring.baseline_table
    return [*named, baseline] if baseline else named


def _version(session: Session, name: TableName) -> int:
    try:
        return session.backend.tables.info(name).version
    except LakemonError as error:
        if error.code != "LM301":
            raise
        return -1


def _mark(key: Hashable, facts: Facts) -> str:
    """Returns a short text that changes with what the page shows."""
    newest = (
        key,
        [(one.fingerprint, one.version) for one in facts.incidents],
        [(run.run_id, run.status, len(run.stages)) for run in facts.runs],
    )
    return hashlib.sha256(repr(newest).encode()).hexdigest()[:16]
