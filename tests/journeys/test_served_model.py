"""The other way in: a registered model becomes an endpoint; its requests become rows, labels come late."""

import json
import os
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.core import Config
from sklearn.metrics import accuracy_score, roc_auc_score

from lakemon_core import MonitoringFramework
from lakemon_core.domain.names import TableName
from lakemon_core.domain.run import Stage

MODEL = "mlops_dev.bank.fraud"
MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
FEATURES = ["amount", "age"]


def transactions(rng, rows, day, shift=0.0):
    amount = rng.normal(50 + shift, 15, rows)
    frame = pd.DataFrame({"amount": amount, "age": rng.integers(18, 90, rows).astype(float)})
    frame["tx"] = [f"{day}-{number}" for number in range(rows)]
    frame["ts"] = [(MONDAY + timedelta(days=day, minutes=number)).isoformat() for number in range(rows)]
    frame["fraud"] = (rng.random(rows) < 1 / (1 + np.exp(-(amount - 55) / 8))).astype(int)
    return frame


@pytest.fixture(scope="module")
def rng():
    return np.random.default_rng(7)


@pytest.fixture(scope="module")
def bank(tmp_path_factory, rng):
    """A framework with a trained, registered and deployed model."""
    keys = [key for key in os.environ if key.startswith("MLFLOW_")]
    before = {key: os.environ.pop(key) for key in keys}
    framework = MonitoringFramework(
        catalog="mlops_dev",
        schema="bank",
        model_name="fraud",
        model={
            "timestamp_col": "ts",
            "prediction_proba_col": "proba",
            "label_col": "fraud",
            "features": FEATURES,
        },
        workspace=tmp_path_factory.mktemp("bank") / ".lakemon",
    )
    training = transactions(rng, 2000, 0)
    _register(training)
    with framework.open() as session:
        session.backend.tables.append(
            TableName.parse("mlops_dev.bank.training"), pa.table(_baseline(training))
        )
    yield framework
    with framework.open() as session:
        session.backend.server.stop()
    os.environ.update(before)


def _register(training):
    """Plain mlflow, as its users write it: the framework has pointed it at the right registry."""
    import mlflow
    from mlflow.models import infer_signature
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression().fit(training[FEATURES], training["fraud"])
    probabilities = model.predict_proba(training[FEATURES])
    with mlflow.start_run():
        mlflow.sklearn.log_model(
            model,
            name="model",
            registered_model_name=MODEL,
            signature=infer_signature(training[FEATURES], probabilities),
            pyfunc_predict_fn="predict_proba",
            pip_requirements=["scikit-learn"],
        )


def _baseline(training):
    return {name: training[name].to_numpy() for name in [*FEATURES, "fraud"]}


@pytest.fixture(scope="module")
def deployment(bank):
    """Made exactly as the docs of the Python API show it."""
    return bank.deploy_with_monitoring(
        model_version="1",
        serving_config={"endpoint_name": "fraud-dev"},
        inference_table_config={
            "name": "inference_logs",
            "labels": {"table": "frauds", "on": ["tx"], "label_col": "fraud", "timestamp_col": "at"},
        },
        monitoring_config={"baseline_table": "training", "granularities": ["1 day"]},
    )


@pytest.fixture(scope="module")
def sent(bank, deployment, rng):
    """Three days of requests through the real Databricks SDK; returns rows with what was answered."""
    host = deployment.endpoint_url.split("/serving-endpoints")[0]
    client = WorkspaceClient(config=Config(host=host, token="x", retry_timeout_seconds=20))
    days = [transactions(rng, 120, day, shift=30.0 if day == 2 else 0.0) for day in range(3)]
    for number, day in enumerate(days):
        answer = client.serving_endpoints.query(
            "fraud-dev",
            dataframe_records=day[[*FEATURES, "tx", "ts"]].to_dict("records"),
            client_request_id=f"day-{number}",
        )
        day["proba"] = [pair[1] for pair in answer.predictions]
    return pd.concat(days)


@pytest.fixture(scope="module")
def first_run(bank, sent):
    return bank.run()


@pytest.fixture(scope="module")
def labelled_run(bank, sent, first_run):
    """Labels of the first two days arrive; one is corrected later in the same table."""
    labels = sent[sent["tx"].str.startswith(("0-", "1-"))][["tx", "fraud"]]
    with framework_tables(bank) as tables:
        name = TableName.parse("mlops_dev.bank.frauds")
        later = pa.array([MONDAY + timedelta(days=9)] * len(labels), pa.timestamp("us", "UTC"))
        tables.append(
            name, pa.table({"tx": labels["tx"].to_numpy(), "fraud": labels["fraud"].to_numpy(), "at": later})
        )
        wrong = {"tx": ["0-0"], "fraud": [1 - int(labels["fraud"].iloc[0])], "at": [MONDAY]}
        tables.append(name, pa.table(wrong))
    return bank.run()


@contextmanager
def framework_tables(bank):
    with bank.open() as session:
        yield session.backend.tables


def rows_of(bank, name):
    with framework_tables(bank) as tables:
        return tables.scan(TableName.parse(name)).read_all().to_pandas()


def test_the_deployment_is_a_mapping_and_an_object(deployment):
    assert deployment["endpoint_name"] == deployment.endpoint_name == "fraud-dev"
    assert deployment["model_version"] == "1"
    assert deployment["dashboard_url"].startswith("http://127.0.0.1:")
    assert json.dumps(deployment["result"].document())
    assert set(deployment) >= {"run_id", "endpoint_url", "inference_table", "signals_table"}


def test_test_requests_are_logged_but_not_measured(bank, deployment, first_run):
    payload = rows_of(bank, "mlops_dev.bank.inference_logs_payload")
    assert payload["client_request_id"].str.startswith("lakemon-validate-").sum() == 5
    logs = rows_of(bank, "mlops_dev.bank.inference_logs")
    assert len(logs) == 360
    assert not logs["client_request_id"].str.startswith("lakemon-validate-").any()


def test_every_row_carries_what_was_sent_and_what_was_answered(bank, sent, first_run):
    logs = rows_of(bank, "mlops_dev.bank.inference_logs").set_index("tx").loc[sent["tx"]]
    assert np.allclose(logs["amount"], sent["amount"], rtol=1e-12)
    assert np.allclose(logs["proba"], sent["proba"], rtol=1e-12)
    assert (logs["prediction"].astype(str).to_numpy() == (sent["proba"] > 0.5).astype(int).astype(str)).all()
    assert set(logs["model_id"].astype(str)) == {"1"}
    assert logs["ts"].min().to_pydatetime() == MONDAY


def test_late_labels_are_merged_and_their_windows_measured_again(bank, sent, labelled_run):
    detail = next(stage.detail for stage in labelled_run.stages if stage.name is Stage.MONITOR)
    assert detail["labels_merged"] == 240
    assert detail["windows"] == 3  # two with labels, and the successor whose drift looks back
    profile = rows_of(bank, "mlops_dev.monitoring.inference_logs_profile_metrics")
    table = profile[
        (profile["column_name"] == ":table") & (profile["log_type"] == "INPUT") & (profile["model_id"] == "*")
    ]
    for day in range(2):
        known = sent[sent["tx"].str.startswith(f"{day}-")]
        row = table[[window["start"] == MONDAY + timedelta(days=day) for window in table["window"]]].iloc[0]
        guess = (known["proba"] > 0.5).astype(int)
        assert row["accuracy_score"] == pytest.approx(accuracy_score(known["fraud"], guess), rel=1e-9)
        assert row["roc_auc_score"]["macro"] == pytest.approx(
            roc_auc_score(known["fraud"], known["proba"]), rel=1e-9
        )


def test_windows_without_labels_have_a_reason_instead_of_a_number(bank, labelled_run):
    signals = rows_of(bank, "mlops_dev.monitoring.inference_logs_signals")
    accuracy = signals[(signals["signal"] == "accuracy") & (signals["model_id"] == "*")]
    last = accuracy.loc[accuracy["window"].map(lambda window: window["start"]).idxmax()]
    assert np.isnan(last["value"])
    assert last["reason"] == "no row has a label"
    assert last["maturity"] == 0.0


def test_the_same_run_again_changes_no_table(bank, labelled_run):
    def versions():
        with framework_tables(bank) as tables:
            return {str(name): tables.info(name).version for name in tables.list()}

    before = versions()
    again = bank.run()
    assert versions() == before
    assert again.deliveries == ()
    assert {stage.status.value for stage in again.stages} <= {"done", "nothing to do"}


def test_a_model_that_is_not_registered_is_named_with_its_neighbours(bank, deployment):
    framework = MonitoringFramework("mlops_dev", "bank", "fruad", workspace=_workspace(bank))
    framework.configure(serving_config={"endpoint_name": "fruad-dev"})
    failed = framework.deploy().failed_stage()
    assert failed is not None
    assert failed.detail["code"] == "LM401"
    assert "fraud" in str(failed.detail["error"])


def _workspace(bank) -> Path:
    with bank.open() as session:
        return session.workspace
