"""What the demo found, read from the tables and the ledger: nothing here is known beforehand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from lakemon_core.domain.names import TableName
from lakemon_core.pipeline.session import Session

_PSI_OF_TEMP = " AND column = 'temp' AND statistic = 'psi' AND compare = 'baseline'"


@dataclass(frozen=True, slots=True)
class Series:
    """One number: on the baseline, and by the first day of its window."""

    baseline: float | None
    windows: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Worst:
    """The window with the highest value."""

    start: str
    value: float


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of the inference table: how they came, and how many have their label."""

    endpoint: int
    batch: int
    labelled: int


@dataclass(frozen=True, slots=True)
class Moved:
    """An incident that moved: how, in which window, and whether people were told."""

    transition: str
    window: str
    title: str
    told: bool


@dataclass(frozen=True, slots=True)
class Facts:
    """What was found and where it lies.

    Attributes:
        model: registered name and version.
        rows: of the inference table.
        roc_auc: by month.
        log_loss: by week.
        worst_week: of the log loss; None where no week was measured.
        psi_of_temp: by month.
        transitions: of incidents, in the order in which they were recorded.
        mails: files, oldest first.
        outbox: their folder.
        tables: folder of the tables.
        endpoint: where requests go.
        sql: the statement that reads the log loss of every week.
    """

    model: str
    rows: Rows
    roc_auc: Series
    log_loss: Series
    worst_week: Worst | None
    psi_of_temp: Series
    transitions: tuple[Moved, ...]
    mails: tuple[str, ...]
    outbox: str
    tables: str
    endpoint: str
    sql: str

    def document(self) -> dict[str, Any]:
        """Returns plain JSON values."""
        return asdict(self)


def gather(session: Session, model: str) -> Facts:
    """Reads the facts of a demo that was played.

    Args:
        session: of the demo's config.
        model: registered name and version.
    """
    signals = session.monitor.metric_table("signals")
    weekly_loss = signal_query(signals, "log_loss", "1 week")
    log_loss = _series(session, weekly_loss)
    outbox = session.workspace / "outbox"
    return Facts(
        model=model,
        rows=_rows(session),
        roc_auc=_series(session, signal_query(signals, "roc_auc", "1 month")),
        log_loss=log_loss,
        worst_week=_worst(log_loss),
        psi_of_temp=_series(session, signal_query(signals, "feature_drift", "1 month", _PSI_OF_TEMP)),
        transitions=_transitions(session),
        mails=tuple(str(path) for path in sorted(outbox.glob("*.eml"), key=_sent_at)),
        outbox=str(outbox),
        tables=str(session.workspace / "tables"),
        endpoint=_endpoint(session),
        sql=weekly_loss,
    )


def signal_query(table: TableName, signal: str, granularity: str, further: str = "") -> str:
    """Returns the SQL that reads one signal of all model versions together, window by window."""
    return (
        f"SELECT window.start, value, baseline FROM {table} WHERE signal = '{signal}'"  # noqa: S608 - our own names; it only reads
        f" AND granularity = '{granularity}' AND model_version = '*'{further} ORDER BY window"
    )


def subject_of(path: str) -> str:
    """Returns the subject of a mail."""
    return str(_mail(Path(path))["Subject"]).strip()


def _series(session: Session, sql: str) -> Series:
    """Reads a signal; windows without a value, such as those without labels, are left out."""
    rows = [row for row in session.backend.tables.query(sql).to_pylist() if row["value"] is not None]
    return Series(
        rows[0]["baseline"] if rows else None, {f"{row['start']:%Y-%m-%d}": row["value"] for row in rows}
    )


def _worst(series: Series) -> Worst | None:
    worst = max(series.windows.items(), key=lambda window: window[1], default=None)
    return Worst(*worst) if worst else None


def _rows(session: Session) -> Rows:
    table = session.monitor.inference_table.name
    sql = (
        "SELECT count_if(NOT starts_with(request_id, 'batch-')) AS endpoint,"  # noqa: S608 - as above
        " count_if(starts_with(request_id, 'batch-')) AS batch, count(late) AS labelled"
        f" FROM {table}"
    )
    (counts,) = session.backend.tables.query(sql).to_pylist()
    return Rows(**{name: int(count) for name, count in counts.items()})


def _transitions(session: Session) -> tuple[Moved, ...]:
    newest_first = session.backend.ledger.events(limit=10_000)
    return tuple(
        Moved(event.transition.value, str(event.window or ""), event.incident.title, event.notify)
        for event in reversed(newest_first)
    )


def _endpoint(session: Session) -> str:
    serving = session.monitor.serving
    state = session.backend.serving.get(serving.endpoint_name) if serving else None
    return state.url if state else ""


def _sent_at(path: Path) -> datetime:
    date: Any = _mail(path)["Date"]
    return date.datetime


def _mail(path: Path) -> EmailMessage:
    return message_from_bytes(path.read_bytes(), policy=policy.default)
