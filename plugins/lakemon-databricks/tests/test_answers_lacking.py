"""Answers that lack a field or tell of an item twice: an error in our words at worst, and nothing doubled."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from fakes.databricks import FakeWorkspace, faults
from fakes.databricks.web.messages import Answer
from lakemon_classification.model_type import Classification

from lakemon_core.domain.errors import LakemonError
from lakemon_core.domain.names import TableName

NAME = "prod.flights.inference_logs"
TABLE = TableName.parse(NAME)
START = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=3)
DELAYS = Classification(Classification.Config(model_id_col="model_version"))
ENDPOINT = "/api/2.0/serving-endpoints"
MONITORS = "/api/data-quality/v1/monitors"
SQL = "/api/2.0/sql/statements"

LACKING = [
    ("GET", f"{ENDPOINT}/flights", "state"),
    ("GET", f"{ENDPOINT}/flights", "config"),
    ("POST", "/serving-endpoints/flights/invocations", "predictions"),
    ("POST", SQL, "status"),
    ("POST", SQL, "manifest"),
    ("GET", f"{MONITORS}/table/*", "data_profiling_config"),
    ("POST", f"{MONITORS}/table/*/refreshes", "refresh_id"),
    ("GET", f"{MONITORS}/table/*/refreshes/*", "state"),
    ("POST", "/api/2.0/lakeview/dashboards", "dashboard_id"),
    *(
        pytest.param(*one, marks=pytest.mark.slow)
        for one in (
            ("POST", ENDPOINT, "state"),
            ("POST", ENDPOINT, "config"),
            ("GET", f"{ENDPOINT}/flights", "id"),
            ("GET", f"{ENDPOINT}/flights", "tags"),
            ("GET", f"{ENDPOINT}/flights", "ai_gateway"),
            ("POST", SQL, "statement_id"),
            ("POST", SQL, "result"),
            ("GET", "/api/2.1/unity-catalog/tables/*", "table_id"),
            ("GET", "/api/2.1/unity-catalog/schemas/*", "schema_id"),
            ("GET", "/api/2.1/unity-catalog/schemas", "schemas"),
            ("POST", MONITORS, "data_profiling_config"),
            ("GET", f"{MONITORS}/table/*/refreshes/*", "refresh_id"),
            ("GET", "/api/2.0/sql/warehouses", "warehouses"),
            ("GET", "*/Me", "userName"),
        )
    ),
]


def without(field: str) -> faults.Fault:
    """Takes one field out of an answer."""

    def change(answer: Answer) -> Answer:
        body = json.loads(answer.body or b"{}")
        body.pop(field, None)
        return replace(answer, body=json.dumps(body).encode())

    return faults.rewrites(change)


def counted(config: dict[str, Any], rows: pa.Table, baseline: pa.Table | None):
    del config, rows, baseline
    profile = {"model_version": ["*", "1"], "column_name": [":table"] * 2}
    return pa.table(profile), pa.table({"model_version": ["*", "1"]})


def rows(count: int) -> pa.Table:
    moments = pa.array([START + timedelta(hours=at) for at in range(count)], pa.timestamp("us", "UTC"))
    return pa.table({"timestamp": moments, "model_version": ["1"] * count, "prediction": ["yes"] * count})


@pytest.fixture
def workspace(models: FakeWorkspace) -> FakeWorkspace:
    """A workspace with a model and an inference table."""
    models.monitors.measure = counted
    models.lake.write(NAME, rows(30))
    return models


@pytest.fixture
def everything(deploy, open_databricks, payload, quiet):
    """Deploys, asks, looks for the request, profiles: each part on its own machine; returns its errors.

    `seconds` limits deployment and refresh: short for answers that can only be waited for in vain.
    """

    def profiled(seconds: float) -> None:
        settings = {"refresh_seconds": seconds, "call_seconds": 3.0 * seconds}
        backend = open_databricks(settings, monitoring={"output_schema": "monitoring"})
        backend.profiles.bring_up(DELAYS, progress=quiet)

    def asked() -> None:
        serving = open_databricks().serving
        answer = serving.query("flights", [{"distance": 1.0}], client_request_id="ours")
        assert answer.status == 200 or answer.error
        serving.logged(payload, [answer.request_id or "ours"], wait_seconds=0.2, progress=quiet)

    def run(seconds: float = 60.0) -> list[str]:
        told: list[str] = []
        parts = (lambda: deploy("1", timeout_seconds=seconds), asked, lambda: profiled(seconds))
        for part in parts:
            try:
                part()
            except LakemonError as error:
                told.append(str(error))
        return told

    return run


def check(workspace: FakeWorkspace, everything, method: str, path: str, field: str) -> None:
    """Lets an answer lack a field for a whole run, then for none: all is there, and once."""
    workspace.faults.on(method, path, without(field), times=None)
    told = everything(seconds=1.0)
    assert all(one.startswith("LM") for one in told)
    workspace.faults.clear()
    assert everything() == []
    assert list(workspace.serving.endpoints) == ["flights"]
    assert len(workspace.monitors.known) == 1
    assert len(workspace.dashboards.known) == 1
    assert len(workspace.lake.rows("prod.lakemon.inference_logs_profile_metrics")) == 2


@pytest.mark.parametrize(("method", "path", "field"), LACKING)
def test_an_answer_that_lacks_a_field(workspace, everything, method, path, field):
    check(workspace, everything, method, path, field)


def twice(answer: Answer) -> Answer:
    """The same items on this page and, as it seems, on the one before."""
    body = json.loads(answer.body)
    for name, items in body.items():
        if isinstance(items, list):
            body[name] = items * 2
    return replace(answer, body=json.dumps(body).encode())


def test_an_item_that_is_on_two_pages_is_one_item(workspace: FakeWorkspace, everything, open_databricks):
    assert everything() == []
    for path in ("/api/2.0/sql/warehouses", "/api/2.1/*", "/api/2.0/lakeview/*", "/api/2.0/permissions/*"):
        workspace.faults.on("GET", path, faults.rewrites(twice), times=None)
    workspace.lake.write(NAME, rows(1))
    assert everything() == []
    checks = {check.name: check.ok for check in open_databricks().preflight()}
    assert checks["warehouse"]
    assert len(workspace.monitors.known) == len(workspace.dashboards.known) == 1


def test_a_chunk_of_rows_that_comes_twice_is_told(workspace: FakeWorkspace, open_databricks):
    """Rows that nobody sent twice are never counted twice."""
    backend = open_databricks()
    assert backend.tables.scan(TABLE).read_all().num_rows == 30
    workspace.faults.on("POST", SQL, faults.rewrites(chunk_twice), times=None)
    with pytest.raises(LakemonError, match=r"LM452 .* 60 of 30 rows came"):
        backend.tables.scan(TABLE).read_all()


def chunk_twice(answer: Answer) -> Answer:
    body = json.loads(answer.body)
    links = body.get("result", {}).get("external_links")
    if links and body["manifest"]["total_row_count"] == 30:
        links.append(links[0])
    return replace(answer, body=json.dumps(body).encode())
