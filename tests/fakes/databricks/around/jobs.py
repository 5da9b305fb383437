"""Jobs and their runs, by the clock."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from fakes.databricks.clock import Clock
from fakes.databricks.web.messages import Refused, Request, invalid
from fakes.databricks.web.routing import Routes

_ROOT = "/api/2.2/jobs"
_LONGEST_TOKEN = 64
Json = dict[str, Any]


@dataclass(slots=True)
class Run:
    """One run.

    Attributes:
        id: unique in the workspace.
        job_id: of what; 0 for a submitted run.
        started: when.
        due: when it ends.
        result: SUCCESS or FAILED, told when it ends.
        parameters: as sent.
        tasks: of its job, as it was.
        cancelled: it was.
    """

    id: int
    job_id: int
    started: datetime
    due: datetime
    result: str
    parameters: Json
    tasks: list[Json] = field(default_factory=list[Json])
    cancelled: bool = False


class Jobs:
    """All jobs.

    Attributes:
        known: job id → settings.
        owners: job id → who made it.
        runs: run id → run.
        run_seconds: how long a run lasts on the clock.
        results: results of the next runs; SUCCESS when empty.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tokens: dict[str, int] = {}
        self.known: dict[int, Json] = {}
        self.owners: dict[int, str] = {}
        self.runs: dict[int, Run] = {}
        self.run_seconds = 0.0
        self.results: list[str] = []

    def add_routes(self, routes: Routes) -> None:
        """Adds what the SDK calls."""
        routes.add("POST", f"{_ROOT}/create", self._create)
        routes.add("GET", f"{_ROOT}/list", self._list)
        routes.add("GET", f"{_ROOT}/get", lambda request: self._seen(self._job(request)))
        routes.add("POST", f"{_ROOT}/reset", self._reset)
        routes.add("POST", f"{_ROOT}/update", self._update)
        routes.add("POST", f"{_ROOT}/delete", self._delete)
        routes.add("POST", f"{_ROOT}/run-now", self._run_now)
        routes.add("GET", f"{_ROOT}/runs/get", lambda request: self._seen_run(self._run(request)))
        routes.add("GET", f"{_ROOT}/runs/list", self._list_runs)
        routes.add("POST", f"{_ROOT}/runs/cancel", self._cancel)

    def _job(self, request: Request) -> int:
        given = request.query.get("job_id") or request.json().get("job_id")
        if not str(given).isdigit() or int(str(given)) not in self.known:
            raise Refused(400, "INVALID_PARAMETER_VALUE", f"Job {given} does not exist.")
        return int(str(given))

    def _create(self, request: Request) -> Json:
        settings = request.json()
        keys = [task.get("task_key") for task in settings.get("tasks") or []]
        if None in keys or len(set(keys)) < len(keys):
            raise invalid("Every task needs a task_key of its own.")
        job_id = 1000 + len(self.owners)
        self.known[job_id], self.owners[job_id] = settings, request.user
        return {"job_id": job_id}

    def _seen(self, job_id: int) -> Json:
        return {"job_id": job_id, "settings": self.known[job_id], "creator_user_name": self.owners[job_id]}

    def _list(self, request: Request) -> Json:
        """Names are matched as a whole, in any case."""
        name = request.query.get("name", "").lower()
        found = [key for key, job in self.known.items() if name in {"", str(job.get("name", "")).lower()}]
        return {"jobs": [self._seen(job_id) for job_id in found], "has_more": False}

    def _reset(self, request: Request) -> Json:
        self.known[self._job(request)] = request.json().get("new_settings") or {}
        return {}

    def _update(self, request: Request) -> Json:
        self.known[self._job(request)].update(request.json().get("new_settings") or {})
        return {}

    def _delete(self, request: Request) -> Json:
        del self.known[self._job(request)]
        return {}

    def _run_now(self, request: Request) -> Json:
        """The same token starts nothing twice."""
        job_id, body = self._job(request), request.json()
        token = body.get("idempotency_token") or ""
        if len(token) > _LONGEST_TOKEN:
            raise invalid(f"idempotency_token has more than {_LONGEST_TOKEN} characters.")
        if token in self._tokens:
            return {"run_id": self._tokens[token]}
        now = self._clock.now()
        result = self.results.pop(0) if self.results else "SUCCESS"
        due = now + timedelta(seconds=self.run_seconds)
        tasks = self.known[job_id].get("tasks") or []
        run = Run(5000 + len(self.runs), job_id, now, due, result, body, tasks)
        self.runs[run.id] = run
        if token:
            self._tokens[token] = run.id
        return {"run_id": run.id, "number_in_job": run.id}

    def _run(self, request: Request) -> Run:
        given = request.query.get("run_id") or request.json().get("run_id")
        if not str(given).isdigit() or int(str(given)) not in self.runs:
            raise Refused(400, "INVALID_PARAMETER_VALUE", f"Run {given} does not exist.")
        return self.runs[int(str(given))]

    def _seen_run(self, run: Run) -> Json:
        state = {"life_cycle_state": "RUNNING"}
        if run.cancelled or run.due <= self._clock.now():
            result = "CANCELED" if run.cancelled else run.result
            state = {"life_cycle_state": "TERMINATED", "result_state": result}
        return {
            "run_id": run.id,
            "job_id": run.job_id,
            "state": state,
            "start_time": int(run.started.timestamp() * 1000),
            "tasks": [{"task_key": task["task_key"], "run_id": run.id, "state": state} for task in run.tasks],
        }

    def _list_runs(self, request: Request) -> Json:
        job_id = request.query.get("job_id")
        found = [run for run in self.runs.values() if job_id in {None, str(run.job_id)}]
        return {"runs": [self._seen_run(run) for run in found[::-1]], "has_more": False}

    def _cancel(self, request: Request) -> Json:
        run = self._run(request)
        run.cancelled = run.cancelled or run.due > self._clock.now()
        return {}
