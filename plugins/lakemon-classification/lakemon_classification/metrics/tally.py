"""Predicted classes against labels: counts of rows by class, and the shares that follow from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lakemon_classification.metrics.findings import Findings, effective_wilson
from lakemon_classification.vocabulary import Codes, Vocabulary
from lakemon_core.domain.estimate import Estimate
from lakemon_core.profiling.intervals import wilson
from lakemon_core.profiling.quality.estimates import Z

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

ESTIMATES = ("accuracy_score", "precision_overall", "recall_overall", "f1_overall", "cohen_kappa")
CELLS = ("confusion_matrix", "precision", "recall", "f1_score")
MOST_CELLS = 10_000
"""Cells of a confusion matrix that is stored: all of up to 100 classes. A part of one would mislead."""


@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """Rows by label and prediction: the cells that occur.

    Attributes:
        label: class of each cell.
        prediction: likewise.
        count: rows of each cell, at least 1.
        hits: rows of each class that are labelled and predicted so.
        predicted: rows predicted as each class.
        labelled: rows labelled as each class.
    """

    label: Codes
    prediction: Codes
    count: Codes
    hits: Codes
    predicted: Codes
    labelled: Codes

    @classmethod
    def of(cls, truth: Codes, answer: Codes, size: int) -> Tally:
        """Counts rows of classes 0 to size - 1."""
        pairs = truth * size
        pairs += answer
        cells, count = _counted(pairs, size * size)
        label, prediction = np.divmod(cells, size)
        right = np.where(label == prediction, count, 0)
        return cls(
            label,
            prediction,
            count,
            _by_class(label, right, size),
            _by_class(prediction, count, size),
            _by_class(label, count, size),
        )

    @property
    def size(self) -> int:
        """Number of classes."""
        return len(self.hits)

    @property
    def rows(self) -> int:
        """All rows."""
        return int(self.count.sum())

    @property
    def right(self) -> Flags:
        """Which cells hold rows that are predicted as labelled."""
        return self.label == self.prediction


def _counted(cells: Codes, size: int) -> tuple[Codes, Codes]:
    """Returns the cells that occur, and how often each does."""
    if size > max(len(cells), MOST_CELLS):
        return np.unique(cells, return_counts=True)
    counts = np.bincount(cells, minlength=size)
    occurring = np.flatnonzero(counts)
    return occurring, counts[occurring]


def _by_class(codes: Codes, counts: Codes, size: int) -> Codes:
    found = np.zeros(size, dtype=np.int64)
    np.add.at(found, codes, counts)
    return found


@dataclass(frozen=True, slots=True, eq=False)
class Share:
    """Precision, recall or F1: of each class `parts` times its hits, divided by its whole.

    Where the whole is 0, so is the share, and `empty` says why. The whole is `by_prediction` times the rows
    predicted so and `by_label` times those labelled so.
    """

    column: str
    overall: str
    by_prediction: int
    by_label: int
    empty: str

    @property
    def parts(self) -> int:
        """How often a hit counts in the whole."""
        return self.by_prediction + self.by_label

    def whole(self, tally: Tally) -> Codes:
        """Returns the denominator of each class."""
        return self.by_prediction * tally.predicted + self.by_label * tally.labelled

    def by_class(self, tally: Tally) -> Floats:
        """Returns the share of each class."""
        whole = self.whole(tally)
        return np.divide(self.parts * tally.hits, whole, out=np.zeros(tally.size), where=whole > 0)


_SHARES = (
    Share("precision", "precision_overall", 1, 0, "was never predicted"),
    Share("recall", "recall_overall", 0, 1, "has no label"),
    Share("f1_score", "f1_overall", 1, 1, "has no label and was never predicted"),
)


def class_metrics(truth: Codes, answer: Codes, vocabulary: Vocabulary) -> Findings:
    """Returns accuracy, Cohen's kappa, confusion matrix, precision, recall and F1.

    Shares without a denominator count as 0, as in scikit-learn with `zero_division=0`, and the reasons name
    them. Averages are over the classes that occur among labels or predictions.

    Args:
        truth: per row the position of its label among the classes, -1 without one.
        answer: the same for the prediction.
        vocabulary: the classes.
    """
    judged = (truth >= 0) & (answer >= 0)
    if not judged.any():
        return Findings.none(ESTIMATES, CELLS, "no row has both a label and a prediction")
    if not judged.all():
        truth, answer = truth.compress(judged), answer.compress(judged)
    tally = Tally.of(truth, answer, len(vocabulary.classes))
    accuracy = int(tally.hits.sum()) / tally.rows
    found = Findings({
        "accuracy_score": Estimate(accuracy, tally.rows, wilson(accuracy, tally.rows)),
        "cohen_kappa": _kappa(tally),
    })  # fmt: skip
    found |= _confusion(tally, vocabulary.classes)
    for share in _SHARES:
        found |= _share_metrics(share, tally, vocabulary)
    return found


def _confusion(tally: Tally, classes: tuple[str, ...]) -> Findings:
    if len(tally.count) > MOST_CELLS:
        why = f"{len(tally.count)} pairs of label and prediction occur: more than {MOST_CELLS} are not stored"
        return Findings(cells={"confusion_matrix": None}, reasons={"confusion_matrix": why})
    cells = zip(tally.prediction.tolist(), tally.label.tolist(), tally.count.tolist(), strict=True)
    rows = [{"prediction": classes[p], "label": classes[t], "count": count} for p, t, count in cells]
    return Findings(cells={"confusion_matrix": rows})


def _share_metrics(share: Share, tally: Tally, vocabulary: Vocabulary) -> Findings:
    """One value a class, their plain mean, their mean weighted by labels, and the one for rules."""
    occurring, by_class = _occurring(tally), share.by_class(tally)
    names = [vocabulary.classes[place] for place in np.flatnonzero(occurring)]
    macro = _mean(share, tally, _counted_as_zero(share, tally, vocabulary))
    cell = {
        "one_vs_all": dict(zip(names, by_class[occurring].tolist(), strict=True)),
        "macro": macro.value,
        "weighted": float(np.average(by_class, weights=tally.labelled)),
    }
    overall = Estimate.unknown(vocabulary.undecided) if vocabulary.undecided else macro
    if vocabulary.positive is not None:
        overall = _of_one_class(share, tally, vocabulary.positive, vocabulary.place(vocabulary.positive))
    return Findings({share.column: macro, share.overall: overall}, {share.column: cell})


def _of_one_class(share: Share, tally: Tally, name: str, place: int) -> Estimate:
    """Precision and recall with Wilson's interval, F1 with the one that follows from Jaccard's share.

    F1 = 2J / (1 + J), where J is the share of hits among the rows that are labelled or predicted so: the ends
    of Wilson's interval of J give those of F1.
    """
    hits, whole, parts = int(tally.hits[place]), int(share.whole(tally)[place]), share.parts
    if not whole:
        return Estimate(0.0, reason=_zero(name, share))
    rows = whole - (parts - 1) * hits
    low, high = (parts * end / (1 + (parts - 1) * end) for end in wilson(hits / rows, rows))
    return Estimate(parts * hits / whole, rows, (low, high))


def _mean(share: Share, tally: Tally, reason: str) -> Estimate:
    """The plain mean over classes; its variance by the delta method (Takahashi et al., 2022).

    A row moves the share of its label and that of its prediction; the squares of what all rows move sum to
    the variance. So what classes have in common counts.
    """
    occurring, by_class, whole = _occurring(tally), share.by_class(tally), share.whole(tally)
    value = float(by_class[occurring].mean())
    a_row = np.divide(1, whole, out=np.zeros(tally.size), where=whole > 0)
    moved = share.parts * tally.right * a_row[tally.label]
    moved -= share.by_prediction * (by_class * a_row)[tally.prediction]
    moved -= share.by_label * (by_class * a_row)[tally.label]
    classes = int(occurring.sum())
    variance = float((tally.count * np.square(moved)).sum()) / classes**2
    least = classes**2 / float(a_row.sum() * share.parts)
    return Estimate(value, tally.rows, effective_wilson(value, variance, least), reason)


def _kappa(tally: Tally) -> Estimate:
    """Cohen's kappa: agreement beyond what label and prediction would have by chance, 1 at most.

    Standard error: Fleiss, Cohen and Everitt (1969).
    """
    n = tally.rows
    labelled, predicted = tally.labelled / n, tally.predicted / n
    agreed, by_chance = float(tally.hits.sum()) / n, float((labelled * predicted).sum())
    if by_chance == 1:
        return Estimate.unknown("labels and predictions are all of one class: chance alone agrees as much", n)
    value = (agreed - by_chance) / (1 - by_chance)
    moved = tally.right - (1 - value) * (predicted[tally.label] + labelled[tally.prediction])
    moved -= value - by_chance * (1 - value)
    error = float(np.sqrt((tally.count * np.square(moved)).sum())) / (n * (1 - by_chance))
    if not error:
        return Estimate(value, n)
    return Estimate(value, n, (max(-1.0, value - Z * error), min(1.0, value + Z * error)))


def _occurring(tally: Tally) -> Flags:
    """Which classes are labelled or predicted at all."""
    return (tally.predicted + tally.labelled) > 0


def _counted_as_zero(share: Share, tally: Tally, vocabulary: Vocabulary) -> str:
    empty = np.flatnonzero(_occurring(tally) & (share.whole(tally) == 0))
    return _zero(vocabulary.classes[empty[0]], share, others=len(empty) - 1) if len(empty) else ""


def _zero(name: str, share: Share, *, others: int = 0) -> str:
    more = f" (and {others} more)" if others else ""
    return f"class {name!r}{more} {share.empty}: counts as 0"
