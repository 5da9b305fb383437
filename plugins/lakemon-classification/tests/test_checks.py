import pyarrow as pa
import pytest


@pytest.mark.parametrize(
    ("columns", "sentences"),
    [
        ({"prediction": ["a", "b"], "proba": [0.1, 1.0]}, ()),
        ({"prediction": ["a", None], "proba": [0.1, 0.2]}, ("prediction is null in 1 of 2 rows",)),
        (
            {"prediction": ["x", "b"], "proba": [0.1, 0.2]},
            ("prediction is none of the classes in 1 of 2 rows, e.g. 'x'",),
        ),
        (
            {"prediction": ["a", "b"], "proba": [-0.1, float("nan")]},
            ("proba is null or NaN in 1 of 2 rows", "proba lies outside of 0 to 1 in 1 of 2 rows"),
        ),
        (
            {"predictions": ["a"], "proba": [0.5]},
            ("there is no column 'prediction'. Did you mean \"predictions\"?",),
        ),
        (
            {"prediction": ["a"], "proba": [[0.2, 0.3, 0.5]]},
            ("proba: a list of 3 probabilities came for 2 classes",),
        ),
        (
            {"prediction": pa.array([], pa.string()), "proba": pa.array([], pa.float64())},
            ("there are no predictions",),
        ),
    ],
)
def test_what_is_wrong_with_predictions_is_said_in_sentences(classification, columns, sentences):
    assert tuple(classification(classes=["a", "b"]).check_predictions(pa.table(columns))) == sentences


def test_columns_of_probabilities_are_checked_together(classification):
    model_type = classification(prediction_proba_col=None, prediction_proba_cols={0: "p", 1: "q"})
    fine = {"prediction": [0, 1], "p": [0.9, 0.2], "q": [0.1, 0.8]}
    assert tuple(model_type.check_predictions(pa.table(fine))) == ()
    assert tuple(model_type.check_predictions(pa.table(fine | {"q": [None, 1.5]}))) == (
        "prediction_proba_cols is null or NaN in 1 of 2 rows",
        "prediction_proba_cols lies outside of 0 to 1 in 1 of 2 rows",
    )
    missing = tuple(model_type.check_predictions(pa.table({"prediction": [0], "p": [1.0]})))
    assert missing[0].startswith("prediction_proba_cols: there is no column 'q'")


def test_without_a_list_of_classes_any_class_is_fine(classification):
    rows = pa.table({"prediction": ["anything"]})
    assert tuple(classification(prediction_proba_col=None).check_predictions(rows)) == ()


def test_a_missing_column_of_probabilities_is_named(classification):
    found = tuple(classification().check_predictions(pa.table({"prediction": [1]})))
    assert len(found) == 1
    assert "'proba'" in found[0]


@pytest.mark.parametrize("values", [[0, 1], [0.0, 1.0], ["0", "1"], [False, True]])
def test_classes_may_be_written_in_another_type(classification, values):
    rows = pa.table({"prediction": values, "proba": [0.5, 0.5]})
    assert tuple(classification(classes=[0, 1]).check_predictions(rows)) == ()
