import numpy as np
import pyarrow as pa
import pytest
from sklearn import metrics

from lakemon_core.profiling.schemas import profile_schema


def close(value):
    return pytest.approx(value, rel=1e-9, abs=1e-12)


def table(**columns):
    return pa.table({name: column for name, column in columns.items() if column is not None})


def test_two_classes_agree_with_scikit_learn(classification, binary):
    labels, scores, predictions = binary
    result = classification().quality(table(label=labels, prediction=predictions, proba=scores))
    values = result.values
    assert values["accuracy_score"] == close(metrics.accuracy_score(labels, predictions))
    assert values["precision_overall"] == close(metrics.precision_score(labels, predictions))
    assert values["recall_overall"] == close(metrics.recall_score(labels, predictions))
    assert values["f1_overall"] == close(metrics.f1_score(labels, predictions))
    assert values["log_loss"] == close(metrics.log_loss(labels, scores))
    assert values["brier_score"] == close(metrics.brier_score_loss(labels, scores))
    assert values["average_precision"] == close(metrics.average_precision_score(labels, scores))
    auc = close(metrics.roc_auc_score(labels, scores))
    assert values["roc_auc_score"] == {"one_vs_all": {"1": auc}, "macro": auc, "weighted": auc}
    assert values["positive_rate"] == close(labels.mean())
    assert (result.n, result.rows, values["label_count"]) == (600, 600, 600)
    assert result.reasons == {}


@pytest.mark.parametrize(("column", "score"), [
    ("precision", metrics.precision_score), ("recall", metrics.recall_score), ("f1_score", metrics.f1_score),
])  # fmt: skip
def test_averages_over_classes_agree_with_scikit_learn(classification, multiclass, column, score):
    labels, _, predictions, names = multiclass
    cell = classification().quality(table(label=labels, prediction=predictions)).values[column]
    by_class = score(labels, predictions, average=None, labels=names, zero_division=0)
    assert cell["one_vs_all"] == {name: close(value) for name, value in zip(names, by_class, strict=True)}
    assert cell["macro"] == close(score(labels, predictions, average="macro", zero_division=0))
    assert cell["weighted"] == close(score(labels, predictions, average="weighted", zero_division=0))


def test_golden_scores(classification, golden):
    rows = table(label=golden["G_y"], proba=golden["G_p"], prediction=[0] * 10)
    values = classification().quality(rows).values
    assert values["brier_score"] == close(golden["G_brier"])
    assert values["log_loss"] == close(golden["G_logloss"])
    assert values["roc_auc_score"]["macro"] == close(golden["G_auc"])


def test_the_confusion_matrix_holds_the_cells_that_occur(classification):
    rows = table(label=["a", "a", "b", "c"], prediction=["a", "b", "b", "a"])
    assert classification().quality(rows).values["confusion_matrix"] == [
        {"prediction": "a", "label": "a", "count": 1},
        {"prediction": "b", "label": "a", "count": 1},
        {"prediction": "b", "label": "b", "count": 1},
        {"prediction": "a", "label": "c", "count": 1},
    ]


def test_values_fit_the_profile_table(classification, binary):
    labels, scores, predictions = binary
    model_type = classification()
    result = model_type.quality(table(label=labels, prediction=predictions, proba=scores))
    schema = profile_schema("model_id", model_type.quality_fields())
    stored = pa.Table.from_pylist([dict(result.values)], schema=schema).to_pylist()[0]
    assert dict(stored["precision"]["one_vs_all"]) == result.values["precision"]["one_vs_all"]
    assert stored["confusion_matrix"] == result.values["confusion_matrix"]


TEXT_FORMS = {
    "integers and text": ([0, 1, 1, 0], ["0", "1", "0", "0"]),
    "integers and doubles": ([0, 1, 1, 0], [0.0, 1.0, 0.0, 0.0]),
    "booleans and integers": ([False, True, True, False], [0, 1, 0, 0]),
    "booleans and doubles": ([False, True, True, False], [0.0, 1.0, 0.0, 0.0]),
    "booleans and text": ([False, True, True, False], ["False", "True", "false", "FALSE"]),
    "booleans and digits": ([False, True, True, False], ["0", "1", "0", "0"]),
    "doubles with NaN for missing": ([0.0, 1.0, 1.0, 0.0, float("nan")], [0, 1, 0, 0, 1]),
}


@pytest.mark.parametrize("name", TEXT_FORMS)
@pytest.mark.parametrize("swapped", [False, True])
def test_labels_and_predictions_of_different_types_are_compared_by_text(classification, name, swapped):
    label, prediction = reversed(TEXT_FORMS[name]) if swapped else TEXT_FORMS[name]
    values = classification().quality(table(label=label, prediction=prediction)).values
    assert values["accuracy_score"] == 0.75
    assert values["precision_overall" if not swapped else "recall_overall"] == 1.0


def test_rows_without_a_label_are_left_out_and_counted(classification):
    rows = table(label=[1, None, 0, None], prediction=[1, 0, 1, 1], proba=[0.9, 0.1, 0.6, 0.3])
    result = classification().quality(rows)
    assert (result.n, result.rows, result.values["accuracy_score"]) == (2, 4, 0.5)
    assert result.values["log_loss"] == close(metrics.log_loss([1, 0], [0.9, 0.6]))


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        (table(prediction=[1], proba=[0.5]), "the table has no label column"),
        (table(prediction=[1], proba=[0.5], label=pa.array([None], pa.int64())), "no row has a label"),
        (table(prediction=[1], proba=[0.5], label=pa.array([1])).slice(0, 0), "no row has a label"),
    ],
)
def test_without_labels_nothing_is_measured_and_everything_says_why(classification, rows, why):
    result = classification().quality(rows)
    assert result.n == result.values["label_count"] == 0
    for name, value in result.values.items():
        if name != "label_count":
            assert value is None
            assert result.reasons[name] == why


def test_rows_without_a_prediction_or_a_probability_count_where_they_can(classification):
    rows = table(label=[1, 0, 1, 0], prediction=[1, None, 0, 0], proba=[0.9, 0.2, None, float("nan")])
    result = classification().quality(rows)
    assert result.values["accuracy_score"] == close(2 / 3)
    assert result.values["brier_score"] == close((0.01 + 0.04) / 2)
    assert result.n == 4


def test_missing_predictions_and_probabilities_are_named(classification):
    result = classification().quality(table(label=[1, 0]))
    assert result.reasons["accuracy_score"] == "no row has both a label and a prediction"
    assert result.reasons["log_loss"] == "the table has no probabilities"
    empty = table(label=[1, 0], prediction=[1, 1], proba=pa.array([None, None], pa.float64()))
    assert (
        classification().quality(empty).reasons["brier_score"] == "no row has both a label and a probability"
    )


@pytest.mark.parametrize(("label", "has_precision"), [(0, False), (1, True)])
def test_one_class_of_labels_has_no_auc(classification, label, has_precision):
    result = classification().quality(table(label=[label] * 3, prediction=[0, 0, 1], proba=[0.1, 0.2, 0.7]))
    assert result.values["roc_auc_score"] is None
    assert "one class" in result.reasons["roc_auc_score"]
    assert (result.values["average_precision"] is not None) == has_precision
    expected = metrics.log_loss([label] * 3, [0.1, 0.2, 0.7], labels=[0, 1])
    assert result.values["log_loss"] == close(expected)


def test_a_perfectly_wrong_ranking_has_an_auc_of_zero(classification):
    result = classification().quality(table(label=[0, 1], prediction=[1, 0], proba=[0.9, 0.1]))
    assert result.values["roc_auc_score"]["macro"] == 0.0
    assert result.values["accuracy_score"] == 0.0


def test_shares_without_a_denominator_count_as_zero_and_say_so(classification):
    result = classification().quality(table(label=[1, 1, 0], prediction=[0, 0, 0]))
    assert result.values["precision_overall"] == result.values["f1_overall"] == 0
    assert result.reasons["precision_overall"] == "class '1' was never predicted: counts as 0"
    assert "f1_overall" not in result.reasons
    many = classification().quality(table(label=["a", "b", "c"], prediction=["a", "a", "a"]))
    assert many.values["precision_overall"] == close(1 / 9)
    assert many.reasons["precision_overall"] == "class 'b' (and 1 more) was never predicted: counts as 0"
    other = classification().quality(table(label=[0, 0], prediction=[0, 1]))
    assert other.reasons["recall_overall"] == "class '1' has no label: counts as 0"


def test_which_of_two_names_is_positive_is_not_guessed(classification):
    rows = table(label=["late", "on time"], prediction=["late", "late"], proba=[0.9, 0.4])
    result = classification().quality(rows)
    assert result.values["accuracy_score"] == 0.5
    for name in ("precision_overall", "roc_auc_score", "log_loss", "positive_rate"):
        assert result.values[name] is None
        assert "set model.positive_class: which of 'late', 'on time'" in result.reasons[name]
    for keys in ({"positive_class": "late"}, {"classes": ["on time", "late"]}):
        named = classification(**keys).quality(rows)
        assert named.values["roc_auc_score"]["macro"] == 1.0
        assert named.values["precision_overall"] == 0.5


def test_a_window_with_some_of_many_classes_is_not_binary(classification):
    rows = table(label=["a", "b"], prediction=["a", "a"], proba=[[0.8, 0.1, 0.1], [0.3, 0.6, 0.1]])
    result = classification(classes=["a", "b", "c"]).quality(rows)
    assert result.values["precision_overall"] == close(0.25)
    auc = result.values["roc_auc_score"]
    assert (auc["macro"], auc["weighted"], set(auc["one_vs_all"])) == (None, 1.0, {"a", "b"})
    assert result.reasons["roc_auc_score"] == "class 'c' has no label: there is no mean over classes"
    assert result.values["average_precision"] is None


def test_one_of_many_classes_has_no_auc(classification):
    rows = table(label=["a", "a"], prediction=["a", "b"], proba=[[0.8, 0.1, 0.1], [0.3, 0.6, 0.1]])
    result = classification(classes=["a", "b", "c"]).quality(rows)
    assert result.values["roc_auc_score"] is None
    assert result.values["log_loss"] == close(
        metrics.log_loss(["a"] * 2, rows["proba"].to_pylist(), labels=list("abc"))
    )


def test_chunks_slices_dictionaries_and_order_change_nothing(classification, binary):
    labels, scores, predictions = binary
    rows = table(label=labels.astype(str), prediction=predictions, proba=scores)
    expected = classification().quality(rows)
    encoded = rows.set_column(0, "label", rows["label"].dictionary_encode())
    parts = pa.concat_tables([encoded.slice(0, 7), encoded.slice(7, 0), encoded.slice(7)])
    assert classification().quality(parts) == expected
    shuffled = rows.take(pa.array(np.random.default_rng(1).permutation(600)))
    ranking = classification().quality(shuffled).values["roc_auc_score"]
    assert ranking == expected.values["roc_auc_score"]


def test_names_of_classes_may_hold_anything(classification):
    names = ["it's", '"', "🦊", "a\nb"]
    values = classification().quality(table(label=names, prediction=names)).values
    assert set(values["recall"]["one_vs_all"]) == set(names)


WHOLE_NUMBERS = {
    "far apart": [-(10**12), 10**12, 3],
    "the least and the greatest": [-(2**63), 2**63 - 1, 0],
    "at the lower end": [-(2**63), 1 - 2**63, 5 - 2**63],
    "with gaps": [2, 5, 4000],
    "negative": [-1, 1, 0],
}


@pytest.mark.parametrize("name", WHOLE_NUMBERS)
def test_whole_numbers_are_classes_wherever_they_lie(classification, name):
    values = np.array(WHOLE_NUMBERS[name])
    random = np.random.default_rng(9)
    labels, predictions = (values[random.integers(0, 3, 200)] for _ in range(2))
    kept = random.random(200) < 0.8
    rows = table(label=pa.array(labels, mask=~kept), prediction=predictions)
    cell = classification(prediction_proba_col=None).quality(rows).values["recall"]["one_vs_all"]
    expected = metrics.recall_score(labels[kept], predictions[kept], labels=values, average=None)
    assert cell == {str(value): close(share) for value, share in zip(values, expected, strict=True)}


def test_unsigned_numbers_beyond_the_signed_ones_are_classes(classification):
    values = pa.array([2**64 - 1, 2**64 - 2, 2**64 - 1], pa.uint64())
    result = classification(prediction_proba_col=None).quality(table(label=values, prediction=values))
    assert set(result.values["recall"]["one_vs_all"]) == {str(2**64 - 1), str(2**64 - 2)}


def test_many_rows_with_many_classes_agree_with_scikit_learn(classification):
    random = np.random.default_rng(10)
    shares = random.dirichlet([3, 2, 1], 40_000)
    labels = (shares.cumsum(axis=1) > random.random((40_000, 1))).argmax(axis=1)
    columns = {f"p{place}": shares[:, place] for place in range(3)}
    by_class = {place: f"p{place}" for place in range(3)}
    model_type = classification(prediction_proba_col=None, prediction_proba_cols=by_class)
    values = model_type.quality(table(label=labels, prediction=shares.argmax(axis=1), **columns)).values
    assert values["log_loss"] == close(metrics.log_loss(labels, shares))
    assert values["brier_score"] == close(metrics.brier_score_loss(labels, shares))
    assert values["roc_auc_score"]["macro"] == close(
        metrics.roc_auc_score(labels, shares, multi_class="ovr", average="macro")
    )
    likeliest = shares.max(axis=1)
    right = shares.argmax(axis=1) == labels
    places = np.minimum((likeliest * 10).astype(int), 9)
    gaps = [abs(right[places == k].mean() - likeliest[places == k].mean()) * (places == k).mean()
            for k in np.unique(places)]  # fmt: skip
    assert values["expected_calibration_error"] == close(sum(gaps))
