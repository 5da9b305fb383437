"""Rules judge signals: every number of every series gets a verdict. Pure."""

from __future__ import annotations

import hashlib
import json
import operator
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache

from lakemon_core.alerting.judging.budget import FEWEST
from lakemon_core.alerting.judging.chance import FOUR_A_YEAR, Chance
from lakemon_core.alerting.judging.matching import is_slice, is_version, order_of, why_unknown
from lakemon_core.alerting.judging.presence import hours_without_data
from lakemon_core.alerting.judging.quorum import together
from lakemon_core.alerting.judging.shelf import (
    DRIFT,
    Shelf,
    series_of,
    slice_text,
)
from lakemon_core.alerting.wording import moment
from lakemon_core.domain.errors import did_you_mean
from lakemon_core.domain.figures import Kind
from lakemon_core.domain.monitor import Maturity
from lakemon_core.domain.names import plain
from lakemon_core.domain.rule import EACH, AlarmBudget, Compare, Rule, Signal, Status, Verdict
from lakemon_core.domain.run import Severity
from lakemon_core.ports import MetricSpec, QualityMetric

USUAL_LEVEL = 0.00135
"""Level of an automatic limit without a budget, on one side: that of three standard deviations."""

_BY_COLUMN = (
    "feature_drift", "null_rate", "new_categories", "new_category_share", "out_of_range", "type_change",
)  # fmt: skip
_LOW_IS_BAD = frozenset({"row_count", "row_count_ratio", "label_coverage"})
_AWAY = "away from 0"
"""The operator of metrics such as bias, for rules that name none."""
_BEYOND: Mapping[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    _AWAY: lambda value, limit: abs(value) > limit,
}


def judge(
    rules: Sequence[Rule],
    signals: Sequence[Signal],
    *,
    now: datetime,
    model: str,
    environment: str,
    metrics: Sequence[QualityMetric | MetricSpec],
    granularity: str = "",
    maturity: Maturity | None = None,
    budget: AlarmBudget | None = None,
) -> list[Verdict]:
    """Says of every rule and every series it looks at, window by window, whether it is breached.

    Windows that are still in progress at `now` are not judged. A rule that finds nothing to judge gives one
    verdict `unknown` without a window, so that a silent rule is seen.

    Args:
        rules: of the config, or the defaults of the model type.
        signals: all that were measured, in any order.
        now: the present moment, aware, UTC.
        model: registered name.
        environment: environment of the config.
        metrics: give the direction of quality metrics.
        granularity: of rules that name none; default the first that the signals have.
        maturity: when the quality of a window is judged; None judges it with the labels that are in.
        budget: false alarms that people put up with. Drift must be beyond chance among all columns (q of
            Benjamini and Hochberg) at its level, without a budget at that of `FOUR_A_YEAR`; other metrics
            beyond what chance gives at their rows, or beyond what their windows before make usual. Rules
            that all come from the model type keep to `FOUR_A_YEAR`.

    Returns:
        verdicts in the order of the rules; each series in window order.
    """
    fallback = granularity or next((signal.granularity for signal in signals if signal.window), "")
    if budget is None and all(rule.default for rule in rules):
        budget = FOUR_A_YEAR
    shelf = Shelf.of(signals)
    court = _Court(
        shelf=shelf,
        now=now,
        model=model,
        environment=environment,
        rising={metric.name for metric in metrics if metric.higher_is_better},
        two_sided={one.name for one in metrics if isinstance(one, QualityMetric) and one.two_sided},
        granularity=fallback,
        maturity=maturity,
        chance=Chance(shelf, budget),
    ).with_all(named(rules))
    return [verdict for rule in named(rules) for verdict in court.verdicts(rule)]


def named(rules: Iterable[Rule]) -> tuple[Rule, ...]:
    """Gives every rule a name of its own: the second `prediction_drift` becomes `prediction_drift#2`."""
    seen: Counter[str] = Counter()
    result: list[Rule] = []
    for rule in rules:
        seen[rule.name] += 1
        count = seen[rule.name]
        result.append(rule if count == 1 else replace(rule, id=f"{rule.name}#{count}"))
    return tuple(result)


@cache
def fingerprint(
    *,
    environment: str,
    model: str,
    rule: str,
    column: str,
    slice_text: str,
    model_id: str,
    kind: Kind = Kind.BREACH,
) -> str:
    """Returns the identity of an incident: 16 hex digits that no value, limit or window changes."""
    identity = {
        "environment": environment,
        "model": model,
        "rule": rule,
        "column": column,
        "slice": slice_text,
        "model_id": model_id,
    } | ({} if kind is Kind.BREACH else {"kind": kind.value})
    text = json.dumps(identity, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class _Limits:
    """How one value is judged: beyond `critical`, beyond `first`, and past `recover`."""

    op: str
    critical: float
    first: float
    recover: float


@dataclass(frozen=True, slots=True)
class _Court:
    """Judges one rule after the other."""

    shelf: Shelf
    now: datetime
    model: str
    environment: str
    rising: set[str]
    two_sided: set[str]
    granularity: str
    maturity: Maturity | None
    chance: Chance

    def with_all(self, rules: Iterable[Rule]) -> _Court:
        """Lets a budget know how many series share it: those of all rules that have no test of their own."""
        if self.chance.budget is None:
            return self
        series = sum(
            len({series_of(signal) for signal in self._mine(rule)})
            for rule in rules
            if self._metric(rule)[0] not in DRIFT
        )
        return replace(self, chance=replace(self.chance, untested=series))

    def verdicts(self, rule: Rule) -> Iterator[Verdict]:
        """Yields the verdicts of one rule, series by series, each in window order."""
        metric, column = self._metric(rule)
        mine = self._mine(rule)
        if not mine:
            yield self._absent(rule, metric, column)
        judged = [self._verdict(rule, metric, signal) for signal in sorted(mine, key=order_of)]
        if rule.at_least is None:
            yield from judged
        else:
            for verdict in together(judged, rule.at_least):
                yield replace(verdict, fingerprint=self._identity(rule, verdict.signal))
        if rule.expect_every and mine:
            yield self._presence(rule, mine, rule.expect_every)

    def _mine(self, rule: Rule) -> list[Signal]:
        """Returns the signals that a rule looks at."""
        metric, column = self._metric(rule)
        return [
            signal for signal in self.shelf.by_name.get(metric, ()) if self._concerns(rule, column, signal)
        ]

    def _metric(self, rule: Rule) -> tuple[str, str | None]:
        """Splits `feature_drift.COLUMN`; a signal that has just this name comes first."""
        family, dot, column = rule.metric.partition(".")
        if dot and family in _BY_COLUMN and rule.metric not in self.shelf.by_name:
            return family, column
        return rule.metric, rule.column

    def _concerns(self, rule: Rule, column: str | None, signal: Signal) -> bool:
        return (
            self._is_finished(rule, signal)
            and is_version(rule, signal)
            and column in {None, signal.column}
            and is_slice(rule, signal)
            and signal.compare in {None, rule.compare}
            and signal.statistic == (rule.statistic or self.shelf.default_statistic(signal))
        )

    def _is_finished(self, rule: Rule, signal: Signal) -> bool:
        """Whether its window is over and has the rule's length; signals of the whole table always are."""
        if signal.window is None:
            return True
        return signal.window.end <= self.now and signal.granularity == (rule.granularity or self.granularity)

    def _verdict(self, rule: Rule, metric: str, signal: Signal) -> Verdict:
        blank = self._blank(rule, signal)
        waits = self._why_immature(signal)
        if waits:
            return replace(blank, reason=waits)
        value, (kind, reason) = signal.value, why_unknown(rule, metric, signal)
        if value is None or reason:
            return replace(blank, reason=reason, kind=kind)
        limits = self._limits(rule, metric, signal)
        if limits is None:
            return replace(blank, reason=f"what is usual is known after {FEWEST} windows")
        beyond, side = _BEYOND[limits.op], -1 if limits.op == _AWAY and value < 0 else 1
        recovered = not beyond(value, limits.recover)
        fine = replace(blank, status=Status.OK, limit=side * limits.first, recovered=recovered)
        falls = beyond in {operator.lt, operator.le} or side < 0
        for limit, severity in ((limits.critical, rule.severity), (limits.first, Severity.WARNING)):
            if not beyond(value, limit):
                continue
            reason = self.chance.why(rule, signal, side * limit, falls=falls)
            if not reason:
                return replace(
                    fine,
                    status=Status.BREACHED,
                    severity=severity,
                    limit=side * limit,
                    contributors=() if metric in _BY_COLUMN else self.shelf.contributors(signal),
                )
        return replace(fine, reason=reason)

    def _limits(self, rule: Rule, metric: str, signal: Signal) -> _Limits | None:
        """Returns the limits of one value; None when they rest on windows that are not there yet."""
        op = self._op(rule, metric)
        if not rule.is_automatic:
            first = rule.threshold if rule.warn is None else rule.warn
            return _Limits(op, rule.threshold, first, first if rule.recover is None else rule.recover)
        usual = self.shelf.usual(signal)
        if usual is None or signal.value is None:
            return None
        if op == _AWAY:
            op = ">" if signal.value >= usual.mean else "<"
        limit = usual.limit(self.chance.level_of_one(signal) or USUAL_LEVEL, 1 if op[0] == ">" else -1)
        return _Limits(op, limit, limit, limit)

    def _why_immature(self, signal: Signal) -> str:
        """Says which labels a window of a quality metric waits for; nothing when it waits no longer."""
        share, window, maturity = signal.maturity, signal.window, self.maturity
        if share is None or window is None or maturity is None:
            return ""
        if maturity.reached(share, window.end, self.now):
            return ""
        until = moment(window.end + maturity.after)
        return f"{100 * share:.3g} % of labels are in, waits for {100 * maturity.share:.3g} % or {until}"

    def _op(self, rule: Rule, metric: str) -> str:
        if rule.op:
            return rule.op
        if metric in self.two_sided:
            return _AWAY
        return "<" if metric in self.rising | _LOW_IS_BAD else ">"

    def _presence(self, rule: Rule, signals: Sequence[Signal], every: timedelta) -> Verdict:
        """Says whether data still comes as often as the rule expects; `freshness` has no window to tell."""
        signal, limit = hours_without_data(signals, self.now), every.total_seconds() / 3600
        is_late = signal.value is not None and signal.value > limit
        return replace(
            self._blank(rule, signal),
            fingerprint=self._identity(rule, signal, Kind.NO_DATA),
            status=Status.BREACHED if is_late else Status.OK,
            limit=limit,
            recovered=not is_late,
            kind=Kind.NO_DATA,
        )

    def _identity(self, rule: Rule, signal: Signal, kind: Kind = Kind.BREACH) -> str:
        return fingerprint(
            environment=self.environment,
            model=self.model,
            rule=rule.name,
            column=signal.column,
            slice_text=slice_text(signal),
            model_id=signal.model_id,
            kind=kind,
        )

    def _blank(self, rule: Rule, signal: Signal) -> Verdict:
        """Returns the verdict before anything is known."""
        return Verdict(
            rule=rule,
            fingerprint=self._identity(rule, signal),
            status=Status.UNKNOWN,
            severity=rule.severity,
            window=signal.window,
            signal=signal,
            limit=0.0 if rule.is_automatic else rule.threshold,
            recovered=False,
            model=self.model,
            environment=self.environment,
        )

    def _absent(self, rule: Rule, metric: str, column: str | None) -> Verdict:
        """One verdict for a rule without signals; it moves no incident: its series are not known."""
        key, _, value = (rule.slice or "").partition("=")
        nothing = Signal(
            window=None,
            granularity=rule.granularity or self.granularity,
            model_id="*" if rule.model_version == EACH else rule.model_version,
            slice_key=key or None,
            slice_value=value or None,
            column=column or ":table",
            name=metric,
            statistic=rule.statistic or metric,
            compare=None,
            value=None,
            n=0,
            method="",
            reason=self._why_absent(rule, metric, column),
        )
        quiet = replace(rule, on_no_data="keep")
        return replace(self._blank(quiet, nothing), reason=nothing.reason)

    def _why_absent(self, rule: Rule, metric: str, column: str | None) -> str:
        found = self.shelf.by_name.get(metric, ())
        if not found:
            hint = did_you_mean(metric, sorted(self.shelf.by_name))
            return f"no signal {plain(metric)} was measured. {hint}".rstrip()
        if column is not None and all(signal.column != column for signal in found):
            hint = did_you_mean(column, sorted({signal.column for signal in found}))
            return f"{metric} was not measured for column {plain(column)}. {plain(hint, 300)}"
        if metric in DRIFT and all(signal.compare != rule.compare for signal in found):
            baseline = rule.compare == Compare.BASELINE
            cure = "monitoring.baseline_table is missing" if baseline else "no rows lie that far back yet"
            return f"{metric} was not measured against {plain(rule.compare)} ({cure})"
        return f"no finished window has {metric} for this rule's slice, statistic and granularity yet"
