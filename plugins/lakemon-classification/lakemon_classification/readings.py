"""What quality reads of a table: once for all groups that are made of its parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from lakemon_classification.classes import Classes, no_classes, read_classes
from lakemon_classification.config import ClassificationConfig
from lakemon_classification.metrics.ranking import Scored
from lakemon_classification.metrics.tally import MOST_CELLS, added_up
from lakemon_classification.probabilities import Probabilities, read_probabilities
from lakemon_classification.vocabulary import Codes
from lakemon_core.profiling.quality.estimates import BLOCK, cut

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Counted = tuple[Codes, Codes]
Item = TypeVar("Item", bound=np.generic)


@dataclass(frozen=True, eq=False)
class Readings:
    """Labels, predictions and probabilities of all rows of a table.

    Attributes:
        label: classes of the labels.
        prediction: classes of the predictions; none where there are no labels.
        probabilities: None where the table has none, or no labels.
        parts: from which row to which each part goes.
        has_labels: whether the table has a column of labels.
    """

    label: Classes
    prediction: Classes
    probabilities: Probabilities | None
    parts: tuple[slice, ...]
    has_labels: bool

    @classmethod
    def of(cls, rows: pa.Table, parts: Sequence[slice], config: ClassificationConfig) -> Readings:
        """Reads the columns of all rows; without labels nothing else."""
        spans = tuple(parts)
        label, known = read_classes(rows, config.label_col), config.label_col in rows.schema.names
        if not label.names:
            return cls(label, no_classes(len(rows)), None, spans, known)
        prediction = read_classes(rows, config.prediction_col)
        return cls(label, prediction, read_probabilities(rows, config), spans, known)

    def group(self, members: Sequence[int]) -> Group:
        """Returns the group that some parts make."""
        pairs = [self._cells[part] for part in members]
        cells, count = pairs[0]
        if len(pairs) > 1:
            cells, count = added_up(*(np.concatenate(lists) for lists in zip(*pairs, strict=True)))
        label, prediction = np.divmod(cells, len(self.prediction.names) + 1)
        return Group(self, tuple(members), label - 1, prediction - 1, count)

    @cached_property
    def judged(self) -> Flags | None:
        """Rows with a label and all their probabilities; None where these are all rows."""
        assert self.probabilities is not None
        known = self.probabilities.known
        known &= self.label.codes >= 0
        return None if known.all() else known

    @cached_property
    def impossible(self) -> Flags | None:
        """Judged rows that hold a probability outside of 0 to 1; None where there is none."""
        assert self.probabilities is not None
        by_class = self.probabilities.by_class
        if by_class.min(initial=0) >= 0 and by_class.max(initial=0) <= 1:
            return None
        impossible = self.probabilities.impossible
        if self.judged is not None:
            impossible &= self.judged
        return impossible if impossible.any() else None

    @cached_property
    def _cells(self) -> list[Counted]:
        """Of each part the pairs of label and prediction that occur, and the rows of each."""
        return [self._counted(span) for span in self.parts]

    def _counted(self, span: slice) -> Counted:
        label, prediction, width = self.label.codes, self.prediction.codes, len(self.prediction.names) + 1
        size, rows = (len(self.label.names) + 1) * width, span.stop - span.start
        if size == 1:
            return np.array([0]), np.array([rows])

        def cells(block: slice) -> Codes:
            found = label[span][block] * width
            found += prediction[span][block]
            found += width + 1
            return found

        if size > max(rows, MOST_CELLS):
            return np.unique(cells(slice(None)), return_counts=True)
        counts = np.zeros(size, dtype=np.int64)
        for block in cut(rows) if size <= BLOCK else [slice(None)]:
            counts += np.bincount(cells(block), minlength=size)
        occurring = np.flatnonzero(counts)
        return occurring, counts[occurring]

    def scored(self, part: int, line: int, positive: Flags) -> Scored:
        """Returns of the judged rows of a part whether the label is positive, and their probabilities.

        Args:
            part: its number.
            line: of the probabilities.
            positive: of each class of the labels.
        """
        key = part, line, positive.tobytes()
        if key not in self._memory:
            rows = self.rows(part)
            assert self.probabilities is not None
            scores = self.probabilities.by_class[line]
            self._memory[key] = Scored(positive.take(self.label.codes[rows]), scores[rows])
        return self._memory[key]

    @cached_property
    def _memory(self) -> dict[tuple[int, int, bytes], Scored]:
        return {}

    def rows(self, part: int) -> slice | Codes:
        """Returns the judged rows of a part."""
        span = self.parts[part]
        return span if self.judged is None else np.flatnonzero(self.judged[span]) + span.start


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """Rows of some parts, by pair of label and prediction.

    Attributes:
        readings: of the table.
        members: the parts.
        label: of each pair the position of its label among the classes of labels, -1 without one.
        prediction: the same for the prediction.
        count: rows of each pair.
    """

    readings: Readings
    members: tuple[int, ...]
    label: Codes
    prediction: Codes
    count: Codes

    @property
    def rows(self) -> int:
        """All rows."""
        return sum(self.readings.parts[part].stop - self.readings.parts[part].start for part in self.members)

    @property
    def words(self) -> list[str]:
        """The labels and predictions that occur, as written."""
        columns = ((self.readings.label, self.label), (self.readings.prediction, self.prediction))
        return [column.names[code] for column, codes in columns for code in {*codes.tolist()} if code >= 0]

    def scored(self, line: int, positive: Flags) -> list[Scored]:
        """Returns the judged rows of each part: whether the label is positive, and one of the probabilities.

        Args:
            line: of the probabilities.
            positive: of each class of the labels.
        """
        return [self.readings.scored(part, line, positive) for part in self.members]

    def by_class(self, classes: Codes) -> tuple[Codes, Floats]:
        """Returns the classes of the judged rows, and all their probabilities.

        Args:
            classes: of each class of the labels the one to return.
        """
        readings = self.readings
        assert readings.probabilities is not None
        rows = [readings.rows(part) for part in self.members]
        truth = joined([classes.take(readings.label.codes[span]) for span in rows])
        return truth, joined([readings.probabilities.by_class[:, span] for span in rows])

    @property
    def judged(self) -> int:
        """How many rows have a label and all their probabilities."""
        return self._counted(self.readings.judged)

    @property
    def impossible(self) -> int:
        """How many of the judged rows hold a probability outside of 0 to 1."""
        return 0 if self.readings.impossible is None else self._counted(self.readings.impossible)

    def _counted(self, rows: Flags | None) -> int:
        if rows is None:
            return self.rows
        return sum(int(np.count_nonzero(rows[self.readings.parts[part]])) for part in self.members)


def joined(arrays: list[npt.NDArray[Item]]) -> npt.NDArray[Item]:
    """Returns arrays one after the other along their last axis; a single one is not copied."""
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays, axis=-1)
