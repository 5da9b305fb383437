"""Incidents, notifications and deliveries."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from lakemon_core.domain.figures import Contributor, Evidence, Kind, Transition
from lakemon_core.domain.run import Severity
from lakemon_core.domain.window import Window

__all__ = [
    "ADDRESS_IS_DEAD",
    "Attempt",
    "Contributor",
    "DeliveryResult",
    "DeliveryStatus",
    "Evidence",
    "Incident",
    "IncidentEvent",
    "IncidentStatus",
    "Kind",
    "Notification",
    "OutboxItem",
    "Rendered",
    "TargetResult",
    "Transition",
    "with_code",
]

ADDRESS_IS_DEAD = "LM558"
"""Code of a delivery whose address nobody answers any more: no other message of the run is sent there."""


_OURS = re.compile(
    r"[A-Za-z]\w*(Error|error|Refused|Disconnected|Exception)"
    r"|overrun|timeout|lost|no_sink|no_recipient|not_an_address"
)
"""Codes of our own, and names of exceptions: words follow that say it better."""


def with_code(code: str, detail: str) -> str:
    """Returns a channel's code and words as one text, without saying anything twice.

    Names of exceptions and codes of our own such as `overrun` are left out where there are words.
    """
    is_said = detail and (code in detail or _OURS.fullmatch(code))
    return " ".join(part for part in ("" if is_said else code, detail) if part)


class IncidentStatus(StrEnum):
    """Where an incident stands."""

    OK = "ok"
    PENDING = "pending"
    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Incident:
    """The newest state of one incident.

    Attributes:
        fingerprint: rule + column + slice + model.
        status: ok, pending, open, acknowledged or resolved.
        episode: counts openings; 0 before the first.
        rule: the rule's name.
        rule_hash: the rule as it was when it was judged last.
        model: registered name of the model.
        environment: environment of the config.
        column: column it is about, or `:table`.
        slice: `key=value` or empty.
        model_id: version or `*`.
        severity: of the worst breach of this episode.
        opened_at: start of the first breached window of this episode (data time).
        head: end of the newest window that was judged; older windows never move the state.
        recent: verdicts of the last windows, newest last: `b` breached, `o` ok, `u` unknown.
        value: newest value.
        limit: limit it was judged by.
        title: one sentence.
        evidence: plain JSON values.
        version: counts the writes, for optimistic conflicts.
        kind: what is wrong: a breach, no data, or an error.
        raised_at: when this episode was opened, by the clock, UTC.
        told_at: when people last heard of this episode; None when they have not.
        told_severity: the severity they heard of.
        acknowledged_by: who, and why; empty when nobody did.
    """

    fingerprint: str
    status: IncidentStatus
    episode: int
    rule: str
    rule_hash: str
    model: str
    environment: str
    column: str
    slice: str
    model_id: str
    severity: Severity
    opened_at: datetime | None = None
    head: datetime | None = None
    recent: str = ""
    value: float | None = None
    limit: float | None = None
    title: str = ""
    evidence: Mapping[str, object] = field(default_factory=dict[str, object])
    version: int = 0
    kind: Kind = Kind.BREACH
    raised_at: datetime | None = None
    told_at: datetime | None = None
    told_severity: Severity | None = None
    acknowledged_by: str = ""

    @property
    def is_open(self) -> bool:
        """Whether it is open, acknowledged or not."""
        return self.status in {IncidentStatus.OPEN, IncidentStatus.ACKNOWLEDGED}


@dataclass(frozen=True, slots=True)
class IncidentEvent:
    """One transition of one incident; its key is the idempotency key of everything that follows.

    Attributes:
        key: fingerprint, episode, transition and step: the same after any re-run.
        transition: opened, escalated, reopened, reminded, acknowledged or resolved.
        incident: the state after it.
        window: the window that caused it.
        run_id: the run that saw it.
        at: when it was recorded, UTC.
        reason: e.g. `rule_changed`; empty for the plain course of things.
        notify: people are told.
    """

    key: str
    transition: Transition
    incident: Incident
    window: Window | None
    run_id: str
    at: datetime
    reason: str = ""
    notify: bool = True


@dataclass(frozen=True, slots=True)
class Notification:
    """What a sink is asked to tell, independent of the channel.

    Attributes:
        key: stable id over all attempts; becomes Message-ID, webhook-id, dedup_key.
        thread: stable id of the incident's episode: root of a thread.
        transition: opened, escalated, reopened, reminded, acknowledged, resolved or test; `opened` when the
            incidents of this message did different things, of which none is a resolution.
        severity: info, warning or critical: of the worst incident.
        title: one sentence that is enough on a phone.
        lines: the evidence in plain words, one fact a line.
        facts: label → value, for tables.
        model: registered name.
        environment: environment of the config.
        targets: addresses or channels at the sink; empty means the sink's own default.
        owner: who is responsible; may be empty.
        runbook: link; may be empty.
        command: how to see it again.
        links: label → URL.
        created_at: UTC.
        chart: PNG of the main chart; None without `lakemon[render]`.
        evidence: every incident of this message, worst first; `lines` tells the worst of them in words. Empty
            in a test message and in one about lakemon itself.
        report: URL or path of the report; may be empty.
        run_id: the run that made it; may be empty.
    """

    key: str
    thread: str
    transition: Transition
    severity: Severity
    title: str
    lines: tuple[str, ...]
    facts: Mapping[str, str]
    model: str
    environment: str
    targets: tuple[str, ...]
    owner: str
    runbook: str
    command: str
    links: Mapping[str, str]
    created_at: datetime
    chart: bytes | None = None
    evidence: tuple[Evidence, ...] = ()
    report: str = ""
    run_id: str = ""

    @property
    def incidents(self) -> tuple[str, ...]:
        """Ids of the incidents it tells of: keys for channels that hold one alert each."""
        return tuple(one.incident for one in self.evidence)

    @property
    def state(self) -> str:
        """The word in front of the title: `resolved`, `acknowledged`, `test`, or the severity."""
        if self.transition in {Transition.RESOLVED, Transition.ACKNOWLEDGED, Transition.TEST}:
            return self.transition.value
        return self.severity.value


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message, ready to be handed over.

    Attributes:
        body: bytes, text or a JSON object.
        content_type: MIME type of the body.
        truncated: something was left out to stay within the channel's limits.
    """

    body: bytes | str | Mapping[str, object]
    content_type: str
    truncated: bool = False


class DeliveryStatus(StrEnum):
    """What one attempt came to.

    `accepted` means the channel took it but never says whether it was shown; `unknown` means it may have
    arrived; `retry` and `unknown` stay due; `rejected` is final.
    """

    DELIVERED = "delivered"
    ACCEPTED = "accepted"
    PARTIAL = "partial"
    RETRY = "retry"
    REJECTED = "rejected"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class TargetResult:
    """What became of one recipient."""

    target: str
    status: DeliveryStatus
    code: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class DeliveryResult:
    """The answer of a sink to one attempt; holds no secret.

    Attributes:
        status: for all targets together.
        code: the channel's own code, e.g. `250` or `invalid_blocks`.
        detail: one line for people, at most 500 characters.
        retry_after: seconds the channel asks to wait.
        receipt: what a later update needs, e.g. `{"channel": …, "ts": …}`.
        targets: per recipient, where the channel tells.
    """

    status: DeliveryStatus
    code: str = ""
    detail: str = ""
    retry_after: float | None = None
    receipt: Mapping[str, str] = field(default_factory=dict[str, str])
    targets: tuple[TargetResult, ...] = ()

    @classmethod
    def of(
        cls,
        targets: Sequence[TargetResult],
        *,
        retry_after: float | None = None,
        receipt: Mapping[str, str] | None = None,
    ) -> "DeliveryResult":
        """Sums up what became of the targets of one message: the worst speaks; `partial` when some got it.

        Args:
            targets: at least one.
            retry_after: seconds the channel asks to wait.
            receipt: what a later update needs.
        """
        sent = {DeliveryStatus.DELIVERED, DeliveryStatus.ACCEPTED}
        failed = [one for one in targets if one.status not in sent]
        worst = min(failed or targets, key=lambda one: _WORST_FIRST.index(one.status))
        mixed = bool(failed) and len(failed) < len(targets)
        status = DeliveryStatus.PARTIAL if mixed else worst.status
        return cls(status, worst.code, worst.detail, retry_after, dict(receipt or {}), tuple(targets))


_WORST_FIRST = (
    DeliveryStatus.UNKNOWN,
    DeliveryStatus.RETRY,
    DeliveryStatus.REJECTED,
    DeliveryStatus.PARTIAL,
    DeliveryStatus.ACCEPTED,
    DeliveryStatus.DELIVERED,
)


@dataclass(frozen=True, slots=True)
class Attempt:
    """The circumstances of one try of a delivery.

    Attributes:
        key: idempotency key of the delivery (event + sink + target).
        number: 1 for the first try.
        deadline_seconds: the sink must come back within this time.
        targets: who still has to get it.
        receipt: of the newest message at this sink about one of the same incidents, e.g. the opening one;
            empty if none.
    """

    key: str
    number: int
    deadline_seconds: float
    targets: tuple[str, ...]
    receipt: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class OutboxItem:
    """One message that is due at one sink.

    Attributes:
        key: event key + sink + targets.
        sink: name of the sink.
        notification: what to tell.
        order: incident thread: items of one thread at one sink go out in order.
        status: `due`, `delivered`, `accepted`, `dead`, or `superseded` (a later message told it).
        attempts: tries so far.
        next_at: not before, UTC.
        created_at: UTC.
        detail: result of the last try.
        receipt: what a later update needs.
        pending: targets that still have to get it; empty before the first try means all of them.
        refused: targets that the channel refused for good.
        held_by: the run that is sending it now; empty when nobody is.
        held_until: when that claim ends by itself, UTC.
        may_have_arrived: some try got through, or may have.
    """

    key: str
    sink: str
    notification: Notification
    order: str
    status: str
    attempts: int
    next_at: datetime
    created_at: datetime
    detail: str = ""
    receipt: Mapping[str, str] = field(default_factory=dict[str, str])
    pending: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    held_by: str = ""
    held_until: datetime | None = None
    may_have_arrived: bool = False
