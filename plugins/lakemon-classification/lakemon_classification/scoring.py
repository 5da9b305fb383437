"""Probabilities against labels: log loss, Brier score, and how well they rank."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from lakemon_classification.probabilities import Probabilities
from lakemon_classification.ranking import average_precision, roc_auc
from lakemon_classification.vocabulary import Codes, Vocabulary

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Values = dict[str, Any]
Reasons = dict[str, str]

NAMES = ("log_loss", "roc_auc_score", "brier_score", "average_precision")
EPSILON = float(np.finfo(np.float64).eps)
"""Log loss keeps probabilities 2.2e-16 away from 0 and 1, as scikit-learn does for doubles."""
_ONE_CLASS = "all labels are of one class: there is nothing to tell apart"
_PROPER = ("log_loss", "brier_score")


def score_metrics(
    truth: Codes, probabilities: Probabilities, vocabulary: Vocabulary
) -> tuple[Values, Reasons]:
    """Returns log loss, ROC AUC, Brier score and average precision, and why what is missing is missing.

    Only rows with a label and all their probabilities count. Probabilities outside of 0 to 1 still rank, but
    have no log loss and no Brier score.

    Args:
        truth: per row the position of its label among the classes, -1 without one.
        probabilities: of the same rows.
        vocabulary: the classes.
    """
    problem = probabilities.problem or vocabulary.undecided or _mismatch(probabilities, vocabulary)
    judged = (truth >= 0) & probabilities.known
    if not problem and not judged.any():
        problem = "no row has both a label and a probability"
    if problem:
        return {}, dict.fromkeys(NAMES, problem)
    shares = _aligned(probabilities, vocabulary)[judged]
    truth = truth[judged]
    if vocabulary.positive is not None:
        is_positive = truth == vocabulary.place(vocabulary.positive)
        values, reasons = _two_classes(is_positive, shares[:, 0], vocabulary.positive)
    else:
        values, reasons = _many_classes(truth, shares, vocabulary.classes)
    impossible = int(probabilities.impossible[judged].sum())
    if impossible:
        values |= dict.fromkeys(_PROPER)
        reasons |= dict.fromkeys(_PROPER, f"{impossible} rows have probabilities outside of 0 to 1")
    return values, reasons


def _mismatch(probabilities: Probabilities, vocabulary: Vocabulary) -> str:
    if vocabulary.positive is None:
        count = len(vocabulary.classes)
        return (
            "" if probabilities.names else f"one probability a row needs two classes, but there are {count}"
        )
    names = [vocabulary.read(name) for name in probabilities.names]
    if names and vocabulary.positive not in names:
        return f"the probabilities name no class {vocabulary.positive!r}"
    return ""


def _aligned(probabilities: Probabilities, vocabulary: Vocabulary) -> Floats:
    """One column of p(positive) for two classes, else one column a class, 0 where it is not named."""
    if not probabilities.names:
        return probabilities.matrix
    names = [vocabulary.read(name) for name in probabilities.names]
    if vocabulary.positive is not None:
        return probabilities.matrix[:, [names.index(vocabulary.positive)]]
    aligned = np.zeros((len(probabilities.matrix), len(vocabulary.classes)))
    aligned[:, [vocabulary.place(name) for name in names]] = probabilities.matrix
    return aligned


def _two_classes(is_positive: Flags, shares: Floats, positive: str) -> tuple[Values, Reasons]:
    values: Values = {
        "log_loss": _log_loss(np.where(is_positive, shares, 1 - shares)),
        "brier_score": float(np.square(shares - is_positive).mean()),
    }
    reasons: Reasons = {}
    if is_positive.any():
        values["average_precision"] = average_precision(is_positive, shares)
    else:
        reasons["average_precision"] = f"no label is {positive!r}"
    if is_positive.any() and not is_positive.all():
        auc = roc_auc(is_positive, shares)
        values["roc_auc_score"] = {"one_vs_all": {positive: auc}, "macro": auc, "weighted": auc}
    else:
        reasons["roc_auc_score"] = _ONE_CLASS
    return values, reasons


def _many_classes(truth: Codes, shares: Floats, classes: tuple[str, ...]) -> tuple[Values, Reasons]:
    is_class = truth[:, np.newaxis] == np.arange(len(classes))
    values: Values = {
        "log_loss": _log_loss(shares[np.arange(len(truth)), truth]),
        "brier_score": float(np.square(shares - is_class).sum(axis=1).mean()),
    }
    unlabelled = [name for name, labelled in zip(classes, is_class.any(axis=0), strict=True) if not labelled]
    reasons: Reasons = {}
    if unlabelled:
        why = f"class {unlabelled[0]!r} has no label"
        reasons = dict.fromkeys(
            ("roc_auc_score", "average_precision"), f"{why}: there is no mean over classes"
        )
    else:
        precisions = [average_precision(is_class[:, k], shares[:, k]) for k in range(len(classes))]
        values["average_precision"] = float(np.mean(precisions))
    if len(unlabelled) < len(classes) - 1:
        values["roc_auc_score"] = _one_vs_rest(is_class, shares, classes)
    else:
        reasons["roc_auc_score"] = _ONE_CLASS
    return values, reasons


def _one_vs_rest(is_class: npt.NDArray[np.bool_], shares: Floats, classes: tuple[str, ...]) -> Values:
    """ROC AUC of each class that has labels; the mean weighted by labels, and the plain one if all have."""
    labelled = np.flatnonzero(is_class.any(axis=0))
    aucs = [roc_auc(is_class[:, k], shares[:, k]) for k in labelled]
    return {
        "one_vs_all": {classes[k]: auc for k, auc in zip(labelled, aucs, strict=True)},
        "macro": float(np.mean(aucs)) if len(aucs) == len(classes) else None,
        "weighted": float(np.average(aucs, weights=is_class[:, labelled].sum(axis=0))),
    }


def _log_loss(of_truth: Floats) -> float:
    """Mean of -ln of each row's probability of its own label."""
    return float(-np.log(np.clip(of_truth, EPSILON, 1 - EPSILON)).mean())
