"""Intervals hold the truth in about 95 of 100 samples; the truth is that of the pool they are drawn from."""

import numpy as np
import pyarrow as pa
import pytest
from sklearn import metrics

SAMPLES = 600


@pytest.fixture(scope="module")
def two_classes():
    random = np.random.default_rng(1)
    scores = random.beta(1.5, 3, 20_000)
    labels = (random.random(20_000) < scores**1.2).astype(int)
    return pa.table({"label": labels, "prediction": (scores > 0.45).astype(int), "proba": scores.round(2)})


@pytest.fixture(scope="module")
def three_classes():
    random = np.random.default_rng(2)
    shares = random.dirichlet([3, 2, 1], 20_000)
    labels = (shares.cumsum(axis=1) > random.random((20_000, 1))).argmax(axis=1)
    proba = pa.FixedSizeListArray.from_arrays(pa.array(shares.ravel()), 3)
    return pa.table({"label": labels, "prediction": shares.argmax(axis=1), "proba": proba})


def coverage(model_type, pool, rows):
    """Share of samples whose interval holds the value of the pool, by metric."""
    values = model_type.quality(pool).values
    truth = {}
    for metric in model_type.metrics:
        value = values[metric.column]
        truth[metric.name] = value["macro"] if isinstance(value, dict) else value
    random = np.random.default_rng(3)
    held = {}
    for _ in range(SAMPLES):
        sample = pool.take(pa.array(random.integers(0, len(pool), rows)))
        for name, (low, high) in model_type.quality(sample).intervals.items():
            held.setdefault(name, []).append(low <= truth[name] <= high)
    assert all(len(found) == SAMPLES for found in held.values())
    return {name: np.mean(found) for name, found in held.items()}


WITH_INTERVAL = {
    "accuracy", "balanced_accuracy", "precision", "recall", "f1", "kappa", "roc_auc", "log_loss", "brier",
    "brier_skill",
}  # fmt: skip


@pytest.mark.parametrize("rows", [60, 300])
def test_intervals_of_two_classes_hold_the_truth(classification, two_classes, rows):
    found = coverage(classification(), two_classes, rows)
    assert set(found) == WITH_INTERVAL
    assert {name: share for name, share in found.items() if not 0.92 <= share <= 0.98} == {}


def test_intervals_of_more_classes_hold_the_truth(classification, three_classes):
    found = coverage(classification(classes=[0, 1, 2]), three_classes, 300)
    assert set(found) == WITH_INTERVAL
    assert {name: share for name, share in found.items() if not 0.92 <= share <= 0.98} == {}


def test_intervals_rest_on_the_rows_that_a_metric_is_made_of(classification):
    labels, answers = [1, 1, 1, 0, 0, 0, 0, 0], [1, 0, 0, 1, 1, 0, 0, None]
    proba = [0.9, 0.2, 0.3, 0.8, 0.7, 0.1, 0.2, 0.4]
    result = classification().quality(pa.table({"label": labels, "prediction": answers, "proba": proba}))
    assert result.n == 8
    assert result.counts == {
        "accuracy": 7, "balanced_accuracy": 7, "kappa": 7, "precision": 3, "recall": 3, "f1": 5, "roc_auc": 3,
        "average_precision": 3,
    }  # fmt: skip


def test_perfect_answers_are_not_certain(classification):
    rows = pa.table({"label": [1, 0] * 10, "prediction": [1, 0] * 10, "proba": [0.9, 0.1] * 10})
    intervals = classification().quality(rows).intervals
    for name in ("accuracy", "precision", "recall", "f1", "roc_auc"):
        low, high = intervals[name]
        assert 0.6 < low < 0.93
        assert high == pytest.approx(1)
    names = list("abc") * 10
    for name, (low, high) in (
        classification().quality(pa.table({"label": names, "prediction": names})).intervals.items()
    ):
        assert name == "kappa" or 0.6 < low < 0.93
        assert high == pytest.approx(1)


def test_one_row_of_a_kind_has_an_auc_without_an_interval(classification):
    rows = pa.table({"label": [1, 0, 0], "prediction": [1, 0, 0], "proba": [0.5, 0.1, 0.7]})
    result = classification().quality(rows)
    assert result.values["roc_auc_score"]["macro"] == 0.5
    assert "roc_auc" not in result.intervals


def test_kappa_agrees_with_scikit_learn(classification, two_classes, three_classes):
    for rows in (two_classes, three_classes):
        labels, answers = rows["label"].to_numpy(), rows["prediction"].to_numpy()
        found = classification(prediction_proba_col=None).quality(rows).values["cohen_kappa"]
        assert found == pytest.approx(metrics.cohen_kappa_score(labels, answers), rel=1e-9)


@pytest.mark.parametrize(("label", "prediction"), [([1, 1], [1, 1]), ([0, 0, 0], [0, 0, 0])])
def test_one_class_alone_has_no_kappa(classification, label, prediction):
    result = classification().quality(pa.table({"label": label, "prediction": prediction}))
    assert result.values["cohen_kappa"] is None
    assert "chance alone agrees" in result.reasons["cohen_kappa"]


def test_the_brier_skill_of_the_label_shares_is_zero(classification):
    rows = pa.table({"label": [1, 0, 0, 0], "prediction": [0] * 4, "proba": [0.25] * 4})
    assert classification().quality(rows).values["brier_skill_score"] == pytest.approx(0, abs=1e-12)
    better = pa.table({"label": [1, 0, 0, 0], "prediction": [0] * 4, "proba": [1.0, 0.0, 0.0, 0.0]})
    assert classification().quality(better).values["brier_skill_score"] == 1
    one_class = pa.table({"label": [1, 1], "prediction": [1, 1], "proba": [0.5, 0.6]})
    assert "one class" in classification().quality(one_class).reasons["brier_skill_score"]
