"""Test requests that were sent and not yet found: the next run looks for them and sends no new ones."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from lakemon_core.domain.run import Finding, Severity, Stage
from lakemon_core.hookspecs import RunContext
from lakemon_core.ports import LoggedRequest, ServingResponse

_NAMED = 5
"""Request ids that a finding names."""


@dataclass(frozen=True, slots=True)
class Probes:
    """The test requests of one model version and config.

    Attributes:
        mark: of version and config.
        sent: when.
        waiting: request ids that were not found so far.
        requests: how many were sent.
        answered: how many of them were answered with 200.
    """

    mark: str
    sent: datetime
    waiting: tuple[str, ...]
    requests: int
    answered: int

    @classmethod
    def of(cls, context: RunContext, mark: str, responses: Sequence[ServingResponse]) -> Probes:
        """Takes what was just sent."""
        waiting = tuple(response.request_id for response in responses if response.request_id)
        answered = sum(response.status == 200 for response in responses)
        return cls(mark, context.clock.now().astimezone(UTC), waiting, len(responses), answered)

    @classmethod
    def noted(cls, context: RunContext, mark: str) -> Probes | None:
        """Returns those that an earlier run has sent for the same version and config and still waits for."""
        text = context.backend.ledger.get(_key(context))
        found = json.loads(text) if text else {}
        if found.get("mark") != mark:
            return None
        sent = datetime.fromisoformat(found["sent"])
        return cls(mark, sent, tuple(found["waiting"]), found["requests"], found["answered"])

    def note(self, context: RunContext) -> None:
        """Notes them for the next run."""
        told = {"mark": self.mark, "sent": self.sent.isoformat(), "waiting": self.waiting}
        counts = {"requests": self.requests, "answered": self.answered}
        context.backend.ledger.put(_key(context), json.dumps(told | counts))

    @staticmethod
    def forget(context: RunContext) -> None:
        """Forgets them: the next run sends new ones if it has to."""
        context.backend.ledger.put(_key(context), "")

    def without(self, logged: Iterable[LoggedRequest]) -> Probes:
        """Returns these, less what was found."""
        found = {entry.request_id for entry in logged}
        return replace(self, waiting=tuple(one for one in self.waiting if one not in found))

    def left(self, context: RunContext) -> float:
        """Returns the seconds until logging has to have worked; negative after that."""
        limit = timedelta(seconds=context.backend.log_limit_seconds)
        return (self.sent + limit - context.clock.now().astimezone(UTC)).total_seconds()

    def lost(self, context: RunContext) -> bool:
        """Whether some are missing for longer than logging takes."""
        return bool(self.waiting) and self.left(context) <= 0

    def finding(self, context: RunContext) -> Finding | None:
        """Says what is missing: pending until the limit, then an error; None when nothing is."""
        if not self.waiting:
            return None
        evidence = {"request_ids": sorted(self.waiting)[:_NAMED], "sent": self.sent.isoformat()}
        missing = f"{len(self.waiting)} of {self.requests} test requests"
        if self.lost(context):
            minutes = context.backend.log_limit_seconds / 60
            title = (
                f"{missing}, sent {self.sent:%Y-%m-%d %H:%M} UTC, are not in the payload table after"
                f" {minutes:.3g} minutes: logging does not work"
            )
            return Finding("validate/not_logged", Stage.VALIDATE, Severity.CRITICAL, title, evidence)
        title = f"{missing} are not in the payload table yet: logging is pending"
        return Finding("validate/pending", Stage.VALIDATE, Severity.WARNING, title, evidence)


def _key(context: RunContext) -> str:
    serving = context.monitor.serving
    return f"probes:{serving.endpoint_name if serving else ''}"
