"""Invocations, and how they land in the payload table."""

import pytest
import requests
from databricks.sdk.service.serving import (
    AiGatewayConfig,
    AiGatewayInferenceTableConfig,
    DataframeSplitInput,
    EndpointCoreConfigInput,
    Route,
    ServedEntityInput,
    TrafficConfig,
)
from fakes.databricks import FakeWorkspace, SqlFailure

MODEL, TABLE = "main.flights.delays", "main.flights.logs_payload"


def entities() -> list[ServedEntityInput]:
    return [ServedEntityInput(entity_name=MODEL, entity_version=v, name=f"v{v}") for v in ("1", "2")]


@pytest.fixture
def endpoint(fake: FakeWorkspace, client) -> FakeWorkspace:
    """An endpoint that doubles x, and logs."""
    for factor in (2, 3):
        fake.models.add(MODEL, lambda rows, factor=factor: [row["x"] * factor for row in rows])
    fake.serving.polls = 0
    table = AiGatewayInferenceTableConfig(
        enabled=True, catalog_name="main", schema_name="flights", table_name_prefix="logs"
    )
    client.serving_endpoints.create(
        "e",
        config=EndpointCoreConfigInput(name="e", served_entities=entities()[:1]),
        ai_gateway=AiGatewayConfig(inference_table_config=table),
    )
    client.serving_endpoints.get("e")
    return fake


def post(fake: FakeWorkspace, body: str) -> requests.Response:
    return requests.post(
        f"{fake.host}/serving-endpoints/e/invocations", data=body, timeout=30,
        headers={"Authorization": f"Bearer {fake.token}", "Content-Type": "application/json"},
    )  # fmt: skip


def logged(fake: FakeWorkspace) -> list[dict]:
    fake.payloads.settle()
    return fake.lake.rows(TABLE) if TABLE in fake.lake.metastore.tables else []


@pytest.mark.parametrize(
    "given",
    [
        {"dataframe_records": [{"x": 1}, {"x": 2}]},
        {"dataframe_split": DataframeSplitInput(columns=["x"], data=[[1], [2]])},
        {"instances": [{"x": 1}, {"x": 2}]},
        {"inputs": {"x": [1, 2]}},
    ],
)
def test_all_four_formats_reach_the_model(endpoint, client, given):
    answer = client.serving_endpoints.query("e", client_request_id="mine", **given)
    (row,) = logged(endpoint)

    assert answer.predictions == [2, 4]
    assert (row["client_request_id"], row["status_code"], row["response"]) == (
        "mine",
        200,
        '{"predictions": [2, 4]}',
    )


def test_the_headers_name_the_request_and_the_entity(endpoint):
    answer = post(endpoint, '{"instances": [{"x": 1}]}')

    assert answer.headers["served-model-name"] == "v1"
    assert logged(endpoint)[0]["databricks_request_id"] == answer.headers["databricks-request-id"]


def test_a_row_has_the_schema_of_the_gateway(endpoint, client):
    client.serving_endpoints.query("e", dataframe_records=[{"x": 1}])
    described = endpoint.lake.sql(f"DESCRIBE TABLE {TABLE}") if logged(endpoint) else None

    assert dict(zip(*(described[c].to_pylist() for c in ("col_name", "data_type")), strict=True)) == {
        "databricks_request_id": "string", "request_date": "date", "client_request_id": "string",
        "request_time": "timestamp", "status_code": "int", "sampling_fraction": "double",
        "execution_duration_ms": "bigint", "request": "string", "response": "string",
        "logging_error_codes": "array<string>", "served_entity_id": "string", "requester": "string",
    }  # fmt: skip


def test_a_row_may_come_late_twice_or_never(endpoint, client):
    delays = iter([[60.0], [0.0, 90.0], []])
    endpoint.payloads.delivers = lambda row: next(delays)
    for name in ("late", "twice", "never"):
        client.serving_endpoints.query("e", dataframe_records=[{"x": 1}], client_request_id=name)
    seen = []
    for seconds in (0, 61, 30):
        endpoint.clock.advance(seconds)
        seen.append(sorted(row["client_request_id"] for row in logged(endpoint)))

    assert seen == [["twice"], ["late", "twice"], ["late", "twice", "twice"]]


def test_the_first_row_makes_the_table_for_the_creator_of_the_endpoint(endpoint, client):
    before = TABLE in endpoint.lake.metastore.tables
    client.serving_endpoints.query("e", dataframe_records=[{"x": 1}])
    logged(endpoint)

    assert not before
    assert endpoint.lake.metastore.tables[TABLE].owner == endpoint.user


def test_a_dropped_table_gets_no_more_rows(endpoint, client):
    client.serving_endpoints.query("e", dataframe_records=[{"x": 1}])
    logged(endpoint)
    endpoint.lake.sql(f"DROP TABLE {TABLE}")
    client.serving_endpoints.query("e", dataframe_records=[{"x": 1}])

    assert logged(endpoint) == []


def test_a_large_request_is_logged_without_its_body(endpoint):
    body = '{"instances": [{"x": 1, "pad": "' + "p" * 1_100_000 + '"}]}'
    post(endpoint, body)
    (row,) = logged(endpoint)

    assert (row["request"], row["logging_error_codes"]) == (None, ["MAX_REQUEST_SIZE_EXCEEDED"])


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("{", "Failed to parse"),
        ("[]", "must be a JSON dictionary"),
        ('{"x": 1}', "exactly one of"),
        ('{"instances": [1], "inputs": [1]}', "exactly one of"),
        ('{"instances": [NaN]}', "NaN is not JSON"),
        ('{"instances": [{"y": 1}]}', "evaluating the model"),
    ],
)
def test_a_bad_request_is_a_400_and_is_logged_as_such(endpoint, body, told):
    answer = post(endpoint, body)
    (row,) = logged(endpoint)

    assert (answer.status_code, answer.json()["error_code"]) == (400, "BAD_REQUEST")
    assert told in answer.json()["message"]
    assert row["status_code"] == 400


def test_a_request_over_sixteen_megabytes_is_refused_and_not_logged(endpoint):
    answer = post(endpoint, " " * (16 * 1024 * 1024 + 1))

    assert answer.status_code == 413
    assert logged(endpoint) == []


def test_an_endpoint_that_is_not_ready_does_not_answer(fake, client, refusal):
    fake.models.add(MODEL)
    fake.serving.seconds = 60
    client.serving_endpoints.create(
        "e", config=EndpointCoreConfigInput(name="e", served_entities=entities()[:1])
    )

    assert "INVALID_STATE" in refusal(lambda: client.serving_endpoints.query("e", instances=[{"x": 1}]))


def test_traffic_is_split_by_the_routes(endpoint, client):
    routes = [Route(traffic_percentage=p, served_entity_name=n) for n, p in (("v1", 75), ("v2", 25))]
    client.serving_endpoints.update_config(
        "e", served_entities=entities(), traffic_config=TrafficConfig(routes=routes)
    )
    client.serving_endpoints.get("e")
    answers = [client.serving_endpoints.query("e", instances=[{"x": 1}]).predictions[0] for _ in range(8)]

    assert (answers.count(2), answers.count(3)) == (6, 2)


def test_served_entities_are_found_by_those_who_are_granted(endpoint, client):
    client.serving_endpoints.query("e", dataframe_records=[{"x": 1}])
    (row,) = logged(endpoint)
    query = "SELECT served_entity_id, entity_version FROM system.serving.served_entities"
    with pytest.raises(SqlFailure, match="INSUFFICIENT_PERMISSIONS"):
        endpoint.lake.sql(query)
    endpoint.lake.metastore.grant("system", endpoint.user, "USE CATALOG", "USE SCHEMA", "SELECT")

    assert endpoint.lake.sql(query).to_pylist() == [
        {"served_entity_id": row["served_entity_id"], "entity_version": "1"}
    ]
