"""Probabilities against labels: log loss, Brier score, calibration, and how well they rank."""

from __future__ import annotations

import math
from collections.abc import Mapping
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
from lakemon_core.profiling.quality.estimates import Sums, added, cut

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
        rows = np.flatnonzero(judged)
        shares, truth = shares.take(rows, axis=1), truth.take(rows)
    if vocabulary.positive is None:
        found = _rankings(truth, shares, vocabulary.classes)
        proper = partial(_many_classes, truth, shares)
    else:
        is_positive = truth == vocabulary.place(vocabulary.positive)
        ranking = Ranking.of(is_positive, shares[0])
        found = _one_ranking(ranking, vocabulary.positive)
        proper = partial(_two_classes, ranking)
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
        return too_many(probabilities.rows, count)
    names = [vocabulary.read(name) for name in probabilities.names]
    if names and vocabulary.positive not in names:
        return f"the probabilities name no class {vocabulary.positive!r}"
    return ""


def _aligned(probabilities: Probabilities, vocabulary: Vocabulary) -> Floats:
    """One row of p(positive) for two classes, else one a class, 0 where it is not named."""
    if not probabilities.names:
        return probabilities.by_class
    names = [vocabulary.read(name) for name in probabilities.names]
    if vocabulary.positive is not None:
        return probabilities.by_class[[names.index(vocabulary.positive)]]
    if tuple(names) == vocabulary.classes:
        return probabilities.by_class
    place = vocabulary.places
    aligned = np.zeros((len(vocabulary.classes), probabilities.rows))
    aligned[[place[name] for name in names]] = probabilities.by_class
    return aligned


def _two_classes(ranking: Ranking) -> Findings:
    rate = ranking.positives / len(ranking.scores)
    sums = added(
        _of_two(ranking.positive[block], ranking.scores[block], rate) for block in cut(len(ranking.scores))
    )
    return _losses(sums) | calibration_metrics(ranking)


def _of_two(is_positive: Flags, shares: Floats, rate: float) -> dict[str, Sums]:
    truth = is_positive.astype(np.float64)
    of_truth = np.abs(shares - (1 - truth))
    return _loss_sums(of_truth, np.square(shares - truth), np.square(truth - rate))


def _one_ranking(ranking: Ranking, positive: str) -> Findings:
    if not ranking.positives:
        none = Estimate.unknown(f"no label is {positive!r}")
        return Findings({"average_precision": none}) | _no_auc()
    precision = Findings({"average_precision": Estimate(ranking.average_precision(), ranking.positives)})
    if not ranking.negatives:
        return precision | _no_auc()
    auc, rarer = ranking.roc_auc, min(ranking.positives, ranking.negatives)
    estimate = _auc(auc, rarer, ranking.auc_variance(), rarer)
    cell = {"one_vs_all": {positive: auc}, "macro": auc, "weighted": auc}
    return precision | Findings({"roc_auc_score": estimate}, {"roc_auc_score": cell})


def _many_classes(truth: Codes, shares: Floats) -> Findings:
    """Losses, and calibration of the likeliest class: is it right as often as its probability says."""
    rates = np.bincount(truth, minlength=len(shares)) / len(truth)
    right, confidence = np.empty(len(truth), dtype=np.bool_), np.empty(len(truth))

    def of_block(block: slice) -> dict[str, Sums]:
        return _of_many(truth[block], shares[:, block], rates, right[block], confidence[block])

    sums = added(map(of_block, cut(len(truth))))
    return _losses(sums) | calibration_metrics(Ranking.of(right, confidence))


def _of_many(
    truth: Codes, shares: Floats, rates: Floats, right: Flags, confidence: Floats
) -> dict[str, Sums]:
    """Sums the losses; fills in whether the likeliest class, the first of equals, is right, and its share."""
    right[:], confidence[:] = False, -1
    of_truth, squares = np.zeros(len(truth)), np.zeros(len(truth))
    for place, share in enumerate(shares):
        mine = truth == place
        of_truth += share * mine
        squares += np.square(share - mine)
        better = share > confidence
        right &= ~better
        right |= better & mine
        np.maximum(confidence, share, out=confidence)
    of_rates = 1 - 2 * rates[truth] + np.square(rates).sum()
    return _loss_sums(of_truth, squares, of_rates)


def _rankings(truth: Codes, shares: Floats, classes: tuple[str, ...]) -> Findings:
    """ROC AUC and average precision of each class that has labels, against the rest, and their means."""
    counts = np.bincount(truth, minlength=len(classes))
    aucs: dict[str, float] = {}
    precisions: list[float] = []
    influence, of_class = np.zeros(len(truth)), np.empty(len(truth))
    for place in np.flatnonzero(counts):
        order = np.argsort(shares[place])
        ranking = Ranking.of_sorted((truth == place).take(order), shares[place].take(order))
        aucs[classes[place]] = ranking.roc_auc
        precisions.append(ranking.average_precision())
        of_class[order] = ranking.auc_influence()
        influence += of_class
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


def _loss_sums(of_truth: Floats, squares: Floats, of_rates: Floats) -> dict[str, Sums]:
    """Adds up the losses of rows.

    Args:
        of_truth: each row's probability of its own label.
        squares: Brier's loss of each row.
        of_rates: the same, were the probabilities the shares of the labels.
    """
    return {
        "log": Sums.of(-np.log(np.clip(of_truth, EPSILON, 1 - EPSILON))),
        "brier": Sums.of(squares),
        "skill": Sums.of(squares, of_rates),
    }


def _losses(sums: Mapping[str, Sums]) -> Findings:
    """Means of the rows' losses, with the normal interval of a mean."""
    return Findings({
        "log_loss": sums["log"].ratio(),
        "brier_score": sums["brier"].ratio(),
        "brier_skill_score": sums["skill"].ratio(zero=_ONE_CLASS).complement,
    })  # fmt: skip
