"""What rows take in memory while they are measured, how many fit, and columns in turns where not all do."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lakemon_core.domain.errors import DataError

if TYPE_CHECKING:
    from lakemon_core.profiling.measure import PlannedColumn

LIBRARIES = 350 * 10**6
"""Bytes of the process without any rows: Python, Arrow, Delta, NumPy, SciPy, and the levels of texts."""
_KEPT = 0.15
"""Share of the rest that allocators keep for later."""
_WORKING = 150
"""Bytes a row that is being measured: window, model and part of each, and copies of a few columns."""
_OF_QUALITY = 80
"""The same for the quality of its prediction."""
_OF_SLICE = 24
"""The same for the value of a slice."""
_READ = {"numeric": 8, "timestamp": 8, "categorical": 14, "boolean": 2}
"""Bytes of a value as it was read; of texts, the mean of how they arrive and of their codes."""
_SUMMARIZED = 8
"""Bytes of a value in a summary."""
_OTHER = 12
"""Bytes of a value that only slices, quality or custom metrics read."""


@dataclass(frozen=True, slots=True)
class RowCost:
    """Bytes that a row takes: as it was read, while it is measured, and in the summaries of its groups."""

    read: int
    working: int
    summarized: int

    def plus(self, column: PlannedColumn, copies: int) -> RowCost:
        """Returns the cost with one column more, which is held in so many groups."""
        return RowCost(self.read + _READ[column.kind], self.working, self.summarized + _SUMMARIZED * copies)


@dataclass(frozen=True, slots=True)
class Load:
    """Rows that are in memory together: of the largest window, of other references to it, of the baseline."""

    window: int
    references: int
    baseline: int

    def takes(self, cost: RowCost) -> int:
        """Returns the bytes of a window, the one before, the next as it is summarized, and references."""
        baseline = self.baseline * (cost.read + cost.working + cost.summarized)
        return max(baseline, self._held(cost) + self.window * self._of_chunk(cost))

    def most_rows(self, cost: RowCost, room: int) -> int:
        """Returns how many rows of windows may be read together."""
        return (room - self._held(cost)) // self._of_chunk(cost)

    def _held(self, cost: RowCost) -> int:
        references = self.references * (cost.read + cost.working + cost.summarized)
        return references + (self.baseline + self.window) * cost.summarized

    def _of_chunk(self, cost: RowCost) -> int:
        return cost.read + cost.working + 2 * cost.summarized


@dataclass(frozen=True, slots=True)
class Turn:
    """Columns that are measured together, and how many rows of them fit; the last turn is `whole`."""

    columns: tuple[PlannedColumn, ...]
    rows: int
    whole: bool


@dataclass(frozen=True, slots=True)
class Room:
    """The memory for rows.

    Attributes:
        memory: bytes that measuring may take, libraries included.
        models: whether rows belong to models, which are groups of their own.
        slices: how many slices there are.
        others: columns that each turn reads besides its own.
        of_quality: columns that only the last turn reads; empty where no quality is measured.
    """

    memory: int
    models: bool
    slices: int
    others: int
    of_quality: int

    def turns(self, columns: Sequence[PlannedColumn], first: str, load: Load) -> list[Turn]:
        """Divides the columns so that each turn fits; the last one has quality and the column `first`.

        Args:
            columns: all that are measured, in order.
            first: name of a column that has to be measured with quality.
            load: rows that are in memory together.

        Raises:
            DataError: LM351 when not even a single column fits.
        """
        room = round((self.memory - LIBRARIES) * (1 - _KEPT))
        whole, cost, rest = True, self._cost(whole=True), sorted(columns, key=lambda one: one.name != first)
        turns: list[Turn] = []
        while rest or whole:
            count = 0
            while count < len(rest) and load.takes(more := cost.plus(rest[count], self._copies)) <= room:
                cost, count = more, count + 1
            if (not count and rest) or load.takes(cost) > room:
                raise self._too_little(load.takes(cost.plus(rest[0], self._copies) if rest else cost))
            turns.append(Turn(_in_order(columns, rest[:count]), load.most_rows(cost, room), whole))
            whole, cost, rest = False, self._cost(whole=False), rest[count:]
        return turns[::-1]

    @property
    def _copies(self) -> int:
        """In how many groups each row is, apart from those that share their summary."""
        return (2 if self.models else 1) * (1 + self.slices)

    def _cost(self, *, whole: bool) -> RowCost:
        of_quality = self.of_quality if whole else 0
        working = _WORKING + _OF_SLICE * self.slices + (_OF_QUALITY if of_quality else 0)
        return RowCost(_OTHER * (self.others + of_quality), working, 0)

    def _too_little(self, needed: int) -> DataError:
        least = math.ceil((needed / (1 - _KEPT) + LIBRARIES) / 10**8) / 10
        return DataError(
            "LM351",
            f"rows of a window, with those it is compared with, exceed {_written(self.memory)},"
            " even one column at a time;",
            where="monitoring.memory",
            cure=f'set it to "{least:g} GB" or more, or choose shorter windows or references.',
        )


def _in_order(columns: Iterable[PlannedColumn], some: Iterable[PlannedColumn]) -> tuple[PlannedColumn, ...]:
    kept = set(some)
    return tuple(column for column in columns if column in kept)


def _written(size: int) -> str:
    return f"{size / 10**9:.3g} GB"


def give_back() -> None:
    """Lets Arrow give freed memory back to the system: what it has read is free for NumPy."""
    import pyarrow as pa

    for pool in (pa.default_memory_pool(), pa.system_memory_pool()):
        pool.release_unused()
