"""What was measured, as model types make panels of it, and what hook plugins measure beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from lakemon_core.domain.rule import Signal
from lakemon_core.domain.window import Window


@dataclass(frozen=True, slots=True)
class MeasuredWindow:
    """One window of all rows, as it stands in the profile metrics.

    Attributes:
        window: the span.
        values: profile column → value, for the columns of `ModelType.quality_fields`; None where it was not
            measured. Lists of structs are lists of dicts, maps are lists of pairs.
    """

    window: Window
    values: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Distribution:
    """How the values of one numeric column lie: quantiles at evenly spaced probabilities from 0 to 1."""

    n: int
    quantiles: Sequence[float]


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured of one granularity and one model version, or of all versions together.

    Attributes:
        granularity: e.g. `1 day`.
        windows: oldest first.
        baseline: profile column → value of the baseline; empty without one.
        signals: of this granularity, those of slices too, in the order of their windows.
        distributions: numeric column → how it lies in the newest window.
    """

    granularity: str
    windows: Sequence[MeasuredWindow] = ()
    baseline: Mapping[str, object] = field(default_factory=dict[str, object])
    signals: Sequence[Signal] = ()
    distributions: Mapping[str, Distribution] = field(default_factory=dict[str, Distribution])

    def newest(self, column: str) -> MeasuredWindow | None:
        """Returns the newest window that has something in a profile column; None when none has."""
        return next((one for one in reversed(self.windows) if one.values.get(column) not in (None, [])), None)


@dataclass(frozen=True, slots=True)
class MetricSpec:
    """A signal that a hook plugin adds: namespaced name, unit, direction."""

    name: str
    unit: str = ""
    higher_is_better: bool | None = None
