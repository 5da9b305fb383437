"""Serving endpoints of the fake: states by the clock, and what the service refuses."""

import math

import pytest
from databricks.sdk.errors import OperationFailed
from databricks.sdk.service import serving
from databricks.sdk.service.serving import (
    AiGatewayConfig,
    AiGatewayInferenceTableConfig,
    EndpointCoreConfigInput,
    EndpointStateConfigUpdate,
    EndpointStateReady,
    EndpointTag,
    Route,
    ServedEntityInput,
    TrafficConfig,
)
from fakes.databricks import FakeWorkspace, faults

MODEL = "main.flights.delays"


def entity(version: str = "1", **more) -> ServedEntityInput:
    return ServedEntityInput(entity_name=MODEL, entity_version=version, scale_to_zero_enabled=True, **more)


def config(*entities: ServedEntityInput, **more) -> EndpointCoreConfigInput:
    return EndpointCoreConfigInput(name="e", served_entities=list(entities) or [entity()], **more)


def gateway(prefix: str = "logs", **more) -> AiGatewayConfig:
    given = {
        "enabled": True,
        "catalog_name": "main",
        "schema_name": "flights",
        "table_name_prefix": prefix,
        **more,
    }
    return AiGatewayConfig(inference_table_config=AiGatewayInferenceTableConfig(**given))


def state(client) -> tuple[str, str]:
    found = client.serving_endpoints.get("e").state
    return found.ready.value, found.config_update.value


@pytest.fixture
def models(fake: FakeWorkspace) -> FakeWorkspace:
    """A model with two versions."""
    for _ in range(2):
        fake.models.add(MODEL)
    return fake


@pytest.fixture
def ready(models, client):
    """An endpoint that is ready."""
    models.serving.polls = 0
    client.serving_endpoints.create("e", config=config(), ai_gateway=gateway(), tags=[EndpointTag("b", "1")])
    assert state(client) == ("READY", "NOT_UPDATING")
    return models


def test_a_new_endpoint_is_not_ready_though_it_does_not_update(models, client):
    models.serving.seconds = 600
    client.serving_endpoints.create("e", config=config())
    early = state(client)
    models.clock.advance(601)

    assert early == ("NOT_READY", "NOT_UPDATING")
    assert state(client) == ("READY", "NOT_UPDATING")


def test_what_was_left_out_is_filled_in(ready, client):
    found = client.serving_endpoints.get("e")
    served = found.config.served_entities[0]

    assert (served.name, served.workload_size) == ("delays-1", "Small")
    assert served.workload_type == serving.ServingModelWorkloadType.CPU
    assert found.config.traffic_config.routes == [
        Route(traffic_percentage=100, served_entity_name="delays-1", served_model_name="delays-1")
    ]
    assert found.permission_level == serving.ServingEndpointDetailedPermissionLevel.CAN_MANAGE


def test_the_old_version_serves_until_the_new_one_is_ready(ready, client):
    ready.serving.seconds = 600
    client.serving_endpoints.update_config("e", served_entities=[entity("2")])
    under_way = client.serving_endpoints.get("e")
    ready.clock.advance(601)
    done = client.serving_endpoints.get("e")

    assert under_way.state.config_update == EndpointStateConfigUpdate.IN_PROGRESS
    assert under_way.config.served_entities[0].entity_version == "1"
    assert under_way.pending_config.served_entities[0].entity_version == "2"
    assert (done.config.served_entities[0].entity_version, done.config.config_version) == ("2", 2)
    assert done.pending_config is None


def test_an_update_says_in_progress_as_often_as_told(ready, client):
    ready.serving.polls = 2
    client.serving_endpoints.update_config("e", served_entities=[entity("2")])

    assert [state(client)[1] for _ in range(3)] == ["IN_PROGRESS", "IN_PROGRESS", "NOT_UPDATING"]


def test_an_endpoint_can_be_stuck_for_ever(models, client):
    models.serving.seconds = math.inf
    client.serving_endpoints.create("e", config=config())
    models.clock.advance(1_000_000)

    assert client.serving_endpoints.get("e").state.ready == EndpointStateReady.NOT_READY


def test_a_failed_update_leaves_the_old_version_serving_and_a_log(ready, client):
    ready.serving.fail_next("No module named foo", log="pip install foo: not found")
    with pytest.raises(OperationFailed, match="UPDATE_FAILED"):
        client.serving_endpoints.update_config_and_wait("e", served_entities=[entity("2")])
    found = client.serving_endpoints.get("e")

    assert found.state.ready == EndpointStateReady.READY
    assert found.pending_config.served_entities[0].state.deployment_state_message == "No module named foo"
    assert client.serving_endpoints.build_logs("e", "delays-2").logs == "pip install foo: not found"
    client.serving_endpoints.update_config_and_wait("e", served_entities=[entity("2")])


def test_a_second_update_has_to_wait(ready, client, refusal):
    ready.serving.seconds = 600
    client.serving_endpoints.update_config("e", served_entities=[entity("2")])

    said = refusal(lambda: client.serving_endpoints.update_config("e", served_entities=[entity("1")]))

    assert said.startswith("ResourceConflict RESOURCE_CONFLICT")


def test_tags_come_back_sorted(ready, client):
    tags = client.serving_endpoints.patch("e", add_tags=[EndpointTag("a", "0")], delete_tags=[]).tags

    assert [tag.key for tag in tags] == ["a", "b"]


def test_a_put_of_the_gateway_removes_what_it_leaves_out(ready, client):
    client.serving_endpoints.put_ai_gateway("e", usage_tracking_config=None)

    assert client.serving_endpoints.get("e").ai_gateway is None


def test_an_inference_table_has_to_be_off_before_it_moves(ready, client, refusal):
    moved = gateway("others").inference_table_config
    said = refusal(lambda: client.serving_endpoints.put_ai_gateway("e", inference_table_config=moved))
    client.serving_endpoints.put_ai_gateway(
        "e", inference_table_config=gateway(enabled=False).inference_table_config
    )
    client.serving_endpoints.put_ai_gateway("e", inference_table_config=moved)

    assert "Disable it first" in said


def test_the_answer_of_a_creation_may_be_lost_after_the_work(models, refusal):
    client = models.client()
    models.faults.on("POST", "/api/2.0/serving-endpoints", faults.loses_the_answer())

    said = refusal(lambda: client.serving_endpoints.create("e", config=config()))

    assert said.startswith("ResourceAlreadyExists")
    assert list(models.serving.endpoints) == ["e"]


def test_an_endpoint_from_before_shows_its_old_table(ready, client):
    ready.serving.endpoints["e"].legacy = {"enabled": True, "catalog_name": "main"}

    assert client.serving_endpoints.get("e").config.auto_capture_config.enabled


TWO = (entity("1", name="a"), entity("2", name="b"))
HALF = TrafficConfig(routes=[Route(traffic_percentage=50, served_entity_name="a")])


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"name": "no spaces"}, "Endpoint name"),
        ({"name": "x" * 64}, "Endpoint name"),
        ({"config": None}, "Missing required field: config"),
        ({"config": config(ServedEntityInput(entity_name="two.levels", entity_version="1"))}, "three-level"),
        (
            {"config": config(ServedEntityInput(entity_name=MODEL, entity_version="champion"))},
            "entity_version",
        ),
        ({"config": config(entity("9"))}, "does not exist"),
        ({"config": config(ServedEntityInput(entity_name="a.b.c", entity_version="1"))}, "does not exist"),
        ({"config": config(entity(workload_size="Huge"))}, "workload_size"),
        ({"config": config(entity(workload_size="Small", max_provisioned_concurrency=4))}, "together"),
        ({"config": config(entity(name="no dots."))}, "Served entity name"),
        ({"config": config(*TWO)}, "traffic_config is required"),
        ({"config": config(*TWO, traffic_config=HALF)}, "sum to 100"),
        ({"config": config(entity(), traffic_config=HALF)}, "no served entity"),
        (
            {"config": config(auto_capture_config=serving.AutoCaptureConfigInput(enabled=True))},
            "can no longer be enabled",
        ),
        ({"ai_gateway": gateway(catalog_name=None)}, "catalog_name and schema_name are required"),
        ({"ai_gateway": gateway(prefix="with-dash")}, "table_name_prefix"),
        ({"ai_gateway": gateway(schema_name="nope")}, "SCHEMA_NOT_FOUND"),
        ({"ai_gateway": gateway(prefix="taken")}, "already exists and cannot be used"),
    ],
)
def test_a_creation_the_service_refuses_makes_nothing(models, client, refusal, given, told):
    models.lake.sql("CREATE TABLE main.flights.taken_payload (a INT)")
    call = {"name": "e", "config": config(), **given}

    said = refusal(lambda: client.serving_endpoints.create(**call))

    assert said.startswith(("InvalidParameterValue", "ResourceDoesNotExist"))
    assert told in said
    assert models.serving.endpoints == {}


def test_a_version_that_is_not_ready_cannot_be_served(models, client, refusal):
    models.models.known[MODEL].versions[1].status = "PENDING_REGISTRATION"

    assert "INVALID_STATE" in refusal(lambda: client.serving_endpoints.create("e", config=config()))


def test_an_inference_table_needs_create_table(models, refusal):
    bob = models.client(token=models.identity.new_token("bob@example.com"))

    said = refusal(lambda: bob.serving_endpoints.create("e", config=config(), ai_gateway=gateway()))

    assert said.startswith("PermissionDenied PERMISSION_DENIED")


@pytest.mark.parametrize(
    "call",
    [
        lambda api: api.get("nope"),
        lambda api: api.delete("nope"),
        lambda api: api.update_config("nope", served_entities=[entity()]),
        lambda api: api.put_ai_gateway("nope"),
        lambda api: api.query("nope", dataframe_records=[{}]),
        lambda api: api.build_logs("e", "nope"),
    ],
)
def test_what_is_not_there_is_a_404(ready, client, refusal, call):
    said = refusal(lambda: call(client.serving_endpoints))

    assert said.startswith("ResourceDoesNotExist RESOURCE_DOES_NOT_EXIST")


def test_others_may_do_what_they_are_given(ready, client, refusal):
    key = client.serving_endpoints.get("e").id
    bob = ready.client(token=ready.identity.new_token("bob@example.com")).serving_endpoints
    before = refusal(lambda: bob.query("e", dataframe_records=[{}]))
    client.serving_endpoints.update_permissions(
        key,
        access_control_list=[
            serving.ServingEndpointAccessControlRequest(
                user_name="bob@example.com", permission_level=serving.ServingEndpointPermissionLevel.CAN_QUERY
            )
        ],
    )

    assert before.startswith("PermissionDenied")
    assert bob.query("e", dataframe_records=[{}]).predictions == [0.5]
    assert "CAN_MANAGE" in refusal(lambda: bob.delete("e"))
    assert "RESOURCE_DOES_NOT_EXIST" in refusal(lambda: client.serving_endpoints.get_permissions("e"))
