"""What an incident or a finding rests on: the rule, and its series window by window."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lakemon_core.alerting.wording import title_of
from lakemon_core.domain.errors import UsageError
from lakemon_core.domain.incident import Incident
from lakemon_core.domain.names import plain
from lakemon_core.domain.rule import Verdict
from lakemon_core.lifecycle.analyze import judge_rules
from lakemon_core.pipeline.session import Session, new_run_id


@dataclass(frozen=True, slots=True)
class Explanation:
    """One series, explained.

    Attributes:
        title: what its newest window says, one sentence.
        facts: name → value, plain JSON values.
        windows: one mapping a window, oldest first, all with the same keys.
    """

    title: str
    facts: Mapping[str, object]
    windows: Sequence[Mapping[str, object]]


def explanation(session: Session, text: str) -> Explanation:
    """Judges the rules again and tells the series of one incident or finding.

    Args:
        text: its id, or the beginning of it; the episode of an incident may follow after a dot.

    Raises:
        UsageError: LM126 when no series, or more than one, has this id.
    """
    context = session.context(new_run_id(session.clock))
    wanted = text.partition(".")[0].lower()
    verdicts = [one for one in judge_rules(context).verdicts if wanted and one.fingerprint.startswith(wanted)]
    series = {one.fingerprint for one in verdicts}
    if len(series) != 1:
        what = f"{len(series)} series fit" if series else "no series fits"
        raise UsageError("LM126", f"{what} {plain(text)!r};", cure="`lakemon alert list` shows the ids.")
    last = verdicts[-1]
    incident = session.backend.ledger.incidents().get(last.fingerprint)
    return Explanation(title_of(last), _facts(last, incident), [_window(one) for one in verdicts])


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
