"""`at_least`: many columns make one verdict of the table. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace

from lakemon_core.alerting.judging.shelf import TOP, Place, place_of
from lakemon_core.domain.figures import Kind
from lakemon_core.domain.rule import Quorum, Signal, Status, Verdict
from lakemon_core.domain.run import Severity


def together(verdicts: Sequence[Verdict], quorum: Quorum) -> Iterator[Verdict]:
    """Turns the verdicts of single columns into one for each window, slice and model version.

    A column that is unknown neither breaches nor counts among those that could be judged; when none could be
    judged the verdict is unknown.

    Args:
        verdicts: of one rule, each of one column.
        quorum: how many must breach.

    Yields:
        verdicts of the column `:table`, in window order; their fingerprints are those of the first column and
        are to be made anew.
    """
    places: dict[Place, list[Verdict]] = defaultdict(list)
    for verdict in verdicts:
        places[place_of(verdict.signal)].append(verdict)
    for columns in places.values():
        yield _verdict(columns, quorum)


def _verdict(columns: Sequence[Verdict], quorum: Quorum) -> Verdict:
    judged = [one for one in columns if one.status is not Status.UNKNOWN]
    breached = [one for one in judged if one.status is Status.BREACHED]
    critical = [one for one in breached if one.severity is not Severity.WARNING]
    high = [one for one in judged if one.status is Status.BREACHED or not one.recovered]
    signal = _signal(columns, quorum, len(breached), len(judged))
    blank = replace(columns[0], signal=signal, limit=quorum.limit, contributors=())
    if not judged:
        return replace(blank, status=Status.UNKNOWN, reason=columns[0].reason, recovered=False)

    def reached(some: Sequence[Verdict]) -> bool:
        return bool(some) and quorum.measure(len(some), len(judged)) >= quorum.limit

    return replace(
        blank,
        status=Status.BREACHED if reached(breached) else Status.OK,
        severity=columns[0].rule.severity if reached(critical) else Severity.WARNING,
        recovered=not reached(high),
        reason="",
        kind=Kind.BREACH,
        contributors=tuple(_worst(breached)),
    )


def _signal(columns: Sequence[Verdict], quorum: Quorum, breached: int, judged: int) -> Signal:
    """Returns the number of columns as a signal of its own."""
    first = columns[0].signal
    return replace(
        first,
        column=":table",
        statistic="columns" if quorum.count else "share_of_columns",
        value=quorum.measure(breached, judged) if judged else None,
        n=max(one.signal.n for one in columns),
        method=f"columns:1 {breached} of {judged}",
        lower=None,
        upper=None,
        baseline=None,
        p_value=None,
        chance_level=None,
        reason="" if judged else columns[0].reason,
    )


def _worst(breached: Sequence[Verdict]) -> Iterator[dict[str, object]]:
    """Yields the columns furthest beyond their limits."""
    for one in sorted(breached, key=_excess, reverse=True)[:TOP]:
        signal = one.signal
        yield {"column": signal.column, "statistic": signal.statistic, "value": signal.value}


def _excess(verdict: Verdict) -> float:
    return abs((verdict.signal.value or 0.0) - verdict.limit)
