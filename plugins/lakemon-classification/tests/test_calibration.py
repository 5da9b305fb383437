import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lakemon_classification.metrics.calibration import Bins
from lakemon_classification.metrics.ranking import Ranking, Scored
from sklearn.calibration import calibration_curve

from lakemon_core.profiling.schemas import profile_schema

BETWEEN_EDGES = st.floats(0, 1).filter(lambda p: abs(p * 10 - round(p * 10)) > 1e-9) | st.just(1.0)


def close(value):
    return pytest.approx(value, rel=1e-9, abs=1e-12)


def bins_of(labels, scores, strategy="uniform", bins=10):
    ranking = Ranking.of([Scored(np.array(labels, dtype=bool), np.array(scores, dtype=float))])
    return Bins.equal_width(ranking, bins) if strategy == "uniform" else Bins.equal_mass(ranking, bins)


@pytest.mark.parametrize(
    ("name", "strategy", "bins"),
    [("G_ece_width5", "uniform", 5), ("G_ece_width10", "uniform", 10), ("G_ece_mass5", "quantile", 5)],
)
def test_golden_errors(golden, name, strategy, bins):
    assert bins_of(golden["G_y"], golden["G_p"], strategy, bins).error == close(golden[name])


def expect_the_bins_of_scikit_learn(labels, scores, strategy):
    found = bins_of(labels, scores, strategy)
    observed, predicted = calibration_curve(labels, scores, n_bins=10, strategy=strategy, pos_label=True)
    assert (found.hits / found.counts).tolist() == close(observed.tolist())
    assert found.predicted.tolist() == close(predicted.tolist())
    assert found.counts.sum() == len(labels)


@given(st.lists(st.tuples(st.booleans(), BETWEEN_EDGES), min_size=1, max_size=60))
def test_bins_of_one_width_are_those_of_scikit_learn(rows):
    expect_the_bins_of_scikit_learn([label for label, _ in rows], [score for _, score in rows], "uniform")


@pytest.mark.parametrize("seed", range(5))
def test_bins_of_one_mass_are_those_of_scikit_learn(seed):
    random = np.random.default_rng(seed)
    scores = random.beta(1 + seed, 2, 602)  # 601 is prime: no quantile is one of the scores
    expect_the_bins_of_scikit_learn(random.random(602) < scores, scores, "quantile")


@pytest.mark.parametrize("place", range(10))
def test_a_bin_holds_its_lower_edge(place):
    found = bins_of([True], [place / 10])
    assert (found.lower[0], found.upper[0]) == (place / 10, (place + 1) / 10)


def test_equal_probabilities_share_a_bin_of_one_mass():
    found = bins_of([True, False, True, True], [0.3, 0.3, 0.3, 0.9], "quantile")
    assert found.counts.tolist() == [3, 1]


def test_both_errors_and_the_diagram_are_measured_for_two_classes(classification, golden):
    rows = pa.table({"label": golden["G_y"], "prediction": [0] * 10, "proba": golden["G_p"]})
    result = classification().quality(rows)
    assert result.values["expected_calibration_error"] == close(golden["G_ece_width10"])
    mass = bins_of(golden["G_y"], golden["G_p"], "quantile")
    assert result.values["calibration_error_equal_mass"] == close(mass.error)
    diagram = result.values["reliability"]
    assert sum(one["count"] for one in diagram) == 10
    assert all(one["lower"] <= one["predicted"] <= one["upper"] for one in diagram)
    assert all(one["observed_lower"] <= one["observed"] <= one["observed_upper"] for one in diagram)
    assert not {"ece", "ece_equal_mass", "ece_excess"} & result.intervals.keys()


def test_the_diagram_fits_the_profile_table(classification, golden):
    model_type = classification()
    rows = pa.table({"label": golden["G_y"], "prediction": [0] * 10, "proba": golden["G_p"]})
    result = model_type.quality(rows)
    schema = profile_schema("model_id", model_type.quality_fields())
    stored = pa.Table.from_pylist([dict(result.values)], schema=schema).to_pylist()[0]
    assert stored["reliability"] == result.values["reliability"]


def test_with_more_classes_the_likeliest_one_is_judged(classification):
    random = np.random.default_rng(5)
    shares = random.dirichlet([2, 1, 1], 400)
    labels = (shares.cumsum(axis=1) > random.random((400, 1))).argmax(axis=1)
    rows = pa.table({"label": labels, "prediction": shares.argmax(axis=1), "proba": shares.tolist()})
    result = classification(classes=[0, 1, 2]).quality(rows)
    expected = bins_of(shares.argmax(axis=1) == labels, shares.max(axis=1))
    assert result.values["expected_calibration_error"] == close(expected.error)
    assert result.values["reliability"] == expected.rows()


def test_right_probabilities_have_the_error_of_chance_and_no_excess_worth_naming():
    random = np.random.default_rng(6)
    errors, chances, excesses = [], [], []
    for _ in range(400):
        scores = random.random(200)
        found = bins_of(random.random(200) < scores, scores)
        errors.append(found.error)
        chances.append(found.error_by_chance)
        excesses.append(max(0.0, found.error - found.error_by_chance))
    assert np.mean(errors) > 0.07
    assert np.mean(chances) == pytest.approx(np.mean(errors), rel=0.05)
    assert np.mean(excesses) < 0.02


def test_the_excess_of_wrong_probabilities_stays(classification):
    random = np.random.default_rng(7)
    scores = random.random(5000)
    labels = (random.random(5000) < 0.5 + (scores - 0.5) / 3).astype(int)
    rows = pa.table({"label": labels, "prediction": labels, "proba": scores})
    values = classification().quality(rows).values
    assert values["expected_calibration_error"] == pytest.approx(1 / 6, abs=0.02)
    assert values["calibration_error_excess"] == pytest.approx(1 / 6, abs=0.03)


def test_impossible_probabilities_have_no_calibration(classification):
    rows = pa.table({"label": [0, 1, 1], "prediction": [0, 1, 1], "proba": [-math.inf, 0.5, 1.2]})
    result = classification().quality(rows)
    for name in ("expected_calibration_error", "reliability", "calibration_error_excess"):
        assert result.values[name] is None
        assert result.reasons[name] == "2 rows have probabilities outside of 0 to 1"
    assert result.values["roc_auc_score"]["macro"] == 1.0
