"""Analyze: metric rows become signals, signals become findings: what changed, how much, since when, why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from lakemon_core.alerting.rules import judge, named
from lakemon_core.alerting.wording import title_of
from lakemon_core.domain.names import plain
from lakemon_core.domain.rule import Rule, Signal, Status, Verdict
from lakemon_core.domain.run import Finding, Severity, Stage, StageStatus
from lakemon_core.hookspecs import RunContext
from lakemon_core.lifecycle.baseline_age import baseline_findings
from lakemon_core.lifecycle.signalling.live import freshness, volume
from lakemon_core.lifecycle.signalling.table import SignalTable
from lakemon_core.lifecycle.untimed import untimed_findings


@dataclass(frozen=True, slots=True)
class Analyzed:
    """What the stage leaves behind: signals, the verdicts of all rules on them, and findings."""

    status: StageStatus
    signals: tuple[Signal, ...] = ()
    rules: tuple[Rule, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    findings: tuple[Finding, ...] = ()
    detail: Mapping[str, object] = field(default_factory=dict[str, object])


def analyze(context: RunContext, added: Sequence[Signal] = ()) -> Analyzed:
    """Brings the signals table up to date and judges every rule.

    Args:
        added: signals of hook plugins from the monitor stage.
    """
    context.progress.update("making signals from the metric tables")
    written = SignalTable(context).bring_up(added, rules_of(context))
    judged = judge_rules(context)
    findings = (*findings_of(judged.verdicts), *baseline_findings(context), *untimed_findings(context))
    unknown = sum(verdict.status is Status.UNKNOWN for verdict in newest(judged.verdicts))
    detail: dict[str, object] = {
        "signals_written": written,
        "signals": len(judged.signals),
        "rules": len(judged.rules),
        "breached": sum(verdict.status is Status.BREACHED for verdict in newest(judged.verdicts)),
        "unknown": unknown,
    }
    if not judged.signals:
        reason = "no windows have been measured yet"
        return Analyzed(
            StageStatus.NOTHING_TO_DO,
            rules=judged.rules,
            findings=findings,
            detail=detail | {"reason": reason},
        )
    status = StageStatus.DONE if written else StageStatus.NOTHING_TO_DO
    if not written:
        detail["reason"] = "no window changed; rules were judged again"
    return Analyzed(status, judged.signals, judged.rules, judged.verdicts, findings, detail)


def rules_of(context: RunContext) -> tuple[Rule, ...]:
    """Returns the rules of the config, or those of the model type when it has none, each with its name."""
    return named(context.monitor.monitoring.rules or tuple(context.model_type.default_rules()))


def judge_rules(context: RunContext, *, is_lean: bool = False) -> Analyzed:
    """Loads the signals and judges every rule on them.

    Args:
        is_lean: leaves out statistics of drift that neither rules nor a report look at.
    """
    monitor, rules = context.monitor, rules_of(context)
    labels = monitor.inference_table.labels
    stored = SignalTable(context).load(for_rules=rules if is_lean else None)
    signals = [*stored, *volume(stored, rules), *freshness(context, rules)]
    verdicts = judge(
        rules,
        signals,
        now=context.clock.now(),
        model=monitor.model_name,
        environment=monitor.environment,
        granularity=str(monitor.monitoring.granularities[0]),
        metrics=context.model_type.metrics,
        maturity=labels.mature_at if labels else None,
        budget=monitor.monitoring.alarm_budget,
    )
    return Analyzed(StageStatus.DONE, tuple(signals), rules, tuple(verdicts))


def newest(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """Returns the last verdict of each series."""
    return list({verdict.fingerprint: verdict for verdict in verdicts}.values())


def findings_of(verdicts: Sequence[Verdict]) -> list[Finding]:
    """Says what stands breached in its newest window, worst first, with its top contributors.

    Returns:
        one finding a series (rule, column, slice, model); its id is the series' fingerprint.
    """
    series = sorted(verdicts, key=lambda verdict: verdict.fingerprint)
    found: list[tuple[float, Finding]] = []
    for fingerprint, group in groupby(series, key=lambda verdict: verdict.fingerprint):
        history = list(group)
        last = history[-1]
        if last.status is Status.BREACHED:
            since = _since(history)
            severity = max(last.severity, Severity.WARNING, key=list(Severity).index)
            finding = Finding(
                fingerprint, Stage.ANALYZE, severity, _title(last, since), _evidence(last, since)
            )
            found.append((_excess(last), finding))
    worst_first = [finding for _, finding in sorted(found, key=lambda pair: -pair[0])]
    return [*worst_first, *_unknown(newest(verdicts))]


def _unknown(verdicts: Sequence[Verdict]) -> list[Finding]:
    """Says which rules cannot judge, and why: one finding a rule, for unknown is not healthy."""
    by_rule: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        if verdict.status is Status.UNKNOWN:
            by_rule.setdefault(verdict.rule.name, []).append(verdict)
    findings: list[Finding] = []
    for rule, unknown in by_rule.items():
        more = f" (and {len(unknown) - 1} more of rule {plain(rule)})" if len(unknown) > 1 else ""
        evidence: dict[str, object] = {"rule": rule, "columns": [one.signal.column for one in unknown]}
        title = title_of(unknown[0]) + more
        findings.append(Finding(f"unknown/{rule}", Stage.ANALYZE, Severity.WARNING, title, evidence))
    return findings


def _since(history: Sequence[Verdict]) -> Verdict:
    """Returns the first verdict of the unbroken run of breaches at the end."""
    first = history[-1]
    for verdict in reversed(history):
        if verdict.status is Status.OK:
            break
        if verdict.status is Status.BREACHED:
            first = verdict
    return first


def _title(verdict: Verdict, since: Verdict) -> str:
    return title_of(verdict) + (f" since {since.window}" if since.window else "")


def _evidence(verdict: Verdict, since: Verdict) -> dict[str, object]:
    signal = verdict.signal
    return {
        "rule": verdict.rule.name,
        "column": signal.column,
        "statistic": signal.statistic,
        "value": signal.value,
        "limit": verdict.limit,
        "baseline": signal.baseline,
        "chance_level": signal.chance_level,
        "n": signal.n,
        "window": str(verdict.window) if verdict.window else None,
        "since": str(since.window) if since.window else None,
        "method": signal.method,
        "table_version": signal.table_version,
        "contributors": [dict(one) for one in verdict.contributors],
    }


def _excess(verdict: Verdict) -> float:
    """How far beyond its limit, as a ratio; drops below a limit count as rises above it do."""
    value, limit = verdict.signal.value or 0.0, verdict.limit
    if not limit or not value:
        return abs(value - limit)
    return max(value / limit, limit / value)
