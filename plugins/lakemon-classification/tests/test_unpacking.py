import pytest

from lakemon_core.ports import ModelVersion

TAGGED = ModelVersion("m", "1", tags={"lakemon.classes": '["cat", "dog", "🦊"]'})


@pytest.mark.parametrize("value", [1, "late", True, 0.5, None])
def test_a_scalar_is_the_class(classification, value):
    assert classification().unpack(value, None) == {"prediction": value}


def test_a_dict_gives_the_configured_columns_that_it_has(classification):
    given = {"prediction": "a", "proba": 0.7, "explanation": "because"}
    assert classification().unpack(given, None) == {"prediction": "a", "proba": 0.7}
    assert classification(prediction_col="p").unpack({"p": 1}, None) == {"p": 1}


def test_a_dict_with_one_other_key_holds_the_class(classification):
    assert classification().unpack({"0": "late"}, None) == {"prediction": "late"}


def test_probabilities_of_two_classes_keep_that_of_the_positive_one(classification):
    assert classification().unpack([0.3, 0.7], None) == {"prediction": 1, "proba": 0.7}
    named = classification(classes=["late", "on time"], positive_class="late")
    assert named.unpack([0.3, 0.7], None) == {"prediction": "on time", "proba": 0.3}


def test_probabilities_of_more_classes_are_kept_by_class(classification):
    columns = classification().unpack([0.2, 0.3, 0.5], TAGGED)
    assert columns == {"prediction": "🦊", "proba": {"cat": 0.2, "dog": 0.3, "🦊": 0.5}}
    assert classification().unpack([0.2, 0.3, 0.5], None)["proba"] == {"0": 0.2, "1": 0.3, "2": 0.5}


def test_the_classes_of_the_config_come_before_those_of_the_model(classification):
    columns = classification(classes=[7, 8, 9]).unpack([0.2, 0.5, 0.3], TAGGED)
    assert columns["prediction"] == 8
    assert isinstance(columns["prediction"], int)


def test_a_dict_by_class_is_probabilities(classification):
    columns = classification().unpack({"dog": 0.3, "cat": 0.6, "🦊": 0.1}, TAGGED)
    assert columns == {"prediction": "cat", "proba": {"cat": 0.6, "dog": 0.3, "🦊": 0.1}}


def test_probabilities_go_to_a_column_a_class(classification):
    columns = {"cat": "p_cat", "🦊": "p_fox", "dog": "p_dog"}
    model_type = classification(prediction_proba_col=None, prediction_proba_cols=columns)
    expected = {"prediction": "🦊", "p_cat": 0.2, "p_dog": 0.3, "p_fox": 0.5}
    assert model_type.unpack([0.2, 0.3, 0.5], TAGGED) == expected
    assert model_type.unpack({"cat": 0.2, "dog": 0.3, "🦊": 0.5}, TAGGED) == expected
    assert model_type.unpack(expected | {"more": 1}, TAGGED) == expected
    with pytest.raises(ValueError, match="'cat' is none of the model's classes 0, 1, 2"):
        model_type.unpack([0.2, 0.3, 0.5], None)


def test_without_a_column_for_probabilities_only_the_class_is_kept(classification):
    assert classification(prediction_proba_col=None).unpack([0.3, 0.7], None) == {"prediction": 1}


def test_the_first_of_equally_likely_classes_wins(classification):
    assert classification().unpack([0.5, 0.5], None)["prediction"] == 0


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([0.5], "a list of 1 probabilities came for"),
        ([], "a list of 0 probabilities"),
        (["a", "b", "c"], "'a' is no probability"),
        ([0.5, None, 0.5], "None is no probability"),
        ([True, False, False], "True is no probability"),
        ([0.5, float("nan"), 0.5], "nan is no probability"),
        ([0.2, 0.8], "a list of 2 probabilities came for 3 classes"),
        ({"a": 1, "b": 2}, "a dict with the keys a, b holds no 'prediction'"),
        ({}, r"a dict with the keys \(none\)"),
        ({"a": [1]}, "a list is no class"),
        ((1, 2), "a tuple is no class"),
    ],
)
def test_other_shapes_are_refused_with_what_came(classification, given, message):
    with pytest.raises(ValueError, match=message):
        classification().unpack(given, TAGGED)


@pytest.mark.parametrize("tag", ["cat, dog", '{"a": 1}', "[[1]]", "[null]"])
def test_a_tag_that_names_no_classes_is_refused(classification, tag):
    model = ModelVersion("m", "1", tags={"lakemon.classes": tag})
    with pytest.raises(ValueError, match=r"the tag lakemon\.classes is no JSON list"):
        classification().unpack([0.5, 0.5], model)


def test_a_positive_class_that_the_model_does_not_have_is_refused(classification):
    model = ModelVersion("m", "1", tags={"lakemon.classes": '["no", "yes"]'})
    with pytest.raises(ValueError, match="positive_class 'late' is none of the model's classes no, yes"):
        classification(positive_class="late").unpack([0.5, 0.5], model)
