"""Training runs: what went in, what came out, and at which version."""

import pyarrow as pa
import pytest

from lakemon_core.domain.errors import ModelError
from lakemon_core.domain.names import TableName
from lakemon_core.ports import TableInfo
from lakemon_core.tracking import MlflowTracking, ModelRegistry

TABLE = TableName("dev", "flights", "training_data")
SCHEMA = pa.schema(
    [
        ("flag", pa.bool_()), ("small", pa.int16()), ("big", pa.int64()), ("share", pa.float64()),
        ("at", pa.timestamp("us", "UTC")), ("name", pa.string()), ("list", pa.list_(pa.int64())),
    ]
)  # fmt: skip


def table(version: int, location: str = "/lake/training_data") -> TableInfo:
    return TableInfo(TABLE, location, version, SCHEMA)


@pytest.fixture(scope="module")
def tracking(workspace):
    return MlflowTracking("delays", workspace=workspace)


def test_a_run_keeps_data_sets_parameters_metrics_and_models(tracking, model, rows, workspace):
    with tracking.run("first", tags={"git_sha": "abc"}) as run_id:
        tracking.log_data_set(table(3))
        tracking.log_parameters({"iterations": 60})
        tracking.log_metrics({"auc": 0.758})
        uri = tracking.log_model(model, example=rows.head(3), predict="predict_proba")
    version = ModelRegistry(workspace).register(uri, "dev.flights.tracked")

    run = tracking.lineage()[0]
    assert (run.run_id, run.name, run.status) == (run_id, "first", "FINISHED")
    assert [(used.name, used.version, used.place, used.context) for used in run.data_sets] == [
        (str(TABLE), 3, "/lake/training_data", "training")
    ]
    assert run.models == (uri,)
    assert run.versions == (("dev.flights.tracked", version.version),)
    logged = tracking._client().get_run(run_id).data
    assert logged.params == {"iterations": "60"}
    assert logged.metrics == {"auc": 0.758}
    assert logged.tags["git_sha"] == "abc"


def test_version_zero_and_several_versions_of_one_table_are_all_kept(tracking):
    with tracking.run("versions"):
        for number in (0, 1, 2):
            tracking.log_data_set(table(number), context="training" if number else "baseline")
    used = tracking.lineage()[0].data_sets
    assert sorted((entry.version, entry.context) for entry in used) == [
        (0, "baseline"), (1, "training"), (2, "training"),
    ]  # fmt: skip


def test_mlflow_reads_the_data_set_with_its_own_classes(tracking):
    import mlflow

    with tracking.run("own classes") as run_id:
        tracking.log_data_set(table(0))
    entry = mlflow.get_run(run_id).inputs.dataset_inputs[0].dataset
    source = mlflow.data.get_source(entry)
    assert (source.path, source.delta_table_version) == ("/lake/training_data", 0)


def test_a_table_without_a_location_is_named_as_unity_catalog_names_it(tracking):
    with tracking.run("catalog"):
        tracking.log_data_set(table(7, location=""))
    used = tracking.lineage()[0].data_sets[0]
    assert (used.place, used.version) == ("dev.flights.training_data", 7)


def test_the_logged_model_has_signature_example_and_its_own_predict_function(tracking, model, rows):
    import mlflow

    with tracking.run("model"):
        uri = tracking.log_model(model, example=rows.head(3), predict="predict_proba")
    loaded = mlflow.pyfunc.load_model(uri)
    assert loaded.metadata.get_input_schema().input_names() == ["distance", "hour"]
    assert loaded.predict(rows).shape == (len(rows), 2)


def test_plain_mlflow_calls_inside_a_run_go_to_the_same_run(tracking):
    import mlflow

    with tracking.run("mixed") as run_id:
        mlflow.log_metric("loss", 0.5)
    assert tracking._client().get_run(run_id).data.metrics == {"loss": 0.5}


def test_a_run_that_raises_is_marked_as_failed(tracking):
    with pytest.raises(RuntimeError, match="no data"), tracking.run("broken"):
        raise RuntimeError("no data")
    assert tracking.lineage()[0].status == "FAILED"


def test_files_are_stored_with_the_run_inside_the_workspace(tracking, tmp_path, workspace):
    note = tmp_path / "note.txt"
    note.write_text("fine")
    with tracking.run("files"):
        tracking.log_artifact(note, folder="notes")
        with pytest.raises(ModelError, match="LM408"):
            tracking.log_artifact(tmp_path / "gone.txt")
    assert [path.read_text() for path in (workspace / "artifacts").rglob("note.txt")] == ["fine"]


def test_nothing_is_logged_outside_a_run(tracking, model, rows):
    import mlflow

    calls = (
        lambda: tracking.log_data_set(table(1)),
        lambda: tracking.log_parameters({"a": 1}),
        lambda: tracking.log_metrics({"a": 1.0}),
        lambda: tracking.log_model(model, example=rows),
    )
    for call in calls:
        with pytest.raises(ModelError, match="LM406"):
            call()
    assert mlflow.active_run() is None


def test_a_parameter_cannot_take_a_second_value(tracking):
    with tracking.run("twice"):
        tracking.log_parameters({"iterations": 60})
        with pytest.raises(ModelError, match="LM407"):
            tracking.log_parameters({"iterations": 61})


def test_lineage_of_a_new_experiment_is_empty(workspace):
    assert MlflowTracking("nothing yet", workspace=workspace).lineage() == ()
