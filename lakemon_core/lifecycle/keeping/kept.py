"""Measured groups in files, for the next run: only what others are compared with, so no quality.

A column has a file of its own, so that it does not matter which columns are measured together.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from lakemon_core.lifecycle.keeping.array_file import read_arrays, write_arrays
from lakemon_core.lifecycle.keeping.summaries import FIELDS, Packing, Unpacking
from lakemon_core.lifecycle.measuring.groups import Measured
from lakemon_core.lifecycle.measuring.slices import Series
from lakemon_core.profiling.categorical.vocabulary import Vocabularies
from lakemon_core.profiling.columns import CategoricalSummary, Summary
from lakemon_core.profiling.measure import PlannedColumn

MOST = 1 << 30
"""Bytes that are kept of one table."""


@dataclass(frozen=True, slots=True)
class KeptGroup:
    """What is kept of one group: which it is, its rows, and the summaries of columns."""

    series: Series
    rows: int
    columns: dict[str, Summary]


@dataclass(frozen=True, slots=True)
class Kept:
    """The place of groups of one version of a table.

    Attributes:
        folder: of their files. It lies in that of the version; what lies beside that is of other versions.
    """

    folder: Path

    @classmethod
    def of(cls, folder: Path, depends_on: Sequence[object]) -> Kept:
        """Returns the place of what depends on these things, told by their texts, and on lakemon itself."""
        return cls(folder / _digest([version("lakemon"), FIELDS, sys.byteorder, *depends_on]))

    def read(
        self, columns: Sequence[PlannedColumn], vocabularies: Vocabularies
    ) -> Sequence[KeptGroup] | None:
        """Returns the groups, whose arrays lie in the files; None unless all columns are kept and whole.

        Args:
            columns: that are wanted.
            vocabularies: take those of the columns: rows that are read later share their codes.
        """
        found = read_arrays(self._groups)
        if found is None:
            return None
        groups = [KeptGroup((model, key, value), rows, {}) for model, key, value, rows in found[0]]
        for column in columns:
            found = read_arrays(self._of(column))
            if found is None:
                return None
            (objects, places), arrays = found
            summaries = Unpacking(objects, arrays).summaries(places)
            for group, summary in zip(groups, summaries, strict=True):
                group.columns[column.name] = summary
                if isinstance(summary, CategoricalSummary):
                    vocabularies.adopt(column.name, summary.vocabulary)
        return groups

    def write(self, columns: Sequence[PlannedColumn], groups: Sequence[Measured]) -> None:
        """Keeps some columns of all groups; where there is no room, or no disk, they are not kept."""
        about = [(*one.series, one.group.rows) for one in groups]
        packed = [Packing.of([one.group.columns[column.name] for one in groups]) for column in columns]
        with suppress(OSError):
            if self._has_room(sum(one.size for one in packed)):
                write_arrays(self._groups, about, [])
                for column, one in zip(columns, packed, strict=True):
                    write_arrays(self._of(column), [one.objects, one.places], one.arrays)

    @property
    def _groups(self) -> Path:
        return self.folder / "groups"

    def _of(self, column: PlannedColumn) -> Path:
        return self.folder / _digest(column)

    def _has_room(self, size: int) -> bool:
        """Removes what is of other versions and, where it takes too much room, what is of this one."""
        own = self.folder.parent
        own.mkdir(parents=True, exist_ok=True)
        _remove(other for other in own.parent.iterdir() if other != own)
        if _size(own) + size > MOST:
            _remove(other for other in own.iterdir() if other != self.folder)
        return _size(own) + size <= MOST


def _remove(folders: Iterable[Path]) -> None:
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*"))


def _digest(things: Sequence[object]) -> str:
    return hashlib.sha256(json.dumps(things, default=str).encode()).hexdigest()[:32]
