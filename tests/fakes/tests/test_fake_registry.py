"""The registry of the fake, asked by MLflow's own client."""

from pathlib import Path

import mlflow
import pytest
from fakes.databricks import FakeWorkspace
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflow.models import Model, ModelSignature
from mlflow.types import ColSpec, Schema

NAME = "main.flights.delays"


@pytest.fixture
def registry(fake: FakeWorkspace, monkeypatch) -> MlflowClient:
    """MLflow's client of the fake."""
    monkeypatch.setenv("DATABRICKS_HOST", fake.host)
    monkeypatch.setenv("DATABRICKS_TOKEN", fake.token)
    fake.lake.create_schema("main.flights")
    fake.lake.create_schema("prod.flights")
    mlflow.set_tracking_uri("databricks")
    mlflow.set_registry_uri("databricks-uc")
    return MlflowClient()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model on disk: a signature and a file, which is all that the registry looks at."""
    place = tmp_path / "model"
    place.mkdir()
    inputs, outputs = Schema([ColSpec("double", "x")]), Schema([ColSpec("double")])
    model = Model(signature=ModelSignature(inputs=inputs, outputs=outputs))
    model.add_flavor("python_function", loader_module="nothing", python_version="3.11")
    model.save(str(place / "MLmodel"))
    (place / "data").mkdir()
    (place / "data" / "weights.txt").write_text("1 2 3")
    return place


def test_a_model_is_registered_with_its_files_and_comes_back(registry, fake, folder, tmp_path):
    version = mlflow.register_model(str(folder), NAME)
    back = Path(mlflow.artifacts.download_artifacts(f"models:/{NAME}/1", dst_path=str(tmp_path / "back")))

    assert (version.status, int(version.version)) == ("READY", 1)
    assert (back / "data" / "weights.txt").read_text() == "1 2 3"
    assert (fake.models.folder(NAME, 1) / "MLmodel").is_file()


def test_aliases_and_tags_are_kept_and_search_tells_neither(registry, fake, folder):
    mlflow.register_model(str(folder), NAME)
    registry.set_registered_model_alias(NAME, "champion", "1")
    registry.set_model_version_tag(NAME, "1", "git_sha", "abc")
    search = "/api/2.0/mlflow/unity-catalog/model-versions/search"
    (found,) = fake.client().api_client.do("GET", search, query={"filter": f"name='{NAME}'"})[
        "model_versions"
    ]

    assert registry.get_model_version_by_alias(NAME, "champion").tags == {"git_sha": "abc"}
    assert registry.get_registered_model(NAME).aliases == {"champion": "1"}
    assert "tags" not in found
    assert "aliases" not in found


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda c: c.create_registered_model(NAME), "RESOURCE_ALREADY_EXISTS"),
        (lambda c: c.create_registered_model("main.nope.delays"), "RESOURCE_DOES_NOT_EXIST"),
        (lambda c: c.get_registered_model("main.flights.nope"), "RESOURCE_DOES_NOT_EXIST"),
        (lambda c: c.get_model_version(NAME, "9"), "RESOURCE_DOES_NOT_EXIST"),
        (lambda c: c.get_model_version_by_alias(NAME, "nope"), "RESOURCE_DOES_NOT_EXIST"),
        (lambda c: c.search_model_versions("name LIKE 'x'"), "INVALID_PARAMETER_VALUE"),
    ],
)
def test_what_the_registry_refuses(registry, fake, call, code):
    fake.models.add(NAME)

    with pytest.raises(MlflowException) as caught:
        call(registry)

    assert caught.value.error_code == code


def test_a_model_needs_create_model_on_its_schema(registry, fake, monkeypatch):
    monkeypatch.setenv("DATABRICKS_TOKEN", fake.identity.new_token("bob@example.com"))

    with pytest.raises(MlflowException) as caught:
        registry.create_registered_model(NAME)

    assert caught.value.error_code == "PERMISSION_DENIED"


CODE = """
import mlflow


class Doubles(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return model_input["x"] * 2


mlflow.models.set_model(Doubles())
"""


def test_a_registered_model_is_served_from_its_own_files(registry, fake, tmp_path):
    code = tmp_path / "doubles.py"
    code.write_text(CODE)
    signature = ModelSignature(
        inputs=Schema([ColSpec("double", "x")]), outputs=Schema([ColSpec("double", "x")])
    )
    mlflow.pyfunc.save_model(
        str(tmp_path / "doubles"), python_model=str(code), signature=signature, pip_requirements=["mlflow"]
    )
    mlflow.register_model(str(tmp_path / "doubles"), NAME)

    assert fake.models.scorer(NAME, "1")([{"x": 4.0}, {"x": 5.0}]) == [{"x": 8.0}, {"x": 10.0}]
