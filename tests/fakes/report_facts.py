"""Facts of made-up models, for reports."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from lakemon_core.config import from_dict
from lakemon_core.domain.figures import Transition
from lakemon_core.domain.incident import Incident, IncidentEvent, IncidentStatus
from lakemon_core.domain.rule import Rule, Signal, Status, Verdict
from lakemon_core.domain.run import Finding, RunRecord, Severity, Stage
from lakemon_core.domain.window import Window
from lakemon_core.ports import QualityMetric
from lakemon_core.report.facts import Facts, Shape, Shapes

DAY = timedelta(days=1)
FIRST = datetime(2026, 3, 2, tzinfo=UTC)
NOW = datetime(2026, 5, 1, 8, tzinfo=UTC)
ROC_AUC = QualityMetric("roc_auc", higher_is_better=True, column="roc_auc_score")
DRIFT_RULE = Rule("feature_drift", 0.2)


def window(day: int) -> Window:
    return Window(FIRST + day * DAY, FIRST + (day + 1) * DAY)


def monitor():
    document = {
        "model": {"name": "churn", "type": "classification"},
        "environments": {"dev": {"catalog": "main", "schema": "shop"}},
    }
    return from_dict(document).monitor


def drift(column: str, day: int, value: float | None, **known: object) -> Signal:
    fields = {
        "statistic": "psi", "compare": "baseline", "n": 900, "method": "psi:quantile10:add_half:1",
        "chance_level": 0.02, "table_version": 7, "name": "feature_drift",
    }  # fmt: skip
    return Signal(
        window=window(day), granularity="1 day", model_id="*", slice_key=None, slice_value=None,
        column=column, value=value, **(fields | known),
    )  # fmt: skip


def quality(day: int, value: float | None, **known: object) -> Signal:
    fields = {
        "model_id": "*", "slice_key": None, "slice_value": None, "n": 800, "maturity": 1.0, "baseline": 0.8,
    }  # fmt: skip
    interval = {"lower": value - 0.02, "upper": value + 0.02} if value is not None else {}
    return Signal(
        window=window(day), granularity="1 day", column=":table", name="roc_auc", statistic="roc_auc",
        compare=None, value=value, method="roc_auc:1", table_version=7, **(fields | interval | known),
    )  # fmt: skip


def verdict(signal: Signal, status: Status, rule: Rule = DRIFT_RULE, reason: str = "") -> Verdict:
    fingerprint = f"{signal.name}-{signal.column}"
    return Verdict(
        rule, fingerprint, status, Severity.CRITICAL, signal.window, signal, rule.threshold, reason=reason
    )


def incident(signal: Signal, status: IncidentStatus, severity: Severity = Severity.CRITICAL) -> Incident:
    return Incident(
        f"{signal.name}-{signal.column}", status, 1, "feature_drift", "hash", "main.shop.churn", "dev",
        signal.column, "", "*", severity, opened_at=signal.window.start,
        title=f"PSI of {signal.column} 0.5 > 0.2",
    )  # fmt: skip


def opening(state: Incident, run_id: str) -> IncidentEvent:
    return IncidentEvent("key", Transition.OPENED, state, None, run_id, NOW)


def run(status: str = "done") -> RunRecord:
    return RunRecord("20260501T080000-4f2a", "dev", "hash", NOW, NOW, status)


def finding(signal: Signal) -> Finding:
    evidence = {"column": signal.column, "value": signal.value, "limit": 0.2, "window": str(signal.window)}
    return Finding("id", Stage.ANALYZE, Severity.CRITICAL, f"PSI of {signal.column} 0.5 > 0.2", evidence)


def shapes(columns: list[str], days: int) -> Shapes:
    """Numbers from 0 to 20 for each column; every day moves them up by one."""
    base = Shape(900, quantiles=tuple(float(q) for q in range(21)))
    moved = {
        (column, window(day).start): Shape(900, quantiles=tuple(float(q + day) for q in range(21)))
        for column in columns
        for day in range(days)
    }
    return Shapes(dict.fromkeys(columns, base), moved)


def drifting(columns: list[str], days: int = 6) -> Facts:
    """Facts of a model whose columns all drift on the last day, with an incident for each."""
    signals = [
        drift(column, day, 0.5 if day == days - 1 else 0.05) for column in columns for day in range(days)
    ]
    scores = [
        quality(day, None if day == 2 else 0.8 - 0.01 * day, reason="no labels yet") for day in range(days)
    ]
    last = [one for one in signals if one.value == 0.5]
    states = [incident(one, IncidentStatus.OPEN) for one in last]
    verdicts = [verdict(one, Status.BREACHED if one in last else Status.OK) for one in signals]
    return Facts(
        monitor=monitor(),
        now=NOW,
        signals=[*signals, *scores],
        rules=[DRIFT_RULE],
        verdicts=sorted(verdicts, key=lambda one: one.window),
        findings=[finding(one) for one in last],
        incidents=states,
        events=[opening(state, run().run_id) for state in states],
        runs=[run()],
        metrics=[ROC_AUC],
        shapes={"1 day": shapes(columns, days)},
    )
