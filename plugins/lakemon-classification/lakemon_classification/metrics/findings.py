"""What one part of the measuring found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lakemon_core.domain.estimate import Estimate
from lakemon_core.profiling.intervals import wilson


@dataclass(frozen=True, slots=True)
class Findings:
    """Values of profile columns.

    Attributes:
        estimates: profile column → the number that rules judge.
        cells: profile column → what is stored instead of or beside that number: maps, lists, structs.
        reasons: profile column of `cells` → why it is missing, or what it leaves out.
    """

    estimates: Mapping[str, Estimate] = field(default_factory=dict[str, Estimate])
    cells: Mapping[str, Any] = field(default_factory=dict[str, Any])
    reasons: Mapping[str, str] = field(default_factory=dict[str, str])

    @classmethod
    def none(cls, estimates: Iterable[str], cells: Iterable[str], why: str) -> Findings:
        """Nothing could be computed, for one reason."""
        return cls(
            dict.fromkeys(estimates, Estimate.unknown(why)), dict.fromkeys(cells), dict.fromkeys(cells, why)
        )

    @classmethod
    def all(cls, parts: Sequence[Findings]) -> Findings:
        """Several together; the last one's word counts where they speak of the same column."""
        return cls(
            {name: one for part in parts for name, one in part.estimates.items()},
            {name: one for part in parts for name, one in part.cells.items()},
            {name: one for part in parts for name, one in part.reasons.items()},
        )


def effective_wilson(value: float, variance: float, least: float) -> tuple[float, float]:
    """Returns the 95 % interval of a number between 0 and 1: Wilson's, for as many rows as its variance says.

    A share of N rows has the variance v(1 - v)/N, so a number with variance s² is as sure as a share of
    v(1 - v)/s² rows. Unlike v ± z·s the interval stays between 0 and 1, and is wide enough close to them.
    Source: Korn and Graubard (1998), with Wilson's interval in place of Clopper and Pearson's.

    Args:
        value: between 0 and 1.
        variance: its square standard error.
        least: rows to count where the variance is 0, which at 0 and 1 says nothing.
    """
    return wilson(value, value * (1 - value) / variance if variance > 0 else least)
