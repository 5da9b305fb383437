"""The server speaks Databricks' wire format: its real clients work against it, and bad requests get 4xx."""

import http.client
import json
import socket
import sqlite3
from concurrent.futures import ThreadPoolExecutor

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.core import Config
from databricks.sdk.errors import (
    BadRequest,
    ResourceAlreadyExists,
    ResourceDoesNotExist,
    Unauthenticated,
)
from databricks.sdk.service.serving import (
    AiGatewayConfig,
    AiGatewayInferenceTableConfig,
    DataframeSplitInput,
    EndpointCoreConfigInput,
    ServedEntityInput,
)
from lakemon_local.serving.process import ServerFiles, running

ROW = {"distance": 30.0, "hour": 3.0}
SPLIT = {"columns": ["distance", "hour"], "data": [[30.0, 3.0], [1.0, 3.0]]}


def workspace_client(site, token: str = "x") -> WorkspaceClient:
    server = running(site.workspace)
    return WorkspaceClient(config=Config(host=server.url, token=token, retry_timeout_seconds=5))


@pytest.fixture(scope="session")
def client(live) -> WorkspaceClient:
    return workspace_client(live)


def post(site, body: bytes | str, **headers: str) -> tuple[int, dict, dict]:
    """Sends a body as it is; returns status, JSON body and headers."""
    server = running(site.workspace)
    connection = http.client.HTTPConnection(server.host, server.port, timeout=60)
    sent = {
        "Content-Type": "application/json",
        **{key.replace("_", "-"): value for key, value in headers.items()},
    }
    connection.request("POST", f"/serving-endpoints/{site.endpoint}/invocations", body, sent)
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    return answer.status, json.loads(text), dict(answer.getheaders())


def get(site, path: str, **headers: str) -> tuple[int, str]:
    server = running(site.workspace)
    connection = http.client.HTTPConnection(server.host, server.port, timeout=60)
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text


@pytest.mark.parametrize(
    "form",
    [
        {"dataframe_records": [ROW, {"distance": 1.0, "hour": 3.0}]},
        {"dataframe_split": DataframeSplitInput.from_dict(SPLIT)},
        {"instances": [ROW, {"distance": 1.0, "hour": 3.0}]},
        {"inputs": {"distance": [30.0, 1.0], "hour": [3.0, 3.0]}},
    ],
    ids=lambda form: next(iter(form)),
)
def test_the_sdk_scores_in_all_four_formats(live, client, form):
    answer = client.serving_endpoints.query(live.endpoint, client_request_id="mine", **form)
    assert answer.predictions == [1, 0]
    assert answer.served_model_name == "delays-1"


def test_the_sdk_reads_and_lists_endpoints(live, client):
    found = client.serving_endpoints.get(live.endpoint)
    assert (found.state.ready.value, found.state.config_update.value) == ("READY", "NOT_UPDATING")
    entity = found.config.served_entities[0]
    assert (entity.entity_name, entity.entity_version) == (live.model, "1")
    assert found.config.traffic_config.routes[0].traffic_percentage == 100
    assert found.ai_gateway.inference_table_config.table_name_prefix == live.endpoint
    assert live.endpoint in [endpoint.name for endpoint in client.serving_endpoints.list()]


def test_the_sdk_creates_updates_and_deletes_an_endpoint_with_the_key(live):
    client = workspace_client(live, running(live.workspace).key)
    entity = ServedEntityInput(entity_name=live.model, entity_version="1")
    gateway = AiGatewayConfig(
        inference_table_config=AiGatewayInferenceTableConfig(
            catalog_name="dev", schema_name="flights", table_name_prefix="other", enabled=True
        )
    )
    made = client.serving_endpoints.create_and_wait(
        "other", config=EndpointCoreConfigInput(name="other", served_entities=[entity]), ai_gateway=gateway
    )
    assert made.state.ready.value == "READY"
    with pytest.raises(ResourceAlreadyExists):
        client.serving_endpoints.create(
            "other", config=EndpointCoreConfigInput("other", served_entities=[entity])
        )
    entity = ServedEntityInput(entity_name=live.model, entity_version="2")
    changed = client.serving_endpoints.update_config_and_wait("other", served_entities=[entity])
    assert changed.config.served_entities[0].entity_version == "2"
    known = set(live.serving.entities())
    client.serving_endpoints.delete("other")
    with pytest.raises(ResourceDoesNotExist):
        client.serving_endpoints.get("other")
    assert set(live.serving.entities()) == known, "what an endpoint logged is known after it is gone"
    client.serving_endpoints.create(
        "other", config=EndpointCoreConfigInput("other", served_entities=[entity])
    )
    client.serving_endpoints.delete("other")
    assert live.again("other").serving.get("other") is None


def test_nobody_changes_an_endpoint_without_the_key(live, client):
    with pytest.raises(Unauthenticated):
        client.serving_endpoints.delete(live.endpoint)


def test_mlflow_deployments_scores_and_lists(live, monkeypatch):
    from mlflow.deployments import get_deploy_client

    monkeypatch.setenv("DATABRICKS_HOST", running(live.workspace).url)
    monkeypatch.setenv("DATABRICKS_TOKEN", "x")
    client = get_deploy_client("databricks")
    assert client.predict(endpoint=live.endpoint, inputs={"dataframe_split": SPLIT})["predictions"] == [1, 0]
    assert client.get_endpoint(live.endpoint)["name"] == live.endpoint
    assert live.endpoint in [found["name"] for found in client.list_endpoints()]


def test_an_unknown_endpoint_is_a_missing_resource(live, client):
    with pytest.raises(ResourceDoesNotExist, match="'nobody'"):
        client.serving_endpoints.query("nobody", dataframe_records=[ROW])


def test_a_row_the_model_does_not_take_is_a_bad_request_with_the_models_words(client, live):
    with pytest.raises(BadRequest, match="distance"):
        client.serving_endpoints.query(live.endpoint, dataframe_records=[{"distance": "far", "hour": 1.0}])
    with pytest.raises(BadRequest, match="hour"):
        client.serving_endpoints.query(live.endpoint, dataframe_records=[{"distance": 1.0}])


DEEP = "[" * 100_000 + "]" * 100_000
BAD = {
    "empty": b"",
    "no JSON": b"{",
    "not UTF-8": b'{"inputs": "\xff"}',
    "a list": b"[1]",
    "a number": b"7",
    "null": b"null",
    "no format": b'{"rows": []}',
    "two formats": b'{"inputs": [1], "instances": [1]}',
    "NaN": b'{"dataframe_records": [{"distance": NaN, "hour": 1}]}',
    "infinity": b'{"dataframe_records": [{"distance": -Infinity, "hour": 1}]}',
    "a number without end": b'{"inputs": ' + b"9" * 5000 + b"}",
    "a number too large": b'{"dataframe_records": [{"distance": 1e999, "hour": 1}]}',
    "very deep": b'{"inputs": ' + DEEP.encode() + b"}",
    "deep": b'{"dataframe_records": [{"distance": ' + b"[" * 400 + b"]" * 400 + b', "hour": 1}]}',
    "records that are none": b'{"dataframe_records": 3}',
    "records of lists": b'{"dataframe_records": [[1], {"a": 2}]}',
    "no rows": b'{"dataframe_records": []}',
    "split without data": b'{"dataframe_split": {"columns": ["distance"]}}',
    "split with ragged rows": b'{"dataframe_split": {"columns": ["distance"], "data": [[1], [1, 2]]}}',
    "inputs of ragged columns": b'{"inputs": {"distance": [1.0, 2.0], "hour": [1.0]}}',
    "inputs null": b'{"inputs": null}',
    "instances text": b'{"instances": "rows"}',
    "an id that is no text": b'{"inputs": {"distance": [1.0], "hour": [1.0]}, "client_request_id": 7}',
    "half a character": b'{"inputs": {"distance": [1.0], "hour": [1.0]}, "client_request_id": "\\ud800"}',
    "a chat": b'{"messages": [{"role": "user", "content": "hello"}]}',
}


@pytest.mark.parametrize("body", BAD.values(), ids=BAD.keys())
def test_a_bad_body_is_the_clients_fault_and_says_why(live, body):
    status, answer, headers = post(live, body)
    assert 400 <= status < 500
    assert answer["error_code"]
    assert answer["message"]
    assert headers["databricks-request-id"]


def test_a_body_over_16_megabytes_is_refused(live):
    status, answer, headers = post(live, b'{"inputs": "' + b"x" * (17 * 1024 * 1024) + b'"}')
    assert (status, answer["error_code"]) == (413, "MAX_REQUEST_SIZE_EXCEEDED")
    logged = {row["databricks_request_id"]: row for row in live.logged()}[headers["databricks-request-id"]]
    assert (logged["status_code"], logged["request"]) == (413, None)


def test_a_client_that_goes_away_in_the_middle_harms_nobody(live):
    server = running(live.workspace)
    with socket.create_connection((server.host, server.port)) as half:
        head = f"POST /serving-endpoints/{live.endpoint}/invocations HTTP/1.1\r\nHost: localhost\r\n"
        half.sendall(f"{head}Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{{".encode())
    assert live.ask().status == 200
    assert any(row["status_code"] == 499 for _ in range(100) for row in live.logged())


def test_another_content_type_is_refused(live):
    status, answer, _ = post(live, b"distance,hour\n1,2", Content_Type="text/csv")
    assert status == 415
    assert "application/json" in answer["message"]


def test_a_name_that_is_not_of_this_machine_and_a_foreign_page_are_turned_away(live, client):
    assert post(live, json.dumps({"dataframe_records": [ROW]}), Host="evil.example")[0] == 403
    assert post(live, json.dumps({"dataframe_records": [ROW]}), Origin="http://evil.example")[0] == 403
    assert get(live, "/health", Host="evil.example:80")[0] == 403
    assert post(live, json.dumps({"dataframe_records": [ROW]}), Host="localhost")[0] == 200


@pytest.mark.parametrize("path", ["/api/2.0/clusters/list", "/serving-endpoints/../server.json", "/docs"])
def test_other_paths_are_not_found(live, path):
    status, text = get(live, path)
    assert status in {404, 405}
    assert json.loads(text)["error_code"] == "ENDPOINT_NOT_FOUND"


def test_every_answer_is_logged_with_its_status_under_its_id(live):
    good = live.ask(ROW, client_request_id="label-1")
    bad = live.ask({"distance": "far", "hour": 1.0}, client_request_id="label-2")
    broken = post(live, b"{")[2]["databricks-request-id"]
    rows = {row["databricks_request_id"]: row for row in live.logged()}
    assert (rows[good.request_id]["status_code"], rows[good.request_id]["client_request_id"]) == (
        200,
        "label-1",
    )
    assert json.loads(rows[good.request_id]["request"])["dataframe_records"] == [ROW]
    assert json.loads(rows[good.request_id]["response"]) == {"predictions": [1]}
    assert (rows[bad.request_id]["status_code"], rows[bad.request_id]["client_request_id"]) == (
        400,
        "label-2",
    )
    assert "distance" in rows[bad.request_id]["response"]
    assert (rows[broken]["status_code"], rows[broken]["request"]) == (400, "{")
    entity = live.serving.entities()[rows[good.request_id]["served_entity_id"]]
    assert (entity.model, entity.version) == (live.model, "1")


def test_a_request_over_a_megabyte_is_answered_but_logged_without_its_body(live):
    records = [{**ROW, "note": "x" * 1000}] * 1200
    status, answer, headers = post(live, json.dumps({"dataframe_records": records}))
    assert (status, len(answer["predictions"])) == (200, 1200)
    logged = {row["databricks_request_id"]: row for row in live.logged()}[headers["databricks-request-id"]]
    assert logged["request"] is None
    assert logged["logging_error_codes"] == ["MAX_REQUEST_SIZE_EXCEEDED"]


def test_requests_at_the_same_time_are_each_answered_and_logged_once(live):
    before = len(live.logged())
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: live.ask().request_id, range(200)))
    rows = [row["databricks_request_id"] for row in live.logged()]
    assert len(rows) == before + 200
    assert len(set(answers)) == 200
    assert set(answers) <= set(rows)


def test_a_request_that_cannot_be_logged_is_not_answered(live):
    with sqlite3.connect(ServerFiles(live.workspace).spool) as surgery:
        surgery.execute("ALTER TABLE requests RENAME TO elsewhere")
    status, answer, _ = post(live, json.dumps({"dataframe_records": [ROW]}))
    with sqlite3.connect(ServerFiles(live.workspace).spool) as surgery:
        surgery.execute("ALTER TABLE elsewhere RENAME TO requests")
    assert (status, answer["error_code"]) == (503, "TEMPORARILY_UNAVAILABLE")
    assert "predictions" not in answer
    assert post(live, json.dumps({"dataframe_records": [ROW]}))[0] == 200


def test_metrics_count_what_was_answered(live):
    live.ask()
    status, text = get(live, "/metrics")
    assert status == 200
    counted = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    assert int(counted['lakemon_requests_total{endpoint="flights-dev",status="200"}']) > 0
    assert "lakemon_spooled_requests" in counted


def test_the_page_shows_people_what_is_served_and_runs_nothing(live):
    live.ask()
    status, html = get(live, "/")
    assert status == 200
    assert all(word in html for word in (live.endpoint, live.model, str(live.payload), "ready"))
    assert "<script" not in html


def test_an_endpoint_needs_a_plain_name_one_model_and_a_whole_table_name(live):
    client = workspace_client(live, running(live.workspace).key)
    entity = ServedEntityInput(entity_name=live.model, entity_version="1")
    half = AiGatewayConfig(
        inference_table_config=AiGatewayInferenceTableConfig(catalog_name="a", enabled=True)
    )
    for name, entities, gateway in [
        ('a"b', [entity], None),
        ("x" * 64, [entity], None),
        ("fine", [entity, entity], None),
        ("fine", [ServedEntityInput(entity_name=live.model)], None),
        ("fine", [entity], half),
    ]:
        config = EndpointCoreConfigInput(name=name, served_entities=entities)
        with pytest.raises(BadRequest):
            client.serving_endpoints.create(name, config=config, ai_gateway=gateway)
    assert "fine" not in [found.name for found in client.serving_endpoints.list()]
