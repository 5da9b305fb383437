import subprocess
import sys

import pyarrow as pa
import pytest
from lakemon_classification import Classification, ClassificationConfig
from lakemon_classification.config import class_text
from pydantic import ValidationError

from lakemon_core.profiling.levels import encode
from lakemon_core.profiling.measure import plan_columns


def test_the_defaults_are_those_of_the_config_reference():
    roles = Classification(ClassificationConfig()).roles()
    assert (roles.timestamp, roles.model_id, roles.prediction) == ("timestamp", "model_id", "prediction")
    assert (roles.request_id, roles.row_index) == ("request_id", "row_index")
    assert roles.prediction_proba is roles.label is None
    assert roles.features == ()


def test_prediction_and_label_are_categories():
    config = ClassificationConfig(prediction_col="p", label_col="y", categorical=("hour", "y"))
    assert Classification(config).roles().categorical == ("hour", "y", "p")


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"label_col": "prediction"}, "label_col and prediction_col both name column 'prediction'"),
        ({"features": ["x", "timestamp"]}, "features lists 'timestamp', which is timestamp_col"),
        ({"classes": ["a", "b", "a"]}, "classes names a class twice"),
        ({"classes": [1, 1.0]}, "classes names a class twice"),
        ({"classes": ["a"]}, "at least 2"),
        ({"classes": ["late", "on time"], "positive_class": "Late"}, 'Did you mean "late"?'),
        ({"classes": ["a", "b", "c"], "positive_class": "a"}, "positive_class needs two classes"),
        ({"predicton_col": "x"}, "Extra inputs are not permitted"),
        (
            {"prediction_proba_cols": {"no": "a", "yes": "b"}, "prediction_proba_col": "p"},
            "prediction_proba_col and prediction_proba_cols are both set: keep one",
        ),
        ({"prediction_proba_cols": {"yes": "b"}}, "prediction_proba_cols needs two classes"),
        ({"prediction_proba_cols": {1: "a", "1": "b"}}, "prediction_proba_cols names a class twice"),
        (
            {"prediction_proba_cols": {"no": "a", "yse": "b"}, "classes": ["no", "yes"]},
            "'yse' is none of the classes. Did you mean \"yes\"?",
        ),
        (
            {"prediction_proba_cols": {"a": "p", "b": "q"}, "classes": ["a", "b", "c"]},
            "prediction_proba_cols names no column for class 'c'",
        ),
        (
            {"prediction_proba_cols": {"no": "p", "yes": "q"}, "positive_class": "late"},
            "prediction_proba_cols names no column for class 'late'",
        ),
        (
            {"prediction_proba_cols": {"no": "p", "yes": "p"}},
            "prediction_proba_cols.yes and prediction_proba_cols.no both name column 'p'",
        ),
    ],
)
def test_what_does_not_fit_together_is_refused(keys, message):
    with pytest.raises(ValidationError) as caught:
        ClassificationConfig(**keys)
    assert message in str(caught.value)


def test_class_names_keep_their_type():
    config = ClassificationConfig(classes=[False, True], positive_class=True)
    assert config.classes == (False, True)
    assert config.positive_class is True
    assert [type(name) for name in ClassificationConfig(classes=[0, 1.0]).classes or ()] == [int, float]


@pytest.mark.parametrize("value", [True, False, 3, 3.0, -0.5, "a", "3.0", 2**60])
def test_configured_classes_read_as_those_of_a_column(value):
    import pyarrow as pa

    assert encode(pa.array([value])).levels.to_pylist() == [class_text(value)]


@pytest.mark.parametrize(
    ("keys", "score", "measured", "others"),
    [
        ({"prediction_proba_cols": {"no": "p", "yes": "q"}, "positive_class": "no"}, "p", ("p",), ("q",)),
        ({"prediction_proba_cols": {0: "p", 1: "q"}}, "q", ("q",), ("p",)),
        ({"prediction_proba_cols": {"late": "p", "on time": "q"}}, None, ("p", "q"), ()),
        ({"prediction_proba_cols": {"a": "p", "b": "q", "c": "r"}}, None, ("p", "q", "r"), ()),
    ],
)
def test_columns_of_probabilities_are_no_features_and_the_positive_one_stands_for_both(
    keys, score, measured, others
):
    model_type = Classification(ClassificationConfig(**keys))
    roles = model_type.roles()
    assert (roles.prediction_proba, roles.others) == (score, others)
    assert roles.predicted == ("prediction", *measured)
    assert set(model_type.quality_columns()) == {*measured, *others}
    assert roles.feature_columns(["x", *measured, *others]) == ("x",)
    schema = pa.schema([(name, pa.float64()) for name in ("x", *measured, *others)])
    assert [one.name for one in plan_columns(schema, roles).columns] == ["x", *measured]


def test_rules_on_probabilities_come_with_a_column_a_class(classification):
    rules = classification(prediction_proba_col=None, prediction_proba_cols={0: "p", 1: "q"}).default_rules()
    assert "roc_auc" in {rule.metric for rule in rules}


def test_importing_the_plugin_loads_no_heavy_library():
    heavy = "{'numpy', 'pyarrow', 'scipy', 'pandas'}"
    code = f"import sys, lakemon_classification; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_rules_exist_without_a_config_and_a_quality_rule_only_with_labels_and_probabilities(classification):
    bare = Classification(ClassificationConfig()).default_rules()
    full = classification().default_rules()
    labelled = classification(prediction_proba_col=None).default_rules()
    assert {rule.metric for rule in bare} == {"prediction_drift", "feature_drift", "null_rate"}
    assert {rule.metric for rule in labelled} - {rule.metric for rule in bare} == {"kappa"}
    scores = {"roc_auc", "brier_skill", "ece_excess"}
    assert {rule.metric for rule in full} - {rule.metric for rule in labelled} == scores
    assert all(rule.default for rule in full)


def test_every_metric_names_a_column_that_quality_fills(classification):
    model_type = classification()
    columns = {name for name, _ in model_type.quality_fields()}
    assert {metric.column for metric in model_type.metrics} <= columns
    assert [metric.name for metric in model_type.metrics if not metric.higher_is_better] == [
        "log_loss",
        "brier",
        "ece",
        "ece_equal_mass",
        "ece_excess",
    ]
