"""Probabilities in every shape: one column, maps, structs, lists, and a column a class."""

import numpy as np
import pyarrow as pa
import pytest
from sklearn import metrics


def close(value):
    return pytest.approx(value, rel=1e-9, abs=1e-12)


def table(**columns):
    return pa.table({name: column for name, column in columns.items() if column is not None})


@pytest.mark.parametrize("shape", ["map", "struct", "list", "fixed"])
def test_many_classes_agree_with_scikit_learn_in_every_shape_of_probabilities(
    classification, multiclass, shape
):
    labels, shares, predictions, names = multiclass
    rows = [dict(zip(names.tolist(), row, strict=True)) for row in shares.tolist()]
    proba = {
        "map": lambda: pa.array([list(row.items()) for row in rows], pa.map_(pa.string(), pa.float64())),
        "struct": lambda: pa.array(rows),
        "list": lambda: pa.array(shares.tolist()),
        "fixed": lambda: pa.array(shares.tolist(), pa.list_(pa.float64(), 4)),
    }[shape]()
    rows = table(label=labels, prediction=predictions, proba=proba)
    rows = pa.concat_tables([rows.slice(3, 100), rows.slice(0, 3), rows.slice(103)])
    values = classification(classes=names.tolist()).quality(rows).values
    assert values["log_loss"] == close(metrics.log_loss(labels, shares, labels=names))
    assert values["brier_score"] == close(metrics.brier_score_loss(labels, shares, labels=names))
    auc = values["roc_auc_score"]
    expected = [metrics.roc_auc_score(labels == name, shares[:, k]) for k, name in enumerate(names)]
    assert auc["one_vs_all"] == {name: close(value) for name, value in zip(names, expected, strict=True)}
    for average in ("macro", "weighted"):
        ovr = metrics.roc_auc_score(labels, shares, multi_class="ovr", average=average, labels=names)
        assert auc[average] == close(ovr)
    assert values["average_precision"] == close(metrics.average_precision_score(labels, shares))
    assert values["precision_overall"] == values["precision"]["macro"]
    assert values["positive_rate"] is None


def test_a_column_a_class_is_read_as_a_struct_is(classification, multiclass):
    labels, shares, predictions, names = multiclass
    columns = {f"p_{name}": shares[:, place] for place, name in enumerate(names.tolist())}
    rows = table(label=labels, prediction=predictions, **columns)
    by_class = {name: f"p_{name}" for name in reversed(names.tolist())}
    found = classification(prediction_proba_col=None, prediction_proba_cols=by_class).quality(rows)
    struct = pa.array([dict(zip(names.tolist(), row, strict=True)) for row in shares.tolist()])
    assert found == classification().quality(table(label=labels, prediction=predictions, proba=struct))


def test_columns_of_two_classes_are_read_at_the_positive_one(classification, binary):
    labels, scores, predictions = binary
    rows = table(label=labels, prediction=predictions, p_no=1 - scores, p_yes=scores)
    keys = {"prediction_proba_col": None, "prediction_proba_cols": {0: "p_no", 1: "p_yes"}}
    values = classification(**keys).quality(rows).values
    assert values["log_loss"] == close(metrics.log_loss(labels, scores))
    negative = classification(**keys, positive_class=0).quality(rows).values
    assert negative["average_precision"] == close(metrics.average_precision_score(1 - labels, 1 - scores))


@pytest.mark.parametrize(
    ("columns", "why"),
    [
        ({"p_no": [0.1, 0.9]}, "there is no column 'p_yes'"),
        ({"p_no": [0.1, 0.9], "p_yes": ["a", "b"]}, "column 'p_yes' is of type string: no probability"),
        (
            {"p_no": [0.1, 0.9], "p_yes": pa.nulls(2)},
            "no row has both a label and a probability",
        ),
    ],
)
def test_columns_of_probabilities_that_cannot_be_read_say_why(classification, columns, why):
    keys = {"prediction_proba_col": None, "prediction_proba_cols": {0: "p_no", 1: "p_yes"}}
    result = classification(**keys).quality(table(label=[0, 1], prediction=[0, 1], **columns))
    assert result.values["log_loss"] is None
    assert why in result.reasons["log_loss"]


def test_maps_of_two_classes_are_read_at_the_positive_one(classification, binary):
    labels, scores, predictions = binary
    maps = [[("0", 1 - score), ("1", score)] for score in scores]
    maps[5] = None
    proba = pa.array(maps, pa.map_(pa.string(), pa.float64()))
    values = classification().quality(table(label=labels, prediction=predictions, proba=proba)).values
    kept = np.arange(600) != 5
    assert values["log_loss"] == close(metrics.log_loss(labels[kept], scores[kept]))


def test_maps_with_integer_keys_and_missing_classes_are_read(classification):
    proba = pa.array([[(1, 0.9)], [(0, 0.7), (2, 0.3)], [(2, 1.0)]], pa.map_(pa.int64(), pa.float64()))
    values = classification().quality(table(label=[1, 0, 2], prediction=[1, 0, 2], proba=proba)).values
    matrix = [[0, 0.9, 0], [0.7, 0, 0.3], [0, 0, 1.0]]
    assert values["brier_score"] == close(np.square(np.array(matrix) - np.eye(3)[[1, 0, 2]]).sum() / 3)


def test_a_label_that_the_probabilities_do_not_name_has_probability_zero(classification):
    proba = pa.array(
        [[("a", 0.6), ("b", 0.4)]] * 2 + [[("a", 0.5), ("b", 0.5)]], pa.map_(pa.string(), pa.float64())
    )
    values = (
        classification().quality(table(label=["a", "b", "x"], prediction=["a", "a", "a"], proba=proba)).values
    )
    eps = np.finfo(float).eps
    assert values["log_loss"] == close(-(np.log(0.6) + np.log(0.4) + np.log(eps)) / 3)


@pytest.mark.parametrize(
    ("proba", "keys", "why"),
    [
        (pa.array([[0.1, 0.9]] * 2), {}, "set model.classes"),
        (
            pa.array([[0.1, 0.2, 0.7]] * 2),
            {"classes": [0, 1]},
            "a list of 3 probabilities came for 2 classes",
        ),
        (pa.array(["high", "low"]), {}, "cannot be read from a column of type string"),
        (pa.array([{"a": 0.5}] * 2), {}, "the probabilities name no class '1'"),
    ],
)
def test_probabilities_that_cannot_be_read_say_why(classification, proba, keys, why):
    label = ["0", "1"] if "class" not in why or keys else [0, 1]
    keys = keys | ({"positive_class": 1} if "name no class" in why else {})
    result = classification(**keys).quality(table(label=label, prediction=label, proba=proba))
    assert result.values["accuracy_score"] == 1
    for name in ("log_loss", "roc_auc_score", "brier_score", "average_precision"):
        assert result.values[name] is None
        assert why in result.reasons[name]


def test_one_probability_is_not_enough_for_three_classes(classification):
    result = classification().quality(table(label=list("abc"), prediction=list("abc"), proba=[0.1, 0.2, 0.3]))
    assert result.reasons["log_loss"] == "one probability a row needs two classes, but there are 3"


def test_impossible_probabilities_rank_but_have_no_loss(classification):
    rows = table(label=[0, 1, 1], prediction=[0, 1, 1], proba=[-3.0, 0.5, 1.2])
    result = classification().quality(rows)
    assert result.values["roc_auc_score"]["macro"] == 1.0
    assert result.values["log_loss"] is result.values["brier_score"] is None
    assert result.reasons["log_loss"] == "2 rows have probabilities outside of 0 to 1"


def test_certain_and_wrong_probabilities_have_the_log_loss_of_scikit_learn(classification):
    rows = table(label=[0, 1, 1], prediction=[0, 1, 1], proba=[1.0, 0.0, 1.0])
    expected = metrics.log_loss([0, 1, 1], [1.0, 0.0, 1.0])
    assert classification().quality(rows).values["log_loss"] == close(expected)


def maps_of(shares, names):
    rows = [list(zip(names, row, strict=True)) for row in shares.tolist()]
    return pa.array(rows, pa.map_(pa.string(), pa.float64()))


def test_maps_are_read_by_key_whether_all_rows_name_the_same_keys_or_not(classification, multiclass):
    labels, shares, predictions, names = multiclass
    same = maps_of(shares, names.tolist())
    other = pa.array([list(reversed(row)) for row in same.slice(0, 1).to_pylist()], same.type)
    mixed = pa.chunked_array([other, same.slice(1)])
    expected = classification().quality(table(label=labels, prediction=predictions, proba=same))
    assert classification().quality(table(label=labels, prediction=predictions, proba=mixed)) == expected
    twice = maps_of(np.hstack([np.zeros((500, 1)), shares]), ["a", *names])
    assert classification().quality(table(label=labels, prediction=predictions, proba=twice)) == expected
