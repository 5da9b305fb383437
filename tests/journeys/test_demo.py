"""`lakemon demo`, played once: interrupted in the middle, taken up again, and checked against other tools."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import timedelta
from email import message_from_bytes, policy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from deltalake import DeltaTable
from mlflow import MlflowClient
from sklearn.metrics import log_loss, roc_auc_score

from lakemon_core.demo.flights import FIRST_WEEK, LABEL, TIME, demand_packages, load_flights
from lakemon_core.demo.home import Home, packaged_config
from lakemon_core.domain.errors import UsageError

LAKEMON = [sys.executable, "-m", "lakemon_core"]
ROOT = Path(__file__).parents[2]
INFERENCE = "mlops_dev.flights.inference_logs"


@dataclass
class Demo:
    """A folder with a demo that was played, and the document it answered with."""

    folder: Path
    document: dict = field(default_factory=dict)

    @property
    def facts(self) -> dict:
        return self.document["demo"]

    def lakemon(self, command: str, *arguments: str) -> dict:
        done = subprocess.run(
            [*LAKEMON, command, *arguments, "--output", "json"],
            cwd=self.folder.parent, capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)

    def table(self, name: str) -> pd.DataFrame:
        """Reads a table with plain delta-rs, which knows nothing of lakemon."""
        return DeltaTable(self._place(name)).to_pyarrow_table().to_pandas()

    def versions(self) -> dict[str, int]:
        logs = (self.folder / ".lakemon/tables").glob("*/*/*/_delta_log")
        return {log.parent.name: DeltaTable(log.parent).version() for log in logs}

    def mails(self) -> list[str]:
        return sorted(path.name for path in (self.folder / ".lakemon/outbox").glob("*.eml"))

    def _place(self, name: str) -> Path:
        return self.folder / ".lakemon/tables" / Path(*name.split("."))


def interrupt_when(line: str, command: list[str], folder: Path) -> tuple[int, list[str]]:
    """Starts a command, sends it Ctrl-C when it says `line`, and returns its exit code and what it said."""
    process = subprocess.Popen(
        command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        env=os.environ | {"CI": "1"},
    )  # fmt: skip
    assert process.stderr is not None
    said: list[str] = []
    for text in process.stderr:
        said.append(text)
        if line in text:
            process.send_signal(signal.SIGINT)
            line = "\0"
    return process.wait(timeout=120), said


@pytest.fixture(scope="session")
def demo(tmp_path_factory):
    demo = Demo(tmp_path_factory.mktemp("demo") / "flights")
    play = [*LAKEMON, "demo", "--directory", str(demo.folder)]
    code, said = interrupt_when("week of 2013-04-08:", play, demo.folder.parent)
    assert code == 130, said
    try:
        demo.document = demo.lakemon("demo", "--directory", str(demo.folder))
        yield demo
    finally:
        with contextlib.suppress(AssertionError):
            demo.lakemon("stop", "-c", str(demo.folder / "monitoring_config.yml"))


@pytest.fixture(scope="session")
def inference(demo):
    rows = demo.table(INFERENCE)
    return rows.assign(month=rows[TIME].dt.strftime("%Y-%m-01"), week=rows[TIME].map(monday))


@pytest.fixture(scope="session")
def baseline(demo):
    return demo.table("mlops_dev.flights.baseline")


def monday(moment: pd.Timestamp) -> str:
    return str((moment - timedelta(days=moment.weekday())).date())


def psi(reference: np.ndarray, current: np.ndarray) -> float:
    """PSI by its definition: ten bins of equal reference mass, half a row added to each."""
    edges = [-np.inf, *np.quantile(reference, np.arange(1, 10) / 10), np.inf]
    p, q = (np.histogram(values, edges)[0] + 0.5 for values in (reference, current))
    p, q = p / p.sum(), q / q.sum()
    return float(np.sum((q - p) * np.log(q / p)))


def test_all_five_stages_are_done(demo):
    stages = {stage["name"]: stage["status"] for stage in demo.document["stages"]}
    assert stages == dict.fromkeys(["deploy", "validate", "monitor", "analyze", "alert"], "done")
    assert demo.document["status"] == "done"
    assert demo.document["exit_code"] == 0


def test_the_four_tables_hold_rows(demo):
    assert set(demo.document["tables"]) == {"inference", "profile_metrics", "drift_metrics", "signals"}
    assert all(len(demo.table(name)) for name in demo.document["tables"].values())


def test_every_flight_is_in_the_inference_table_once_although_the_demo_was_interrupted(inference):
    later = load_flights().later
    expected = later.loc[later[TIME] >= FIRST_WEEK.start]
    assert sorted(inference["flight_id"]) == sorted(expected["flight_id"])
    late = inference.set_index("flight_id")[LABEL]
    truth = expected.set_index("flight_id")[LABEL]
    assert late.notna().sum() == truth.notna().sum()
    assert (late.dropna().astype(int) == truth.dropna().astype(int).loc[late.dropna().index]).all()


def test_roc_auc_agrees_with_scikit_learn(demo, inference, baseline):
    rows = inference.dropna(subset=[LABEL])
    expected = {month: roc_auc_score(part[LABEL], part["proba"]) for month, part in rows.groupby("month")}
    assert demo.facts["roc_auc"]["windows"] == pytest.approx(expected, rel=1e-9)
    assert demo.facts["roc_auc"]["baseline"] == pytest.approx(
        roc_auc_score(baseline[LABEL], baseline["proba"]), rel=1e-9
    )


def test_log_loss_agrees_with_scikit_learn_and_the_storm_week_is_the_worst(demo, inference, baseline):
    rows = inference.dropna(subset=[LABEL])
    expected = {week: log_loss(part[LABEL], part["proba"]) for week, part in rows.groupby("week")}
    found = demo.facts["log_loss"]
    assert found["windows"] == pytest.approx(expected, rel=1e-9)
    assert found["baseline"] == pytest.approx(log_loss(baseline[LABEL], baseline["proba"]), rel=1e-9)
    assert demo.facts["worst_week"] == {
        "start": "2013-04-22",
        "value": pytest.approx(max(expected.values()), rel=1e-9),
    }


def test_the_model_gets_worse_as_the_year_goes_on(demo):
    auc = demo.facts["roc_auc"]
    assert auc["baseline"] == pytest.approx(0.758, abs=0.005)
    assert auc["windows"]["2013-04-01"] == pytest.approx(0.653, abs=0.01)
    assert auc["windows"]["2013-10-01"] == pytest.approx(0.641, abs=0.01)
    assert demo.facts["log_loss"]["baseline"] == pytest.approx(0.457, abs=0.005)
    assert demo.facts["worst_week"]["value"] == pytest.approx(0.844, abs=0.02)


def test_psi_of_temp_agrees_with_its_definition_and_is_above_3_from_april_to_october(
    demo, inference, baseline
):
    reference = baseline["temp"].dropna().to_numpy()
    known = inference.dropna(subset=["temp"])
    expected = {month: psi(reference, part["temp"].to_numpy()) for month, part in known.groupby("month")}
    found = demo.facts["psi_of_temp"]["windows"]
    assert found == pytest.approx(expected, rel=1e-9)
    assert next(month for month, value in found.items() if value > 3) == "2013-04-01"
    assert all(found[f"2013-{month:02d}-01"] > 3 for month in range(4, 11))


def test_requests_that_were_answered_are_in_the_payload_table_and_were_unpacked(demo, inference):
    payload = demo.table(f"{INFERENCE}_payload")
    ours = payload[payload["client_request_id"].str.startswith("demo-").fillna(False)]
    assert (ours["status_code"] == 200).all()
    assert ours["client_request_id"].is_unique
    asked = [
        record["flight_id"]
        for request in ours["request"]
        for record in json.loads(request)["dataframe_records"]
    ]
    assert len(asked) == demo.facts["rows"]["endpoint"] >= 3000
    from_endpoint = inference[inference["request_id"].isin(ours["databricks_request_id"])]
    assert sorted(from_endpoint["flight_id"]) == sorted(asked)


def test_incidents_were_opened_and_resolved_and_somebody_was_told(demo):
    told = [(moved["transition"], moved["window"]) for moved in demo.facts["transitions"] if moved["told"]]
    assert ("opened", "2013-04-22") in told, "the storm"
    assert ("resolved", "2013-04-29") in told, "its labels"
    assert {"open", "resolved"} <= {incident["status"] for incident in demo.document["incidents"]}
    deliveries = demo.document["deliveries"]
    assert {"opened", "resolved"} <= {delivery["transition"] for delivery in deliveries}
    assert {delivery["status"] for delivery in deliveries} == {"delivered"}


def test_every_delivery_is_a_mail_that_can_be_read(demo):
    mails = [
        message_from_bytes(Path(path).read_bytes(), policy=policy.default) for path in demo.facts["mails"]
    ]
    assert len(mails) == len(demo.document["deliveries"]) == len(demo.mails())
    for mail in mails:
        assert not mail.defects
        assert "flight_delays" in mail["Subject"]
        assert mail["To"].addresses[0].domain == "example.com"
        assert mail.get_body(("plain",)) is not None


def test_a_run_afterwards_changes_no_table_and_sends_nothing(demo):
    before = demo.versions(), demo.mails()
    document = demo.lakemon("run", "-c", str(demo.folder / "monitoring_config.yml"))
    assert (demo.versions(), demo.mails()) == before
    assert document["deliveries"] == []


def test_the_statement_it_suggests_gives_the_log_loss_of_every_week(demo):
    config = str(demo.folder / "monitoring_config.yml")
    rows = demo.lakemon("query", "-c", config, demo.facts["sql"])["rows"]
    assert {row["start"][:10]: row["value"] for row in rows} == demo.facts["log_loss"]["windows"]


def test_the_training_run_names_its_data_at_the_version_that_was_used(demo):
    store = f"sqlite:///{demo.folder}/.lakemon/mlflow.db"
    client = MlflowClient(store, store)
    experiment = client.get_experiment_by_name("flight delays")
    (run,) = client.search_runs([experiment.experiment_id])
    used = {
        (entry.dataset.name, json.loads(entry.dataset.source)["delta_table_version"])
        for entry in run.inputs.dataset_inputs
    }
    assert used == {("mlops_dev.flights.training_data", 0), ("mlops_dev.flights.baseline", 0)}
    (version,) = client.search_model_versions("name='mlops_dev.flights.flight_delays'")
    assert version.run_id == run.info.run_id
    assert client.get_model_version_by_alias(version.name, "champion").version == version.version


def test_the_demo_played_again_finds_the_same_and_changes_nothing(demo):
    before = demo.versions(), demo.mails()
    again = demo.lakemon("demo", "--directory", str(demo.folder))
    assert (demo.versions(), demo.mails()) == before
    assert again["demo"] == demo.facts
    assert [stage["status"] for stage in again["stages"]] == ["done"] * 5


def test_a_fresh_start_removes_what_the_demo_made_and_nothing_else(tmp_path):
    home = Home(tmp_path)
    home.furnish()
    (tmp_path / "notes.txt").write_text("mine")
    home.config.write_text("broken: [")
    home.clear()
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_folder_of_somebody_else_is_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("...")
    done = subprocess.run(
        [*LAKEMON, "demo", "--fresh", "--directory", str(tmp_path), "--output", "json"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"]["code"] == "LM171"
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_missing_package_is_named_with_its_cure():
    with pytest.raises(UsageError, match=r"LM170 the demo needs no_such_flights; .*lakemon\[demo\]"):
        demand_packages(["json", "no_such_flights"])


def test_the_example_is_the_config_that_the_demo_writes():
    assert (ROOT / "examples/flights/monitoring_config.yml").read_text() == packaged_config()
