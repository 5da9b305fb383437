"""What an incident or a finding rests on: the rule, and its series window by window."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from lakemon_core.alerting.judging.shelf import place_of
from lakemon_core.alerting.wording import title_of
from lakemon_core.domain.errors import UsageError
from lakemon_core.domain.incident import Incident
from lakemon_core.domain.names import plain
from lakemon_core.domain.rule import Signal, Status, Verdict
from lakemon_core.lifecycle.analyze import judge_rules
from lakemon_core.lifecycle.mix_and_rate import splits_of
from lakemon_core.pipeline.session import Session, new_run_id


@dataclass(frozen=True, slots=True)
class Explanation:
    """One series, explained.

    Attributes:
        title: what its newest window says, one sentence.
        facts: name → value, plain JSON values.
        windows: one mapping a window, oldest first, all with the same keys.
        splits: its last change over the slices of each expression; empty where they do not add up.
    """

    title: str
    facts: Mapping[str, object]
    windows: Sequence[Mapping[str, object]]
    splits: Sequence[Mapping[str, object]] = ()


def explanation(session: Session, text: str) -> Explanation:
    """Judges the rules again and tells the series of one incident or finding.

    Args:
        text: its id, or the beginning of it; the episode of an incident may follow after a dot.

    Raises:
        UsageError: LM126 when no series, or more than one, has this id.
    """
    context = session.context(new_run_id(session.clock))
    wanted = text.partition(".")[0].lower()
    judged = judge_rules(context)
    verdicts = [one for one in judged.verdicts if wanted and one.fingerprint.startswith(wanted)]
    series = {one.fingerprint for one in verdicts}
    if len(series) != 1:
        what = f"{len(series)} series fit" if series else "no series fits"
        raise UsageError("LM126", f"{what} {plain(text)!r};", cure="`lakemon alert list` shows the ids.")
    last = verdicts[-1]
    incident = session.backend.ledger.incidents().get(last.fingerprint)
    adds_up_as = {metric.name: metric.adds_up_as for metric in context.model_type.metrics}
    splits = _splits(verdicts, adds_up_as.get(last.signal.name, ""), judged.signals)
    return Explanation(title_of(last), _facts(last, incident), [_window(one) for one in verdicts], splits)


def _splits(
    verdicts: Sequence[Verdict], metric: str, signals: Sequence[Signal]
) -> list[Mapping[str, object]]:
    """Splits the change since the last window that was well, or else since the first one."""
    known = [one for one in verdicts if one.window is not None and one.signal.value is not None]
    if not metric or len(known) < 2 or known[-1].signal.slice_key is not None:
        return []
    now = known[-1]
    well = [one for one in known[:-1] if one.status is Status.OK]
    before = well[-1] if well else known[0]
    first, last = (_as(metric, one.signal, signals) for one in (before, now))
    return [
        {
            "metric": metric,
            "from": str(before.window),
            "to": str(now.window),
            "slices": split.key,
            "change": split.change,
            "mix": split.mix,
            "rate": split.rate,
            "parts": [asdict(part) for part in split.parts],
        }
        for split in splits_of(first, last, signals)
    ]


def _as(metric: str, signal: Signal, signals: Sequence[Signal]) -> Signal:
    """Returns another metric of the same rows; the signal itself where it is that metric."""
    if metric == signal.name:
        return signal
    same = (one for one in signals if one.name == metric and place_of(one) == place_of(signal))
    return next(same, replace(signal, value=None))


def _facts(last: Verdict, incident: Incident | None) -> dict[str, object]:
    rule, signal = last.rule, last.signal
    facts: dict[str, object] = {
        "id": last.fingerprint,
        "rule": rule.name,
        "rule_wants": f"{rule.for_windows[0]} of {rule.for_windows[1]} windows, {rule.min_samples} rows",
        "column": signal.column,
        "statistic": signal.statistic,
        "compare": signal.compare,
        "model_version": signal.model_id,
        "status": incident.status.value if incident else "ok",
        "since": incident.opened_at if incident and incident.is_open else None,
        "acknowledged_by": incident.acknowledged_by if incident else "",
        "owner": rule.owner,
        "runbook": rule.runbook,
        "method": signal.method,
        "contributors": ", ".join(f"{one['column']} {one['value']:.3g}" for one in last.contributors),
    }
    return {name: value for name, value in facts.items() if value not in (None, "")}


def _window(verdict: Verdict) -> dict[str, object]:
    signal = verdict.signal
    return {
        "window": str(verdict.window) if verdict.window else "now",
        "verdict": verdict.status.value,
        "value": signal.value,
        "limit": verdict.limit,
        "lower": signal.lower,
        "upper": signal.upper,
        "baseline": signal.baseline,
        "chance_level": signal.chance_level,
        "n": signal.n,
        "reason": verdict.reason,
    }
