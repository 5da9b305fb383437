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
    """Rows by label and prediction: the cells that occur, in order.

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
    def of(cls, label: Codes, prediction: Codes, count: Codes, size: int) -> Tally:
        """Takes cells of classes 0 to size - 1, in any order; some may be of the same classes."""
        cells, count = added_up(label * size + prediction, count)
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


def added_up(cells: Codes, count: Codes) -> tuple[Codes, Codes]:
    """Returns the distinct cells in order, each with its rows."""
    if (cells[1:] > cells[:-1]).all():
        return cells, count
    cells, place = np.unique(cells, return_inverse=True)
    return cells, _by_class(place, count, len(cells))


def _by_class(codes: Codes, counts: Codes, size: int) -> Codes:
    found = np.zeros(size, dtype=np.int64)
    np.add.at(found, codes, counts)
    return found


@dataclass(frozen=True, slots=True)
class Share:
    """Precision, recall or F1: of each class the hits, so often as they count, divided by a whole.

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


_SHARES = (
    Share("precision", "precision_overall", 1, 0, "was never predicted"),
    Share("recall", "recall_overall", 0, 1, "has no label"),
    Share("f1_score", "f1_overall", 1, 1, "has no label and was never predicted"),
)
_BY_PREDICTION = np.array([[share.by_prediction] for share in _SHARES])
_BY_LABEL = np.array([[share.by_label] for share in _SHARES])
_PARTS = _BY_PREDICTION + _BY_LABEL


@dataclass(frozen=True, slots=True, eq=False)
class Shares:
    """All of `_SHARES`: one line each.

    Attributes:
        occurring: which classes are labelled or predicted at all.
        whole: denominator of each class.
        by_class: share of each class.
        mean: the plain mean over the classes that occur.
        weighted: the mean weighted by labels.
        variance: of `mean`.
        least: rows to count where the variance is 0.
    """

    occurring: Flags
    whole: Codes
    by_class: Floats
    mean: list[float]
    weighted: list[float]
    variance: list[float]
    least: list[float]

    @classmethod
    def of(cls, tally: Tally) -> Shares:
        """Computes them together; variances by the delta method (Takahashi et al., 2022).

        A row moves the share of its label and that of its prediction; the squares of what all rows move sum
        to the variance. So what classes have in common counts.
        """
        whole = _BY_PREDICTION * tally.predicted + _BY_LABEL * tally.labelled
        a_row = np.divide(1, whole, out=np.zeros(whole.shape), where=whole > 0)
        by_class = np.divide(_PARTS * tally.hits, whole, out=np.zeros(whole.shape), where=whole > 0)
        occurring = (tally.predicted + tally.labelled) > 0
        classes = int(np.count_nonzero(occurring))
        falls = by_class * a_row
        moved = (_PARTS * a_row).take(tally.label, axis=1) * tally.right
        moved -= _BY_PREDICTION * falls.take(tally.prediction, axis=1)
        moved -= _BY_LABEL * falls.take(tally.label, axis=1)
        return cls(
            occurring,
            whole,
            by_class,
            by_class.compress(occurring, axis=1).mean(axis=1).tolist(),
            ((by_class * tally.labelled).sum(axis=1) / tally.rows).tolist(),
            ((tally.count * np.square(moved)).sum(axis=1) / classes**2).tolist(),
            (classes**2 / (a_row.sum(axis=1) * _PARTS[:, 0])).tolist(),
        )


def class_metrics(label: Codes, prediction: Codes, count: Codes, vocabulary: Vocabulary) -> Findings:
    """Returns accuracy, Cohen's kappa, confusion matrix, precision, recall and F1.

    Shares without a denominator count as 0, as in scikit-learn with `zero_division=0`, and the reasons name
    them. Averages are over the classes that occur among labels or predictions.

    Args:
        label: of each cell the position of its label among the classes, -1 without one.
        prediction: the same for the prediction.
        count: rows of each cell.
        vocabulary: the classes.
    """
    judged = (label >= 0) & (prediction >= 0)
    if not judged.any():
        return Findings.none(ESTIMATES, CELLS, "no row has both a label and a prediction")
    tally = Tally.of(label[judged], prediction[judged], count[judged], len(vocabulary.classes))
    accuracy = int(tally.hits.sum()) / tally.rows
    found = Findings({
        "accuracy_score": Estimate(accuracy, tally.rows, wilson(accuracy, tally.rows)),
        "cohen_kappa": _kappa(tally),
    })  # fmt: skip
    shares = Shares.of(tally)
    each = [_share_metrics(place, shares, tally, vocabulary) for place in range(len(_SHARES))]
    return Findings.all([found, _confusion(tally, vocabulary.classes), *each])


def _confusion(tally: Tally, classes: tuple[str, ...]) -> Findings:
    if len(tally.count) > MOST_CELLS:
        why = f"{len(tally.count)} pairs of label and prediction occur: more than {MOST_CELLS} are not stored"
        return Findings(cells={"confusion_matrix": None}, reasons={"confusion_matrix": why})
    cells = zip(tally.prediction.tolist(), tally.label.tolist(), tally.count.tolist(), strict=True)
    rows = [{"prediction": classes[p], "label": classes[t], "count": count} for p, t, count in cells]
    return Findings(cells={"confusion_matrix": rows})


def _share_metrics(line: int, shares: Shares, tally: Tally, vocabulary: Vocabulary) -> Findings:
    """One value a class, their plain mean, their mean weighted by labels, and the one for rules."""
    share, mean = _SHARES[line], shares.mean[line]
    names = [vocabulary.classes[place] for place in np.flatnonzero(shares.occurring).tolist()]
    interval = effective_wilson(mean, shares.variance[line], shares.least[line])
    macro = Estimate(mean, tally.rows, interval, _counted_as_zero(line, shares, vocabulary))
    cell = {
        "one_vs_all": dict(zip(names, shares.by_class[line, shares.occurring].tolist(), strict=True)),
        "macro": mean,
        "weighted": shares.weighted[line],
    }
    overall = Estimate.unknown(vocabulary.undecided) if vocabulary.undecided else macro
    if vocabulary.positive is not None:
        place = vocabulary.place(vocabulary.positive)
        hits, whole = int(tally.hits[place]), int(shares.whole[line, place])
        overall = _of_one_class(share, hits, whole, vocabulary.positive)
    return Findings({share.column: macro, share.overall: overall}, {share.column: cell})


def _of_one_class(share: Share, hits: int, whole: int, name: str) -> Estimate:
    """Precision and recall with Wilson's interval, F1 with the one that follows from Jaccard's share.

    F1 = 2J / (1 + J), where J is the share of hits among the rows that are labelled or predicted so: the ends
    of Wilson's interval of J give those of F1.
    """
    parts = share.parts
    if not whole:
        return Estimate(0.0, reason=_zero(name, share))
    rows = whole - (parts - 1) * hits
    low, high = (parts * end / (1 + (parts - 1) * end) for end in wilson(hits / rows, rows))
    return Estimate(parts * hits / whole, rows, (low, high))


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


def _counted_as_zero(line: int, shares: Shares, vocabulary: Vocabulary) -> str:
    empty = np.flatnonzero(shares.occurring & (shares.whole[line] == 0))
    return _zero(vocabulary.classes[empty[0]], _SHARES[line], others=len(empty) - 1) if len(empty) else ""


def _zero(name: str, share: Share, *, others: int = 0) -> str:
    more = f" (and {others} more)" if others else ""
    return f"class {name!r}{more} {share.empty}: counts as 0"
