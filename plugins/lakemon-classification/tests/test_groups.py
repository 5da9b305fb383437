"""Groups that are made of the same parts are measured together to the numbers that each has alone."""

import numpy as np
import pyarrow as pa
import pytest
from lakemon_classification import Classification

ROWS = 400
PARTS = [slice(10, 100), slice(100, 101), slice(101, 250), slice(250, ROWS)]
GROUPS = [(0, 1, 2, 3), (0,), (1,), (3, 0), (1, 2)]


@pytest.fixture
def random():
    return np.random.default_rng(11)


def alone(model_type, rows, group):
    tables = [rows.slice(PARTS[number].start, PARTS[number].stop - PARTS[number].start) for number in group]
    return model_type.quality(pa.concat_tables(tables))


def expect_the_same(model_type, rows):
    found = model_type.quality_of_groups(rows, PARTS, GROUPS)
    assert found == [alone(model_type, rows, group) for group in GROUPS]
    return found


def some(random, values, share):
    return pa.array(values, mask=random.random(len(values)) < share)


@pytest.mark.parametrize("digits", [1, 17])
@pytest.mark.parametrize("missing", [0, 0.2])
def test_two_classes(classification, random, digits, missing):
    scores = random.random(ROWS).round(digits)
    labels = (random.random(ROWS) < scores).astype(int)
    rows = pa.table({
        "label": some(random, labels, missing),
        "prediction": some(random, (scores > 0.4).astype(int), missing),
        "proba": some(random, scores, missing),
    })  # fmt: skip
    found = expect_the_same(classification(), rows)
    assert found[0].values["roc_auc_score"]["macro"] > 0.7


@pytest.mark.parametrize("worst", [-0.5, 1.5])
def test_an_impossible_probability_harms_only_its_own_groups(classification, random, worst):
    scores = random.random(ROWS)
    scores[PARTS[0].start] = worst
    rows = pa.table({"label": (scores > 0.3).astype(int), "prediction": [1] * ROWS, "proba": scores})
    found = expect_the_same(classification(), rows)
    assert [one.values["log_loss"] is None for one in found] == [0 in group for group in GROUPS]
    assert all(one.values["average_precision"] is not None for one in found if one.rows > 1)


def test_each_group_has_the_classes_that_occur_in_it(classification, random):
    labels = random.integers(0, 2, ROWS)
    labels[PARTS[3]] = 2
    rows = pa.table({"label": labels, "prediction": labels, "proba": random.random(ROWS)})
    found = expect_the_same(classification(), rows)
    assert [one.reasons.get("log_loss", "")[:20] for one in found] == [
        "one probability a ro", "", "", "one probability a ro", "",
    ]  # fmt: skip


def test_texts_that_stand_for_truth_in_one_group_and_not_in_another(classification, random):
    labels = np.where(random.random(ROWS) < 0.5, "True", "False").astype(object)
    labels[PARTS[3]] = random.choice(["yes", "no"], PARTS[3].stop - PARTS[3].start)
    prediction = np.roll(labels, 1)
    prediction[PARTS[0]] = "0"
    rows = pa.table({"label": labels, "prediction": prediction, "proba": random.random(ROWS)})
    expect_the_same(classification(), rows)


def test_parts_without_a_label(classification, random):
    labels = pa.array([None if place < 101 else place % 2 for place in range(ROWS)], pa.int64())
    rows = pa.table({"label": labels, "prediction": [0, 1] * (ROWS // 2), "proba": random.random(ROWS)})
    found = expect_the_same(classification(), rows)
    assert [one.n for one in found] == [ROWS - 101, 0, 0, 150, 149]


@pytest.mark.parametrize("shape", ["columns", "maps", "lists"])
def test_many_classes(classification, random, shape):
    shares = random.dirichlet([2, 1, 1], ROWS)
    labels = (shares.cumsum(axis=1) > random.random((ROWS, 1))).argmax(axis=1)
    rows = pa.table({"label": labels, "prediction": shares.argmax(axis=1)})
    keys = {"classes": [0, 1, 2]}
    if shape == "columns":
        keys |= {"prediction_proba_col": None, "prediction_proba_cols": {0: "a", 1: "b", 2: "c"}}
        for place, name in enumerate("abc"):
            rows = rows.append_column(name, pa.array(shares[:, place]))
    else:
        maps = [[(str(place), share) for place, share in enumerate(row)] for row in shares.tolist()]
        kind = pa.map_(pa.string(), pa.float64())
        proba = pa.array(shares.tolist()) if shape == "lists" else pa.array(maps, kind)
        rows = rows.append_column("proba", proba)
    found = expect_the_same(classification(**keys), rows)
    assert len(found[0].values["roc_auc_score"]["one_vs_all"]) == 3


def test_no_groups(classification):
    rows = pa.table({"label": [1], "prediction": [1], "proba": [0.5]})
    assert classification().quality_of_groups(rows, [], []) == []


def test_a_type_that_inherits_with_its_own_quality_is_asked_it(random):
    class Doubled(Classification):
        def quality(self, rows):
            return super().quality(pa.concat_tables([rows, rows]))

    rows = pa.table({"label": [0, 1] * 200, "prediction": [0, 1] * 200, "proba": random.random(ROWS)})
    model_type = Doubled(Doubled.Config(prediction_proba_col="proba", label_col="label"))
    found = model_type.quality_of_groups(rows, PARTS, GROUPS)
    assert [one.rows for one in found] == [780, 180, 2, 480, 300]
