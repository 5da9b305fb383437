import numpy as np
import pyarrow as pa
import pytest
from sklearn import metrics


@pytest.fixture(scope="module")
def ten_thousand():
    random = np.random.default_rng(4)
    labels = np.concatenate([np.arange(10_000), random.integers(0, 10_000, 30_000)])
    return labels, np.where(random.random(40_000) < 0.5, labels, random.integers(0, 10_000, 40_000))


def test_ten_thousand_classes_are_measured_one_by_one(classification, ten_thousand):
    labels, answers = ten_thousand
    result = classification(prediction_proba_col=None).quality(
        pa.table({"label": labels, "prediction": answers})
    )
    assert len(result.values["recall"]["one_vs_all"]) == 10_000
    expected = metrics.f1_score(labels, answers, average="macro", zero_division=0)
    assert result.values["f1_overall"] == pytest.approx(expected, rel=1e-9)


def test_a_confusion_matrix_that_is_too_large_is_left_out_and_says_so(classification, ten_thousand):
    labels, answers = ten_thousand
    result = classification(prediction_proba_col=None).quality(
        pa.table({"label": labels, "prediction": answers})
    )
    cells = len({*zip(labels.tolist(), answers.tolist(), strict=True)})
    assert result.values["confusion_matrix"] is None
    assert result.reasons["confusion_matrix"] == (
        f"{cells} pairs of label and prediction occur: more than 10000 are not stored"
    )


def test_a_hundred_classes_have_a_whole_confusion_matrix(classification):
    names = np.arange(100)
    rows = pa.table({"label": np.repeat(names, 100), "prediction": np.tile(names, 100)})
    assert len(classification().quality(rows).values["confusion_matrix"]) == 10_000


def test_maps_of_too_many_classes_are_refused_before_they_fill_the_memory(classification, ten_thousand):
    labels, _ = ten_thousand
    maps = pa.MapArray.from_arrays(
        np.arange(40_001, dtype=np.int32), pa.array(labels), pa.array(np.ones(40_000))
    )
    result = classification().quality(pa.table({"label": labels, "prediction": labels, "proba": maps}))
    why = "10000 classes in 40000 rows are more probabilities than fit into memory"
    assert result.values["accuracy_score"] == 1
    assert result.reasons["log_loss"] == result.reasons["reliability"] == why


def test_few_probabilities_beside_many_labels_are_refused_as_well(classification, ten_thousand):
    labels, _ = ten_thousand
    proba = pa.array([{"0": 0.5, "1": 0.5}] * 40_000)
    result = classification().quality(pa.table({"label": labels, "prediction": labels, "proba": proba}))
    assert result.values["accuracy_score"] == 1
    assert result.reasons["brier_score"].startswith("10000 classes in 40000 rows are more")
