import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lakemon_classification.metrics.ranking import Ranking
from sklearn import metrics

rows = st.lists(
    st.tuples(st.booleans(), st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0]) | st.floats(0, 1)), max_size=40
)


@given(rows)
def test_ranking_agrees_with_scikit_learn_with_ties(rows):
    positive = np.array([label for label, _ in rows], dtype=bool)
    scores = np.array([score for _, score in rows])
    if not positive.any():
        assert math.isnan(Ranking.of(positive, scores).average_precision())
        assert math.isnan(Ranking.of(positive, scores).roc_auc())
        return
    assert Ranking.of(positive, scores).average_precision() == pytest.approx(
        metrics.average_precision_score(positive, scores), rel=1e-9
    )
    if positive.all():
        assert math.isnan(Ranking.of(positive, scores).roc_auc())
    else:
        assert Ranking.of(positive, scores).roc_auc() == pytest.approx(
            metrics.roc_auc_score(positive, scores), rel=1e-9
        )
        assert Ranking.of(positive, scores).roc_auc() + Ranking.of(
            positive, -scores
        ).roc_auc() == pytest.approx(1)


@given(rows, st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_no_ranking(rows, random):
    shuffled = random.sample(rows, len(rows))
    found = []
    for order in (rows, shuffled):
        positive = np.array([label for label, _ in order], dtype=bool)
        scores = np.array([score for _, score in order])
        found.append(
            (
                repr(Ranking.of(positive, scores).roc_auc()),
                repr(Ranking.of(positive, scores).average_precision()),
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
    ranking = Ranking.of(positive, scores)
    if min(positive.sum(), (~positive).sum()) < 2:
        assert math.isnan(ranking.auc_variance())
        return
    expected = pytest.approx(brute_force_delong(positive, scores), rel=1e-9, abs=1e-15)
    assert ranking.auc_variance() == expected
    assert np.square(ranking.auc_influence()).sum() == expected
    assert ranking.auc_influence()[ranking.positive].sum() == pytest.approx(0, abs=1e-9)
