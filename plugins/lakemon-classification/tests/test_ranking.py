import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lakemon_classification.ranking import average_precision, roc_auc
from sklearn import metrics

rows = st.lists(
    st.tuples(st.booleans(), st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0]) | st.floats(0, 1)), max_size=40
)


@given(rows)
def test_ranking_agrees_with_scikit_learn_with_ties(rows):
    positive = np.array([label for label, _ in rows], dtype=bool)
    scores = np.array([score for _, score in rows])
    if not positive.any():
        assert math.isnan(average_precision(positive, scores))
        assert math.isnan(roc_auc(positive, scores))
        return
    assert average_precision(positive, scores) == pytest.approx(
        metrics.average_precision_score(positive, scores), rel=1e-9
    )
    if positive.all():
        assert math.isnan(roc_auc(positive, scores))
    else:
        assert roc_auc(positive, scores) == pytest.approx(metrics.roc_auc_score(positive, scores), rel=1e-9)
        assert roc_auc(positive, scores) + roc_auc(positive, -scores) == pytest.approx(1)


@given(rows, st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_no_ranking(rows, random):
    shuffled = random.sample(rows, len(rows))
    found = []
    for order in (rows, shuffled):
        positive = np.array([label for label, _ in order], dtype=bool)
        scores = np.array([score for _, score in order])
        found.append((repr(roc_auc(positive, scores)), repr(average_precision(positive, scores))))
    assert found[0] == found[1]
