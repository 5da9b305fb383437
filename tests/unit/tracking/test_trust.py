"""Nothing that a model brings along runs before the config trusts it."""

import pickle
from pathlib import Path

import pytest

from lakemon_core.domain.errors import ModelError
from lakemon_core.tracking import demand_trust, unsafe_part

TREE = "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"


def mlmodel(folder: Path, flavors: str) -> Path:
    (folder / "MLmodel").write_text(f"flavors:\n{flavors}")
    return folder


def flavors(loader: str, **keys: str) -> str:
    """The flavors of an MLmodel file whose own flavor has these keys."""
    lines = "".join(f"    {key}: {value}\n" for key, value in keys.items())
    own = loader.removeprefix("mlflow.")
    return f"  python_function:\n    loader_module: {loader}\n  {own}:\n    version: 1\n{lines}"


def sklearn(folder: Path, **keys: str) -> Path:
    return mlmodel(folder, flavors("mlflow.sklearn", pickled_model="model.bin", **keys))


def test_a_model_that_mlflow_saved_as_skops_passes(frozen):
    assert unsafe_part(frozen) is None


@pytest.mark.parametrize("form", ["pickle", "cloudpickle", "''", "new-format"])
def test_sklearn_in_any_other_form_is_refused_by_its_file(tmp_path, form):
    assert unsafe_part(sklearn(tmp_path, serialization_format=form)) == "model.bin"


def test_an_sklearn_model_without_a_stated_form_is_refused(tmp_path):
    assert unsafe_part(sklearn(tmp_path, sklearn_version="1.9")) == "model.bin"


def test_reviewed_types_of_skops_pass_and_others_do_not(tmp_path):
    assert (
        unsafe_part(sklearn(tmp_path, serialization_format="skops", skops_trusted_types=f"[{TREE}]")) is None
    )
    hostile = sklearn(tmp_path, serialization_format="skops", skops_trusted_types=f"[{TREE}, os.system]")
    assert unsafe_part(hostile) == "model.bin"


def test_code_beside_a_harmless_model_is_refused(tmp_path):
    assert unsafe_part(sklearn(tmp_path, serialization_format="skops", code="code/evil")) == "code/evil"


@pytest.mark.parametrize(
    ("loader", "keys", "part"),
    [
        ("mlflow.pyfunc.model", {"python_model": "python_model.pkl"}, "python_model.pkl"),
        ("mlflow.pyfunc.model", {"model_code_path": "agent.py"}, "agent.py"),
        ("os", {}, "loader os"),
        ("''", {}, "loader unknown"),
        ("mlflow.pytorch", {"model_data": "data"}, "loader mlflow.pytorch"),
        (
            "mlflow.xgboost",
            {"data": "m.ubj", "model_format": "ubj", "model_class": "subprocess.Popen"},
            "m.ubj",
        ),
        (
            "mlflow.lightgbm",
            {"data": "model.pkl", "model_class": "lightgbm.sklearn.LGBMClassifier"},
            "model.pkl",
        ),
    ],
)
def test_formats_that_hold_code_are_refused_by_name(tmp_path, loader, keys, part):
    assert unsafe_part(mlmodel(tmp_path, flavors(loader, **keys))) == part


@pytest.mark.parametrize(
    ("loader", "keys"),
    [
        ("mlflow.xgboost", {"model_format": "ubj", "model_class": "xgboost.sklearn.XGBClassifier"}),
        ("mlflow.lightgbm", {"data": "model.lgb", "model_class": "lightgbm.basic.Booster"}),
        ("mlflow.catboost", {"data": "model.cb"}),
        ("mlflow.onnx", {"data": "model.onnx"}),
    ],
)
def test_formats_that_hold_data_only_pass(tmp_path, loader, keys):
    assert unsafe_part(mlmodel(tmp_path, flavors(loader, **keys))) is None


def test_the_error_names_file_and_cure_and_trust_lifts_it(tmp_path):
    folder = sklearn(tmp_path, serialization_format="pickle")
    with pytest.raises(
        ModelError, match=r"LM413 dev\.f\.m version 3 .*model\.bin.*serving\.trust_model: true"
    ):
        demand_trust(folder, "dev.f.m version 3", trust_model=False)
    demand_trust(folder, "dev.f.m version 3", trust_model=True)


@pytest.mark.parametrize(
    "content", [None, b"\xff\xfe", b"flavors: [", b"!!python/object/apply:os.system [id]"]
)
def test_a_model_without_a_readable_description_is_named(tmp_path, content):
    if content is not None:
        (tmp_path / "MLmodel").write_bytes(content)
    with pytest.raises(ModelError, match="LM411"):
        unsafe_part(tmp_path)


class Bomb:
    def __init__(self, target: str):
        self.target = target

    def __reduce__(self):
        return (Path.touch, (Path(self.target),))


def test_a_booby_trapped_pickle_is_never_opened(tmp_path):
    fuse = tmp_path / "exploded"
    (tmp_path / "model.bin").write_bytes(pickle.dumps(Bomb(str(fuse))))
    folder = sklearn(tmp_path, serialization_format="pickle")
    with pytest.raises(ModelError, match="LM413"):
        demand_trust(folder, "trap", trust_model=False)
    assert not fuse.exists()
