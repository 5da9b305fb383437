"""`lakemon backtest`: the rules of a config on the signals that are there, and a file of known incidents."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from lakemon_core.alerting.backtest import KnownIncident, PastAlert, Score, replay, score, sweep
from lakemon_core.alerting.rules import judge
from lakemon_core.domain.errors import UsageError, did_you_mean
from lakemon_core.domain.names import plain
from lakemon_core.domain.rule import Rule, Signal, Verdict
from lakemon_core.hookspecs import RunContext
from lakemon_core.lifecycle.analyze import rules_of
from lakemon_core.lifecycle.signalling.live import volume
from lakemon_core.lifecycle.signalling.table import SignalTable
from lakemon_core.pipeline.session import Session, new_run_id

_COLUMNS = ("start", "end", "rule", "column", "note")


@dataclass(frozen=True, slots=True)
class Backtest:
    """What a replay of the history came to.

    Attributes:
        alerts: what people would have got.
        scores: rule → how its alerts fit what is known.
        total: of all alerts together.
        swept: threshold → score, of the one rule that was asked for.
    """

    alerts: Sequence[PastAlert]
    scores: Mapping[str, Score]
    total: Score
    swept: Sequence[tuple[float, Score]] = ()


def backtest(
    session: Session,
    *,
    rule: str | None = None,
    thresholds: Sequence[float] | None = None,
    known: Sequence[KnownIncident] = (),
) -> Backtest:
    """Replays the history window by window; reads tables, and neither writes nor sends anything.

    Args:
        rule: only this one, by its name.
        thresholds: tries these for the rule, or, when empty, some that fit its history; None tries none.
        known: what people know to have been wrong.

    Raises:
        UsageError: LM128 for a rule that is not there, or a sweep without one.
    """
    context = session.context(new_run_id(session.clock))
    chosen = _chosen(rules_of(context), rule)
    court = _Court(context, tuple(SignalTable(context).load()))
    alerts = replay(chosen, court.judge)
    scores = {
        one.name: score(
            [alert for alert in alerts if alert.rule == one.name],
            [incident for incident in known if incident.rule in {"", one.name}],
        )
        for one in chosen
    }
    if thresholds is None:
        return Backtest(alerts, scores, score(alerts, known))
    if rule is None:
        raise UsageError("LM128", "a sweep tries the threshold of one rule;", cure="name it with --rule.")
    return Backtest(alerts, scores, score(alerts, known), sweep(chosen[0], thresholds, court.judge, known))


def read_known(path: Path) -> list[KnownIncident]:
    """Reads a CSV file with the columns start, end, rule, column, note; only `start` is needed.

    Times are ISO 8601, UTC unless they say otherwise; without an end an incident lasted one day.

    Raises:
        UsageError: LM128 when it cannot be read, with the line.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            unknown = sorted(set(reader.fieldnames or ()) - set(_COLUMNS))
            if unknown or "start" not in (reader.fieldnames or ()):
                raise _unreadable(path, f"its columns are not {', '.join(_COLUMNS)};")
            return [_known(path, number, row) for number, row in enumerate(reader, 2)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise _unreadable(path, f"{type(error).__name__}: {plain(str(error), 200)};") from error


def _known(path: Path, line: int, row: Mapping[str, str | None]) -> KnownIncident:
    try:
        start = _moment(row["start"] or "")
        end = _moment(row.get("end") or "") if row.get("end") else start + timedelta(days=1)
    except ValueError as error:
        raise _unreadable(path, f"line {line}: {plain(str(error), 200)};") from error
    if end <= start:
        raise _unreadable(path, f"line {line}: its end is not after its start;")
    texts = {name: (row.get(name) or "").strip() for name in ("rule", "column", "note")}
    return KnownIncident(start, end, **texts)


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text.strip())
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _unreadable(path: Path, what: str) -> UsageError:
    cure = "write CSV with a header, e.g. start,end,rule and 2026-03-01,2026-03-08,feature_drift."
    return UsageError("LM128", what, where=str(path), cure=cure)


def _chosen(rules: Sequence[Rule], name: str | None) -> Sequence[Rule]:
    if name is None:
        return rules
    found = [rule for rule in rules if rule.name == name]
    if not found:
        cure = did_you_mean(name, [rule.name for rule in rules])
        raise UsageError("LM128", f"no rule is named {plain(name)!r}.", cure=cure)
    return found


@dataclass(frozen=True, slots=True)
class _Court:
    """Judges rules on the signals of a run."""

    context: RunContext
    signals: tuple[Signal, ...]

    def judge(self, rules: Iterable[Rule]) -> Sequence[Verdict]:
        """Returns the verdicts of all finished windows."""
        monitor, rules = self.context.monitor, tuple(rules)
        labels = monitor.inference_table.labels
        return judge(
            rules,
            [*self.signals, *volume(self.signals, rules)],
            now=self.context.clock.now(),
            model=monitor.model_name,
            environment=monitor.environment,
            granularity=str(monitor.monitoring.granularities[0]),
            metrics=self.context.model_type.metrics,
            maturity=labels.mature_at if labels else None,
            budget=monitor.monitoring.alarm_budget,
        )
