"""A change of quality, split over slices: other rows came (mix), or such rows went otherwise (rate). Pure.

For a metric that is a mean over rows, with shares w of the rows and values r of each slice before, w' and r'
now, and M the mean of both wholes, mix = Σ (w' - w) ((r + r') / 2 - M) and rate = Σ (r' - r) (w + w') / 2 add
up to the change, exactly and symmetrically (Kitagawa 1955).
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lakemon_core.domain.rule import Signal

OTHERS = "(others)"
"""Rows that are in no slice of an expression: null, or beyond the most frequent values."""

Cell = tuple[float, float]
"""Rows and value of a slice."""


@dataclass(frozen=True, slots=True)
class Part:
    """What one slice adds to a change.

    Attributes:
        value: of the slice.
        share_before: of the rows, 0 to 1.
        share_now: the same.
        before: the metric; None without rows.
        now: the same.
        mix: what the change of its share adds.
        rate: what the change of its metric adds.
    """

    value: str
    share_before: float
    share_now: float
    before: float | None
    now: float | None
    mix: float
    rate: float


@dataclass(frozen=True, slots=True)
class Split:
    """A change of a metric, split over the slices of one expression.

    Attributes:
        key: the expression.
        change: of the metric, now less before.
        parts: the slices, that with the greatest effect first; they add up to the change.
    """

    key: str
    change: float
    parts: tuple[Part, ...]

    @property
    def mix(self) -> float:
        """What other shares of the slices add to the change."""
        return sum(part.mix for part in self.parts)

    @property
    def rate(self) -> float:
        """What other values within the slices add to the change."""
        return sum(part.rate for part in self.parts)


def splits_of(before: Signal, now: Signal, signals: Sequence[Signal]) -> list[Split]:
    """Splits the change of a metric from one window to another, over each slicing expression.

    Args:
        before: of the whole table, with a value.
        now: the same, of another window.
        signals: all that were measured, among them those of the slices.

    Returns:
        those where rates explain least first, for there the slices tell most.
    """
    if before.value is None or now.value is None or not (before.n and now.n):
        return []
    cells = {one.window: _cells(one, signals) for one in (before, now)}
    keys = sorted(set(cells[before.window]) | set(cells[now.window]))
    whole = (before.n, before.value), (now.n, now.value)
    splits = [
        _split(key, whole, cells[before.window].get(key, {}), cells[now.window].get(key, {})) for key in keys
    ]
    return sorted(splits, key=lambda one: (abs(one.rate), one.key))


def _cells(whole: Signal, signals: Sequence[Signal]) -> Mapping[str, dict[str, Cell]]:
    """Returns slicing expression → value → rows and metric, in the window of a signal."""
    cells: dict[str, dict[str, Cell]] = defaultdict(dict)
    place = (whole.name, whole.column, whole.window, whole.granularity, whole.model_id)
    for one in signals:
        mine = (one.name, one.column, one.window, one.granularity, one.model_id) == place
        if mine and one.slice_key is not None and one.value is not None and one.n:
            cells[one.slice_key][one.slice_value or ""] = (one.n, one.value)
    return cells


def _split(key: str, whole: tuple[Cell, Cell], before: Mapping[str, Cell], now: Mapping[str, Cell]) -> Split:
    middle = (whole[0][1] + whole[1][1]) / 2
    then, after = (_with_others(cells, one) for cells, one in zip((before, now), whole, strict=True))
    parts = [
        _part(value, then.get(value), after.get(value), middle) for value in dict.fromkeys([*then, *after])
    ]
    parts.sort(key=lambda part: (-abs(part.mix) - abs(part.rate), part.value))
    return Split(key, whole[1][1] - whole[0][1], tuple(parts))


def _with_others(cells: Mapping[str, Cell], whole: Cell) -> dict[str, Cell]:
    """Returns share and value of each slice, and of the rows that are in none."""
    rows, value = whole
    left = rows - sum(count for count, _ in cells.values())
    found = {name: (count / rows, one) for name, (count, one) in cells.items()}
    if left > 0:
        rest = (rows * value - sum(count * one for count, one in cells.values())) / left
        found[OTHERS] = (left / rows, rest)
    return found


def _part(value: str, before: Cell | None, now: Cell | None, middle: float) -> Part:
    shares = (before[0] if before else 0.0, now[0] if now else 0.0)
    known = [cell[1] for cell in (before, now) if cell]
    first, last = known[0], known[-1]  # a slice that is not there before is taken as it is now
    return Part(
        value,
        *shares,
        before[1] if before else None,
        now[1] if now else None,
        mix=(shares[1] - shares[0]) * ((first + last) / 2 - middle),
        rate=(last - first) * sum(shares) / 2,
    )
