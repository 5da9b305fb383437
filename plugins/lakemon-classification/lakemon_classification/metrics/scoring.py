"""Probabilities against labels: log loss, Brier score, calibration, and how well they rank."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import numpy.typing as npt

from lakemon_classification.metrics import calibration
from lakemon_classification.metrics.calibration import calibration_metrics
from lakemon_classification.metrics.findings import Findings, effective_wilson
from lakemon_classification.metrics.ranking import Ranking
from lakemon_classification.probabilities import Probabilities, too_many
from lakemon_classification.vocabulary import Codes, Vocabulary
from lakemon_core.domain.estimate import Estimate
from lakemon_core.profiling.quality.estimates import mean_of, ratio_of

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

_PROPER = ("log_loss", "brier_score", "brier_skill_score", *calibration.ESTIMATES)
"""What only numbers between 0 and 1 have."""
ESTIMATES = (*_PROPER, "roc_auc_score", "average_precision")
CELLS = ("roc_auc_score", *calibration.CELLS)
EPSILON = float(np.finfo(np.float64).eps)
"""Log loss keeps probabilities 2.2e-16 away from 0 and 1, as scikit-learn does for doubles."""
_ONE_CLASS = "all labels are of one class: there is nothing to tell apart"


def score_metrics(truth: Codes, probabilities: Probabilities, vocabulary: Vocabulary) -> Findings:
    """Returns the metrics of probabilities.

    Only rows with a label and all their probabilities count. Probabilities outside of 0 to 1 still rank, but
    have no loss and no calibration.

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
        return Findings.none(ESTIMATES, CELLS, problem)
    shares = _aligned(probabilities, vocabulary)
    if not judged.all():
        shares, truth = shares[judged], truth[judged]
    if vocabulary.positive is None:
        found = _rankings(truth, shares, vocabulary.classes)
        proper = partial(_many_classes, truth, shares)
    else:
        is_positive = truth == vocabulary.place(vocabulary.positive)
        ranking = Ranking.of(is_positive, shares[:, 0])
        found = _one_ranking(ranking, vocabulary.positive)
        proper = partial(_two_classes, is_positive, shares[:, 0], ranking)
    impossible = int((probabilities.impossible & judged).sum())
    if impossible:
        why = f"{impossible} rows have probabilities outside of 0 to 1"
        return found | Findings.none(_PROPER, calibration.CELLS, why)
    return found | proper()


def _mismatch(probabilities: Probabilities, vocabulary: Vocabulary) -> str:
    if vocabulary.positive is None:
        count = len(vocabulary.classes)
        if not probabilities.names:
            return f"one probability a row needs two classes, but there are {count}"
        return too_many(len(probabilities.matrix), count)
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
    if tuple(names) == vocabulary.classes:
        return probabilities.matrix
    place = vocabulary.places
    aligned = np.zeros((len(probabilities.matrix), len(vocabulary.classes)))
    aligned[:, [place[name] for name in names]] = probabilities.matrix
    return aligned


def _two_classes(is_positive: Flags, shares: Floats, ranking: Ranking) -> Findings:
    of_truth = np.where(is_positive, shares, 1 - shares)
    of_rates = np.square(is_positive - is_positive.mean())
    return _losses(of_truth, np.square(shares - is_positive), of_rates) | calibration_metrics(ranking)


def _one_ranking(ranking: Ranking, positive: str) -> Findings:
    if not ranking.positives:
        none = Estimate.unknown(f"no label is {positive!r}")
        return Findings({"average_precision": none}) | _no_auc()
    precision = Findings({"average_precision": Estimate(ranking.average_precision(), ranking.positives)})
    if not ranking.negatives:
        return precision | _no_auc()
    auc, rarer = ranking.roc_auc(), min(ranking.positives, ranking.negatives)
    estimate = _auc(auc, rarer, ranking.auc_variance(), rarer)
    cell = {"one_vs_all": {positive: auc}, "macro": auc, "weighted": auc}
    return precision | Findings({"roc_auc_score": estimate}, {"roc_auc_score": cell})


def _many_classes(truth: Codes, shares: Floats) -> Findings:
    """Losses, and calibration of the likeliest class: is it right as often as its probability says."""
    rows = np.arange(len(truth))
    rates = np.bincount(truth, minlength=shares.shape[1]) / len(truth)
    miss = shares.copy()
    miss[rows, truth] -= 1
    squares = np.einsum("ij,ij->i", miss, miss)
    top = shares.argmax(axis=1)
    confidence = Ranking.of(top == truth, shares[rows, top])
    of_rates = 1 - 2 * rates[truth] + np.square(rates).sum()
    return _losses(shares[rows, truth], squares, of_rates) | calibration_metrics(confidence)


def _rankings(truth: Codes, shares: Floats, classes: tuple[str, ...]) -> Findings:
    """ROC AUC and average precision of each class that has labels, against the rest, and their means."""
    counts = np.bincount(truth, minlength=len(classes))
    aucs: dict[str, float] = {}
    precisions: list[float] = []
    influence = np.zeros(len(truth))
    for place in np.flatnonzero(counts):
        ranking = Ranking.of(truth == place, shares[:, place])
        aucs[classes[place]] = ranking.roc_auc()
        precisions.append(ranking.average_precision())
        influence += ranking.auc_influence()
    missing = [classes[place] for place in np.flatnonzero(counts == 0)]
    why = f"class {missing[0]!r} has no label: there is no mean over classes" if missing else ""
    precision = Estimate.unknown(why) if why else Estimate(float(np.mean(precisions)), len(truth))
    found = Findings({"average_precision": precision})
    if len(aucs) < 2:
        return found | _no_auc()
    macro = None if why else float(np.mean(list(aucs.values())))
    weighted = float(np.average(list(aucs.values()), weights=counts[counts > 0]))
    cell = {"one_vs_all": aucs, "macro": macro, "weighted": weighted}
    variance = float(np.square(influence / len(classes)).sum())
    fewest = int(np.minimum(counts, len(truth) - counts).min())
    estimate = Estimate.unknown(why) if macro is None else _auc(macro, len(truth), variance, fewest)
    return found | Findings({"roc_auc_score": estimate}, {"roc_auc_score": cell})


def _auc(auc: float, n: int, variance: float, fewest: int) -> Estimate:
    """An AUC with DeLong's interval; none where a kind of rows is alone.

    Without variance, at 0 and 1, the rows of the rarer kind count: the variance is auc(1 - auc) / fewest at
    most (Birnbaum and Klose, 1957).
    """
    return Estimate(auc, n, None if math.isnan(variance) else effective_wilson(auc, variance, fewest))


def _no_auc() -> Findings:
    return Findings.none(["roc_auc_score"], ["roc_auc_score"], _ONE_CLASS)


def _losses(of_truth: Floats, squares: Floats, of_rates: Floats) -> Findings:
    """Means of the rows' losses, with the normal interval of a mean.

    Args:
        of_truth: each row's probability of its own label.
        squares: Brier's loss of each row.
        of_rates: the same, were the probabilities the shares of the labels.
    """
    return Findings({
        "log_loss": mean_of(-np.log(np.clip(of_truth, EPSILON, 1 - EPSILON))),
        "brier_score": mean_of(squares),
        "brier_skill_score": ratio_of(squares, of_rates, zero=_ONE_CLASS).complement,
    })  # fmt: skip
