import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lakemon_classification.metrics.ranking import Ranking, Scored
from sklearn import metrics

rows = st.lists(
    st.tuples(st.booleans(), st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0]) | st.floats(0, 1)), max_size=40
)


def ranking_of(positive, scores):
    return Ranking.of([Scored(positive, scores)])


def ranks_of(positive, scores):
    return ranking_of(positive, scores).ranks()


@given(rows)
def test_ranking_agrees_with_scikit_learn_with_ties(rows):
    positive = np.array([label for label, _ in rows], dtype=bool)
    scores = np.array([score for _, score in rows])
    if not positive.any():
        assert math.isnan(ranks_of(positive, scores).average_precision())
        assert math.isnan(ranks_of(positive, scores).roc_auc)
        return
    assert ranks_of(positive, scores).average_precision() == pytest.approx(
        metrics.average_precision_score(positive, scores), rel=1e-9
    )
    if positive.all():
        assert math.isnan(ranks_of(positive, scores).roc_auc)
    else:
        assert ranks_of(positive, scores).roc_auc == pytest.approx(
            metrics.roc_auc_score(positive, scores), rel=1e-9
        )
        assert ranks_of(positive, scores).roc_auc + ranks_of(positive, -scores).roc_auc == pytest.approx(1)


@given(rows, st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_no_ranking(rows, random):
    shuffled = random.sample(rows, len(rows))
    found = []
    for order in (rows, shuffled):
        positive = np.array([label for label, _ in order], dtype=bool)
        scores = np.array([score for _, score in order])
        found.append(
            (
                repr(ranks_of(positive, scores).roc_auc),
                repr(ranks_of(positive, scores).average_precision()),
            )
        )
    assert found[0] == found[1]


def brute_force_delong(positive, scores):
    hits, others = scores[positive], scores[~positive]
    wins = (hits[:, None] > others) + (hits[:, None] == others) / 2
    return np.var(wins.mean(axis=1), ddof=1) / len(hits) + np.var(wins.mean(axis=0), ddof=1) / len(others)


@given(rows.filter(bool))
def test_the_variance_of_the_auc_is_delongs(rows):
    positive = np.array([label for label, _ in rows], dtype=bool)
    scores = np.array([score for _, score in rows])
    ranking = ranking_of(positive, scores)
    ranks = ranking.ranks()
    if min(positive.sum(), (~positive).sum()) < 2:
        assert math.isnan(ranks.auc_variance())
        return
    expected = pytest.approx(brute_force_delong(positive, scores), rel=1e-9, abs=1e-15)
    influence = ranking.auc_influence(ranks.roc_auc)
    assert ranks.auc_variance() == expected
    assert np.square(influence).sum() == expected
    assert influence[ranking.positive].sum() == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("digits", [0, 1, 4, 5, 6, 7, 17])
def test_rankings_of_many_rows_agree_with_scikit_learn_whether_they_tie_or_not(digits):
    random = np.random.default_rng(digits)
    scores = random.random(80_000).round(digits)
    positive = random.random(80_000) < 0.2 + scores / 2
    ranking = ranking_of(positive, scores)
    found = ranking.ranks()
    assert found.roc_auc == pytest.approx(metrics.roc_auc_score(positive, scores), rel=1e-9)
    assert found.average_precision() == pytest.approx(
        metrics.average_precision_score(positive, scores), rel=1e-9
    )
    below, among = (np.searchsorted(np.sort(scores[~positive]), scores, side) for side in ("left", "right"))
    beaten = (below + among)[positive] / 2 / (~positive).sum()
    lower, same = (np.searchsorted(np.sort(scores[positive]), scores, side) for side in ("left", "right"))
    beating = 1 - (lower + same)[~positive] / 2 / positive.sum()
    expected = beaten.var(ddof=1) / len(beaten) + beating.var(ddof=1) / len(beating)
    assert found.auc_variance() == pytest.approx(expected, rel=1e-9)
    assert np.square(ranking.auc_influence(found.roc_auc)).sum() == pytest.approx(expected, rel=1e-9)


def test_scores_keep_their_flags_whatever_their_sign_and_size():
    scores = np.array([0.0, -0.0, 5e-324, 1.0, np.inf, 1.0, 0.0])
    positive = np.array([True, False, False, True, True, False, False])
    found = ranking_of(positive, scores)
    assert found.scores.tolist() == [0, 0, 0, 5e-324, 1, 1, np.inf]
    assert found.positive.tolist() == [False, False, True, False, False, True, True]
    mirrored = ranking_of(positive, -scores)
    assert mirrored.scores.tolist() == (-found.scores[::-1]).tolist()
    assert mirrored.ranks().roc_auc == pytest.approx(1 - found.ranks().roc_auc)
