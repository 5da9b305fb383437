"""Registered models: found by number, alias and latest; loaded with care; promoted once."""

import shutil

import pytest

from lakemon_core.domain.errors import ModelError
from lakemon_core.tracking import CHAMPION, LATEST_MODEL, ModelRegistry

NAME = "dev.flights.delays"


@pytest.fixture(scope="module")
def registry(workspace, frozen):
    """A registry with two versions of one model; the first is the champion."""
    registry = ModelRegistry(workspace)
    registry.register(str(frozen), NAME, aliases=[CHAMPION, LATEST_MODEL], tags={"owner": "ana"})
    registry.register(str(frozen), NAME, description="more rows")
    return registry


def test_a_version_is_found_by_number_alias_and_latest(registry):
    assert registry.resolve(NAME, "1").version == "1"
    assert registry.resolve(NAME, CHAMPION).version == "1"
    assert registry.resolve(NAME, "latest").version == "2"
    assert registry.latest(NAME).version == "2"


def test_the_newest_registration_carries_the_alias_for_it(registry):
    assert registry.resolve(NAME, LATEST_MODEL).version == "2"
    assert registry.resolve(NAME, "2").aliases == (LATEST_MODEL,)


def test_a_version_knows_its_signature_flavors_and_tags(registry):
    version = registry.resolve(NAME, "1")
    assert version.inputs == {"distance": "double", "hour": "double"}
    assert list(version.outputs) == ["0"]
    assert "sklearn" in version.flavors
    assert version.tags == {"owner": "ana"}
    assert version.uri == f"models:/{NAME}/1"


def test_the_tenth_version_is_newer_than_the_ninth(registry, frozen):
    for _ in range(10):
        registry.register(str(frozen), "dev.flights.many")
    assert registry.latest("dev.flights.many").version == "10"


def test_an_unknown_model_names_the_nearest(registry):
    with pytest.raises(ModelError, match=rf'LM401 .*Did you mean "{NAME}"\?'):
        registry.resolve("dev.flights.delay", "1")


def test_an_unknown_alias_names_the_nearest_and_an_unknown_number_what_exists(registry):
    with pytest.raises(ModelError, match=r'LM402 .*Did you mean "champion"\?'):
        registry.resolve(NAME, "champoin")
    with pytest.raises(ModelError, match=r"LM402 .*Known: 1, 2, champion, latest-model"):
        registry.resolve(NAME, "77")


def test_a_model_without_versions_says_so(registry):
    registry._client().create_registered_model("dev.flights.empty")
    with pytest.raises(ModelError, match=r"LM402 .*no version yet"):
        registry.latest("dev.flights.empty")


def test_an_empty_registry_says_how_to_log_a_model(tmp_path, monkeypatch):
    monkeypatch.setenv("LAKEMON_MLFLOW_STORE", "")
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("MLFLOW_REGISTRY_URI", f"sqlite:///{tmp_path}/other.db")
    with pytest.raises(ModelError, match=r"LM401 .*registered_model_name"):
        ModelRegistry(tmp_path).latest("a.b.c")


def test_an_alias_moves_and_goes(registry):
    registry.set_alias(NAME, "challenger", "latest")
    assert registry.resolve(NAME, "challenger").version == "2"
    registry.set_alias(NAME, "challenger", "1")
    assert registry.resolve(NAME, "challenger").version == "1"
    registry.remove_alias(NAME, "challenger")
    with pytest.raises(ModelError, match="LM402"):
        registry.resolve(NAME, "challenger")


@pytest.mark.parametrize("word", ["latest", "7", "v7"])
def test_a_word_that_means_a_version_is_no_alias(registry, word):
    with pytest.raises(ModelError, match="LM405"):
        registry.set_alias(NAME, word, "1")


def test_metadata_is_added_and_read_back(registry):
    registry.set_metadata(NAME, "2", {"trained_on": "2013-Q1"})
    assert registry.metadata(NAME)["trained_on"] == "2013-Q1"


def test_a_loaded_version_predicts(registry, rows, model):
    loaded = registry.load(NAME, CHAMPION)
    assert list(loaded.predict(rows)) == list(model.predict(rows))


def test_a_pickled_version_is_loaded_only_when_trusted(registry, model, rows, tmp_path):
    import mlflow

    mlflow.sklearn.save_model(
        model, tmp_path / "m", serialization_format="cloudpickle", pip_requirements=["scikit-learn"]
    )
    registry.register(str(tmp_path / "m"), "dev.flights.pickled")
    with pytest.raises(ModelError, match=r"LM413 .*model\.pkl"):
        registry.load("dev.flights.pickled")
    assert len(registry.load("dev.flights.pickled", trust_model=True).predict(rows)) == len(rows)


def test_the_input_example_comes_back_as_a_table(registry, rows):
    example = registry.input_example(registry.resolve(NAME, "1"))
    assert example.column_names == ["distance", "hour"]
    assert example.to_pydict() == rows.head(3).to_dict("list")


def test_a_model_without_an_example_has_none(registry, model, tmp_path):
    import mlflow

    mlflow.sklearn.save_model(model, tmp_path / "m", pip_requirements=["scikit-learn"])
    assert registry.input_example(registry.register(str(tmp_path / "m"), "dev.flights.bare")) is None


def test_promotion_copies_within_a_registry_and_a_second_time_changes_nothing(registry):
    first = registry.promote(NAME, CHAMPION, "prod.flights.delays")
    again = registry.promote(NAME, CHAMPION, "prod.flights.delays")
    assert (first.name, first.version) == ("prod.flights.delays", "1")
    assert again.version == "1"
    assert registry.resolve("prod.flights.delays", CHAMPION).inputs == registry.resolve(NAME, "1").inputs
    assert registry.promote(NAME, "2", "prod.flights.delays").version == "2"


def test_promotion_to_another_registry_moves_the_files_too(registry, tmp_path, rows, frozen):
    import mlflow

    uri = f"sqlite:///{tmp_path}/prod.db"
    folder = tmp_path / "source"
    shutil.copytree(frozen, folder)
    origin = registry.register(str(folder), "dev.flights.moving")
    made = registry.promote("dev.flights.moving", origin.version, "prod.flights.delays", registry_uri=uri)
    assert registry.promote("dev.flights.moving", "1", made.name, registry_uri=uri).version == made.version
    shutil.rmtree(folder)
    location = mlflow.MlflowClient(uri, uri).get_model_version_download_uri(made.name, made.version)
    assert str(tmp_path) in location
    assert len(mlflow.pyfunc.load_model(location).predict(rows)) == len(rows)


def test_unity_catalog_is_not_asked_to_take_a_model_without_a_signature(
    registry, model, tmp_path, monkeypatch, workspace
):
    import mlflow

    mlflow.sklearn.save_model(model, tmp_path / "m", pip_requirements=["scikit-learn"])
    version = registry.register(str(tmp_path / "m"), "dev.flights.unsigned")
    with pytest.raises(ModelError, match=r"LM404 .*signature"):
        registry.promote(version.name, "1", "prod.flights.delays", registry_uri="databricks-uc")
    monkeypatch.setenv("MLFLOW_REGISTRY_URI", "databricks-uc")
    catalog = ModelRegistry(workspace)
    with pytest.raises(ModelError, match=r"LM404 .*signature"):
        catalog.register(str(tmp_path / "m"), "prod.flights.delays")
    monkeypatch.undo()
    ModelRegistry(workspace)
