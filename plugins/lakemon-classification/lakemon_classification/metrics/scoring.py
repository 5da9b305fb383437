"""Probabilities against labels: log loss, Brier score, calibration, and how well they rank."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import reduce
from operator import add

import numpy as np
import numpy.typing as npt

from lakemon_classification.metrics import calibration
from lakemon_classification.metrics.calibration import calibration_metrics
from lakemon_classification.metrics.findings import Findings, effective_wilson
from lakemon_classification.metrics.ranking import Block, Ranking, Ranks, Scored
from lakemon_classification.probabilities import Probabilities, too_many
from lakemon_classification.readings import Group
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


def score_metrics(group: Group, classes: Codes, vocabulary: Vocabulary) -> Findings:
    """Returns the metrics of probabilities.

    Only rows with a label and all their probabilities count. Probabilities outside of 0 to 1 still rank, but
    have no loss and no calibration.

    Args:
        group: the rows.
        classes: of each class of the labels its position in the vocabulary, then -1 for null.
        vocabulary: the classes.
    """
    probabilities = group.readings.probabilities
    if probabilities is None:
        return Findings.none(ESTIMATES, CELLS, "the table has no probabilities")
    problem = probabilities.problem or vocabulary.undecided
    problem = problem or _mismatch(group.rows, probabilities, vocabulary)
    if not problem and not group.judged:
        problem = "no row has both a label and a probability"
    if problem:
        return Findings.none(ESTIMATES, CELLS, problem)
    impossible = group.impossible
    if vocabulary.positive is None:
        found = _of_many(group, classes, vocabulary, proper=not impossible)
    else:
        found = _of_two(group, classes, vocabulary, vocabulary.positive, proper=not impossible)
    if impossible:
        why = f"{impossible} rows have probabilities outside of 0 to 1"
        found.append(Findings.none(_PROPER, calibration.CELLS, why))
    return Findings.all(found)


def _mismatch(rows: int, probabilities: Probabilities, vocabulary: Vocabulary) -> str:
    if vocabulary.positive is None:
        count = len(vocabulary.classes)
        if not probabilities.names:
            return f"one probability a row needs two classes, but there are {count}"
        return too_many(rows, count)
    names = [vocabulary.read(name) for name in probabilities.names]
    if names and vocabulary.positive not in names:
        return f"the probabilities name no class {vocabulary.positive!r}"
    return ""


def _of_two(
    group: Group, classes: Codes, vocabulary: Vocabulary, positive: str, *, proper: bool
) -> list[Findings]:
    """Measures the probability of the positive class, which is the only one unless they are named."""
    assert group.readings.probabilities is not None
    names = [vocabulary.read(name) for name in group.readings.probabilities.names]
    is_positive = classes == vocabulary.place(positive)
    ranking = Ranking.of(group.scored(names.index(positive) if names else 0, is_positive))
    if not proper:
        return [_one_ranking(ranking.ranks(), positive)]
    blocks = [(Ranks.of(block.standing()), TwoClasses.of(block)) for block in ranking.blocks()]
    losses = reduce(add, (losses for _, losses in blocks))
    ranks = Ranks.added(ranks for ranks, _ in blocks)
    return [_one_ranking(ranks, positive), losses.findings, calibration_metrics(ranking)]


def _of_many(group: Group, classes: Codes, vocabulary: Vocabulary, *, proper: bool) -> list[Findings]:
    """Measures the probabilities of each class, 0 where it is not named."""
    assert group.readings.probabilities is not None
    truth, shares = group.by_class(classes)
    names = [vocabulary.read(name) for name in group.readings.probabilities.names]
    if tuple(names) != vocabulary.classes:
        place, given = vocabulary.places, shares
        shares = np.zeros((len(vocabulary.classes), len(truth)))
        shares[[place[name] for name in names]] = given
    found = [_rankings(truth, shares, vocabulary.classes)]
    return [*found, _many_classes(truth, shares)] if proper else found


@dataclass(frozen=True, slots=True, eq=False)
class TwoClasses:
    """Losses of the probabilities of two classes. Those of blocks may be added.

    Attributes:
        log: of all rows.
        hits: Brier's, of the positive rows.
        misses: Brier's, of the others.
    """

    log: Sums
    hits: Sums
    misses: Sums

    @classmethod
    def of(cls, block: Block) -> TwoClasses:
        """Adds up the losses of a block."""
        hits = len(block.hits)
        of_truth, squares = np.empty(len(block.scores)), np.empty(len(block.scores))
        block.scores.take(block.hits, out=of_truth[:hits], mode="clip")
        block.scores.take(block.misses, out=squares[hits:], mode="clip")
        np.subtract(1, of_truth[:hits], out=squares[:hits])
        np.subtract(1, squares[hits:], out=of_truth[hits:])
        np.square(squares, out=squares)
        return cls(_log_loss(of_truth), Sums.of_losses(squares[:hits]), Sums.of_losses(squares[hits:]))

    def __add__(self, other: TwoClasses) -> TwoClasses:
        """Both."""
        return TwoClasses(self.log + other.log, self.hits + other.hits, self.misses + other.misses)

    @property
    def findings(self) -> Findings:
        """Means over all rows; the skill is against one probability for all, the share of positive rows."""
        rate = self.hits.rows / self.log.rows
        skill = self.hits.against((1 - rate) ** 2) + self.misses.against(rate**2)
        return _losses(self.log, self.hits + self.misses, skill)


def _one_ranking(ranks: Ranks, positive: str) -> Findings:
    positives, negatives = ranks.beaten.rows, ranks.beaten_by.rows
    if not positives:
        none = Estimate.unknown(f"no label is {positive!r}")
        return Findings.all([Findings({"average_precision": none}), _no_auc()])
    precision = Findings({"average_precision": Estimate(ranks.average_precision(), positives)})
    if not negatives:
        return Findings.all([precision, _no_auc()])
    auc, rarer = ranks.roc_auc, min(positives, negatives)
    estimate = _auc(auc, rarer, ranks.auc_variance(), rarer)
    cell = {"one_vs_all": {positive: auc}, "macro": auc, "weighted": auc}
    return Findings.all([precision, Findings({"roc_auc_score": estimate}, {"roc_auc_score": cell})])


def _many_classes(truth: Codes, shares: Floats) -> Findings:
    """Losses, and calibration of the likeliest class: is it right as often as its probability says."""
    rates = np.bincount(truth, minlength=len(shares)) / len(truth)
    right, confidence = np.empty(len(truth), dtype=np.bool_), np.empty(len(truth))

    def of_block(block: slice) -> dict[str, Sums]:
        return _many_losses(truth[block], shares[:, block], rates, right[block], confidence[block])

    sums = added(map(of_block, cut(len(truth))))
    losses = _losses(sums["log"], sums["brier"], sums["skill"])
    return Findings.all([losses, calibration_metrics(Ranking.of([Scored(right, confidence)]))])


def _many_losses(
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
    return {"log": _log_loss(of_truth), "brier": Sums.of(squares), "skill": Sums.of(squares, of_rates)}


def _rankings(truth: Codes, shares: Floats, classes: tuple[str, ...]) -> Findings:
    """ROC AUC and average precision of each class that has labels, against the rest, and their means."""
    counts = np.bincount(truth, minlength=len(classes))
    aucs: dict[str, float] = {}
    precisions: list[float] = []
    influence, of_class = np.zeros(len(truth)), np.empty(len(truth))
    for place in np.flatnonzero(counts):
        order = np.argsort(shares[place])
        ranking = Ranking(shares[place].take(order), (truth == place).take(order))
        ranks = ranking.ranks()
        aucs[classes[place]] = ranks.roc_auc
        precisions.append(ranks.average_precision())
        of_class[order] = ranking.auc_influence(ranks.roc_auc)
        influence += of_class
    missing = [classes[place] for place in np.flatnonzero(counts == 0)]
    why = f"class {missing[0]!r} has no label: there is no mean over classes" if missing else ""
    precision = Estimate.unknown(why) if why else Estimate(float(np.mean(precisions)), len(truth))
    found = Findings({"average_precision": precision})
    if len(aucs) < 2:
        return Findings.all([found, _no_auc()])
    macro = None if why else float(np.mean(list(aucs.values())))
    weighted = float(np.average(list(aucs.values()), weights=counts[counts > 0]))
    cell = {"one_vs_all": aucs, "macro": macro, "weighted": weighted}
    variance = float(np.square(influence / len(classes)).sum())
    fewest = int(np.minimum(counts, len(truth) - counts).min())
    estimate = Estimate.unknown(why) if macro is None else _auc(macro, len(truth), variance, fewest)
    return Findings.all([found, Findings({"roc_auc_score": estimate}, {"roc_auc_score": cell})])


def _auc(auc: float, n: int, variance: float, fewest: int) -> Estimate:
    """An AUC with DeLong's interval; none where a kind of rows is alone.

    Without variance, at 0 and 1, the rows of the rarer kind count: the variance is auc(1 - auc) / fewest at
    most (Birnbaum and Klose, 1957).
    """
    return Estimate(auc, n, None if math.isnan(variance) else effective_wilson(auc, variance, fewest))


def _no_auc() -> Findings:
    return Findings.none(["roc_auc_score"], ["roc_auc_score"], _ONE_CLASS)


def _log_loss(of_truth: Floats) -> Sums:
    """Adds up the log loss of rows from the probabilities of their labels, which are used up."""
    np.clip(of_truth, EPSILON, 1 - EPSILON, out=of_truth)
    np.log(of_truth, out=of_truth)
    return Sums.of_losses(np.negative(of_truth, out=of_truth))


def _losses(log: Sums, brier: Sums, skill: Sums) -> Findings:
    """Means of the rows' losses, with the normal interval of a mean."""
    return Findings({
        "log_loss": log.ratio(),
        "brier_score": brier.ratio(),
        "brier_skill_score": skill.ratio(zero=_ONE_CLASS).complement,
    })  # fmt: skip
