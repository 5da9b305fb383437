"""Predicted classes against labels: counts of rows by class, and the shares that follow from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lakemon_classification.vocabulary import Codes, Vocabulary

Floats = npt.NDArray[np.float64]
Values = dict[str, Any]
Reasons = dict[str, str]

NAMES = (
    "accuracy_score", "confusion_matrix", "precision", "recall", "f1_score",
    "precision_overall", "recall_overall", "f1_overall",
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """Rows by class: `hits` are labelled and predicted so."""

    hits: Codes
    predicted: Codes
    labelled: Codes

    @classmethod
    def of(cls, truth: Codes, answer: Codes, size: int) -> Tally:
        """Counts rows of classes 0 to size - 1."""
        hits = truth[truth == answer]
        return cls(*(np.bincount(codes, minlength=size) for codes in (hits, answer, truth)))

    @property
    def occurring(self) -> npt.NDArray[np.bool_]:
        """Which classes are labelled or predicted at all."""
        return (self.predicted + self.labelled) > 0


@dataclass(frozen=True, slots=True, eq=False)
class Share:
    """Precision, recall or F1 by class: `part` of `whole`; 0 where the whole is 0, and `empty` says why."""

    column: str
    overall: str
    part: Codes
    whole: Codes
    empty: str

    @property
    def by_class(self) -> Floats:
        """The share of each class."""
        return np.divide(self.part, self.whole, out=np.zeros(len(self.part)), where=self.whole > 0)


def class_metrics(truth: Codes, answer: Codes, vocabulary: Vocabulary) -> tuple[Values, Reasons]:
    """Returns accuracy, confusion matrix, precision, recall and F1, and why what is missing is missing.

    Shares without a denominator count as 0, as in scikit-learn with `zero_division=0`, and the reasons name
    them. Averages are over the classes that occur among labels or predictions.

    Args:
        truth: per row the position of its label among the classes, -1 without one.
        answer: the same for the prediction.
        vocabulary: the classes.
    """
    judged = (truth >= 0) & (answer >= 0)
    truth, answer = truth[judged], answer[judged]
    if not len(truth):
        return {}, dict.fromkeys(NAMES, "no row has both a label and a prediction")
    tally = Tally.of(truth, answer, len(vocabulary.classes))
    values: Values = {
        "accuracy_score": int(tally.hits.sum()) / len(truth),
        "confusion_matrix": _confusion(truth, answer, vocabulary.classes),
    }
    reasons: Reasons = {}
    for share in _shares(tally):
        values |= _values(share, tally, vocabulary)
        reasons |= _reasons(share, tally, vocabulary)
    return values, reasons


def _confusion(truth: Codes, answer: Codes, classes: tuple[str, ...]) -> list[Values]:
    cells, counts = np.unique(truth * len(classes) + answer, return_counts=True)
    return [
        {"prediction": classes[cell % len(classes)], "label": classes[cell // len(classes)], "count": count}
        for cell, count in zip(cells.tolist(), counts.tolist(), strict=True)
    ]


def _shares(tally: Tally) -> tuple[Share, Share, Share]:
    both = tally.predicted + tally.labelled
    return (
        Share("precision", "precision_overall", tally.hits, tally.predicted, "was never predicted"),
        Share("recall", "recall_overall", tally.hits, tally.labelled, "has no label"),
        Share("f1_score", "f1_overall", 2 * tally.hits, both, "has no label and was never predicted"),
    )


def _values(share: Share, tally: Tally, vocabulary: Vocabulary) -> Values:
    occurring, by_class = tally.occurring, share.by_class
    names = [name for name, occurs in zip(vocabulary.classes, occurring, strict=True) if occurs]
    macro = float(by_class[occurring].mean())
    overall = None if vocabulary.undecided else macro
    if vocabulary.positive is not None:
        overall = float(by_class[vocabulary.place(vocabulary.positive)])
    return {
        share.column: {
            "one_vs_all": dict(zip(names, by_class[occurring].tolist(), strict=True)),
            "macro": macro,
            "weighted": float(np.average(by_class, weights=tally.labelled)),
        },
        share.overall: overall,
    }


def _reasons(share: Share, tally: Tally, vocabulary: Vocabulary) -> Reasons:
    reasons: Reasons = {}
    empty = [vocabulary.classes[place] for place in np.flatnonzero(tally.occurring & (share.whole == 0))]
    if empty:
        reasons[share.column] = _counted_as_zero(empty[0], share, others=len(empty) - 1)
    positive = vocabulary.positive
    if vocabulary.undecided:
        reasons[share.overall] = vocabulary.undecided
    elif positive is not None and not share.whole[vocabulary.place(positive)]:
        reasons[share.overall] = _counted_as_zero(positive, share)
    elif positive is None and empty:
        reasons[share.overall] = reasons[share.column]
    return reasons


def _counted_as_zero(name: str, share: Share, *, others: int = 0) -> str:
    more = f" (and {others} more)" if others else ""
    return f"class {name!r}{more} {share.empty}: counts as 0"
