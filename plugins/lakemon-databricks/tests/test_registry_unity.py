"""Models of Unity Catalog: registered with a signature, named by aliases, promoted by copy, loaded."""

from contextlib import suppress

import numpy as np
import pandas as pd
import pytest
from fakes.databricks import faults

from lakemon_core.domain.errors import ModelError

NAME = "dev.flights.delays"
INPUTS = pd.DataFrame({"distance": [30.0, 90.0, 400.0, 700.0], "hour": [3.0, 9.0, 12.0, 20.0]})
LATE = np.array([0, 1, 0, 1])


@pytest.fixture
def registry(signed_in, open_databricks):
    """The registry of a workspace with empty schemas `dev.flights` and `prod.flights`."""
    for schema in ("dev.flights", "prod.flights"):
        signed_in.lake.create_schema(schema)
    backend = open_databricks({"call_seconds": 20.0})
    backend.registry.point()
    return backend.registry


@pytest.fixture
def delays(registry, saved_model):
    """Registered twice; `champion` is the first."""
    registry.models.register(str(saved_model), NAME, tags={"trained_on": "2013-Q1"})
    registry.models.register(str(saved_model), NAME)
    registry.models.set_alias(NAME, "champion", "1")
    return registry


def test_a_registered_version_is_found_by_number_alias_and_latest(delays):
    first = delays.resolve(NAME, "1")
    assert (first.name, first.version, first.aliases) == (NAME, "1", ("champion",))
    assert first.inputs == {"distance": "double", "hour": "double"}
    assert dict(first.tags) == {"trained_on": "2013-Q1"}
    assert delays.resolve(NAME, "champion") == first
    assert delays.resolve(NAME, "latest").version == "2"
    assert delays.resolve(NAME, "latest-model").version == "2"


def test_what_is_not_there_is_named_with_the_nearest(delays):
    with pytest.raises(ModelError, match=r"LM401 .*dev.flights.delays"):
        delays.resolve("dev.flights.delay", "1")
    with pytest.raises(ModelError, match=r"LM402 .*champion"):
        delays.resolve(NAME, "champoin")


def test_a_model_without_a_signature_is_refused_before_anything_is_sent(registry, signed_in, tmp_path):
    import mlflow.sklearn
    from sklearn.linear_model import LogisticRegression

    place = tmp_path / "unsigned"
    mlflow.sklearn.save_model(
        LogisticRegression().fit(INPUTS, LATE),
        str(place),
        serialization_format="skops",
        pip_requirements=["scikit-learn"],
    )
    with pytest.raises(ModelError, match=r"LM404 .*infer_signature"):
        registry.models.register(str(place), NAME)
    assert signed_in.models.known == {}


def test_the_input_example_comes_back_as_a_table(delays):
    example = delays.input_example(delays.resolve(NAME, "1"))
    assert example.to_pydict() == INPUTS.to_dict("list")


def test_a_version_is_promoted_by_copy_and_once(delays, signed_in):
    for _ in range(2):
        promoted = delays.models.promote(NAME, "champion", "prod.flights.delays")
        assert (promoted.name, promoted.version, promoted.aliases) == (
            "prod.flights.delays",
            "1",
            ("champion",),
        )
    assert list(signed_in.models.known["prod.flights.delays"].versions) == [1]
    assert delays.resolve("prod.flights.delays", "champion").inputs == {
        "distance": "double",
        "hour": "double",
    }


@pytest.mark.parametrize("path", ["*registered-models/create", "*model-versions/create", "*alias"])
def test_a_promotion_whose_answer_is_lost_makes_one_version(delays, signed_in, path):
    signed_in.faults.on("POST", path, faults.loses_the_answer())
    for _ in range(2):  # where MLflow gives up, the next run finds what was made
        with suppress(ModelError):
            delays.models.promote(NAME, "champion", "prod.flights.delays")
    # MLflow's own client sends the making of a version again: the first one stays without files, never ready.
    versions = signed_in.models.known["prod.flights.delays"].versions
    ready = [str(number) for number, one in versions.items() if one.status == "READY"]
    assert ready == [delays.resolve("prod.flights.delays", "champion").version]
    assert delays.resolve("prod.flights.delays", "latest").version in ready


@pytest.fixture
def logged(registry, tmp_path):
    """The same registry with one version that a training run has logged by `log_model`."""
    import mlflow
    from mlflow.models import infer_signature
    from sklearn.linear_model import LogisticRegression

    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path}/runs.db")
    experiment = mlflow.create_experiment("delays", artifact_location=(tmp_path / "artifacts").as_uri())
    model = LogisticRegression().fit(INPUTS, LATE)
    with mlflow.start_run(experiment_id=experiment):
        mlflow.sklearn.log_model(
            model,
            name="delays",
            signature=infer_signature(INPUTS, model.predict(INPUTS)),
            input_example=INPUTS,
            serialization_format="skops",
            pip_requirements=["scikit-learn"],
            registered_model_name=NAME,
        )
    yield registry
    mlflow.set_tracking_uri(before)


def test_what_a_training_run_has_logged_is_promoted_and_answers(logged):
    promoted = logged.models.promote(NAME, "latest", "prod.flights.delays")
    assert (promoted.name, promoted.version) == ("prod.flights.delays", "1")
    assert logged.resolve("prod.flights.delays", "champion").inputs == {
        "distance": "double",
        "hour": "double",
    }
    assert list(logged.models.load("prod.flights.delays", "champion").predict(INPUTS)) == [0, 1, 0, 1]
    assert logged.models.promote(NAME, "1", "prod.flights.delays").version == "1"


def test_a_version_is_loaded_and_answers(delays):
    model = delays.models.load(NAME, "champion")
    assert list(model.predict(INPUTS)) == [0, 1, 0, 1]


def test_where_we_may_not_make_a_model_that_is_told(registry, signed_in, saved_model, monkeypatch):
    signed_in.lake.create_schema("theirs.flights", owner="somebody@else.com")
    with pytest.raises(ModelError, match=r"LM400 .*USE CATALOG"):
        registry.models.register(str(saved_model), "theirs.flights.delays")


def test_host_and_token_of_a_profile_are_enough(delays, signed_in, open_databricks, monkeypatch, tmp_path):
    monkeypatch.delenv("DATABRICKS_HOST")
    monkeypatch.delenv("DATABRICKS_TOKEN")
    profile = f"[prod]\nhost = {signed_in.host}\ntoken = {signed_in.token}\n"
    (tmp_path / "databrickscfg").write_text(profile)
    assert open_databricks({"profile": "prod"}).registry.resolve(NAME, "champion").inputs


def test_the_host_may_stand_in_the_config(delays, signed_in, open_databricks, monkeypatch):
    monkeypatch.delenv("DATABRICKS_HOST")
    assert open_databricks({"host": signed_in.host}).registry.resolve(NAME, "champion").inputs


def test_wrong_credentials_are_told_before_mlflow_is_asked(signed_in, open_databricks, monkeypatch):
    monkeypatch.setenv("DATABRICKS_TOKEN", "dapi-unknown")
    with pytest.raises(ModelError, match="LM421"):
        open_databricks().registry.resolve(NAME, "1")
