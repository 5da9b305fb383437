"""Endpoints of a workspace: made, updated without a gap, shared by two versions, rolled back."""

import pytest
from fakes.databricks import FakeWorkspace, faults

from lakemon_core.domain.errors import UsageError
from lakemon_core.domain.monitor import ServingSpec
from lakemon_core.domain.names import TableName
from lakemon_core.ports import ModelVersion

PAYLOAD = TableName("prod", "flights", "inference_logs_payload")
ENDPOINTS = "/api/2.0/serving-endpoints"


def tags(workspace: FakeWorkspace) -> dict[str, str]:
    raw = workspace.client().serving_endpoints.get("flights")
    return {tag.key: tag.value for tag in raw.tags}


def changes(workspace: FakeWorkspace) -> list[str]:
    """What was sent to change endpoints, e.g. `POST`, `PUT config`."""
    sent = [
        call.request for call in workspace.journal.to("*", f"{ENDPOINTS}*") if call.request.method != "GET"
    ]
    return [f"{one.method} {one.path.removeprefix(ENDPOINTS).rpartition('/')[2]}".strip() for one in sent]


def test_an_endpoint_is_made_with_its_inference_table_on(deploy, signed_in):
    state = deploy()
    assert (state.ready, state.version, state.previous, state.payload) == (True, "1", "", PAYLOAD)
    (made,) = signed_in.journal.to("POST", ENDPOINTS)
    assert made.json["ai_gateway"]["inference_table_config"] == {
        "catalog_name": "prod",
        "schema_name": "flights",
        "table_name_prefix": "inference_logs",
        "enabled": True,
    }
    assert changes(signed_in) == ["POST"]


def test_the_same_version_again_sends_nothing(deploy, signed_in):
    first = deploy()
    signed_in.journal.clear()
    assert deploy() == first
    assert changes(signed_in) == []


def test_tags_tell_what_was_deployed(deploy, signed_in):
    deploy("1")
    deploy("2")
    found = tags(signed_in)
    assert (found["lakemon_version"], found["lakemon_previous"]) == ("2", "1")
    assert found["lakemon_git_sha"] == "0a1b2c3"
    assert len(found["lakemon_config"]) == 12


def test_two_versions_share_the_traffic(deploy, signed_in):
    deploy("1")
    state = deploy("2", traffic={"1": 90, "2": 10})
    assert (state.version, state.previous) == ("2", "1")
    config = signed_in.client().serving_endpoints.get("flights").config
    shares = {route.served_entity_name: route.traffic_percentage for route in config.traffic_config.routes}
    assert shares == {"delays-1": 90, "delays-2": 10}


def test_a_rollback_gives_all_of_the_traffic_back_on_another_machine(deploy, open_databricks, quiet):
    deploy("1")
    deploy("2", traffic={"1": 90, "2": 10})
    back = open_databricks().serving.rollback("flights", progress=quiet)
    assert (back.ready, back.version, back.previous) == (True, "1", "")
    assert open_databricks().serving.rollback("flights", progress=quiet) is None


def test_traffic_that_leaves_out_the_deployed_version_is_refused(deploy):
    with pytest.raises(UsageError, match=r"LM151 .*leaves out version 2"):
        deploy("2", traffic={"1": 100})


def test_traffic_for_an_alias_is_refused(deploy):
    with pytest.raises(UsageError, match=r"LM151 .*'champion'.*no version number"):
        deploy("2", traffic={"champion": 50, "2": 50})


@pytest.mark.parametrize("table", ["inference_logs", "my-logs_payload", "_payload"])
def test_a_payload_table_that_databricks_cannot_make_is_refused_before_anything_is_sent(
    deploy, signed_in, table
):
    with pytest.raises(UsageError, match="LM151"):
        deploy(payload=TableName("prod", "flights", table))
    assert changes(signed_in) == []


def test_another_size_keeps_version_and_history(deploy, signed_in):
    deploy("1")
    deploy("2")
    state = deploy("2", workload_size="Medium")
    assert (state.version, state.previous) == ("2", "1")
    config = signed_in.client().serving_endpoints.get("flights").config
    assert [each.workload_size for each in config.served_entities] == ["Medium"]


def test_a_secret_of_a_variable_stays_a_reference(deploy, signed_in):
    deploy(environment_vars={"TOKEN": "${secret:api/token}", "PLAIN": "x"})
    (made,) = signed_in.journal.to("POST", ENDPOINTS)
    (entity,) = made.json["config"]["served_entities"]
    assert entity["environment_vars"] == {"TOKEN": "{{secrets/api/token}}", "PLAIN": "x"}


def test_another_value_of_a_variable_is_an_update(deploy, signed_in):
    deploy(environment_vars={"PLAIN": "x"})
    signed_in.journal.clear()
    deploy(environment_vars={"PLAIN": "x"})
    assert changes(signed_in) == []
    deploy(environment_vars={"PLAIN": "y"})
    assert "PUT config" in changes(signed_in)


def test_logging_moves_to_another_table_and_keeps_what_others_set_at_the_gateway(deploy, signed_in):
    from databricks.sdk.service.serving import AiGatewayUsageTrackingConfig

    deploy()
    endpoints = signed_in.client().serving_endpoints
    gateway = endpoints.get("flights").ai_gateway
    endpoints.put_ai_gateway(
        "flights",
        usage_tracking_config=AiGatewayUsageTrackingConfig(enabled=True),
        inference_table_config=gateway.inference_table_config,
    )
    other = TableName("prod", "flights", "other_payload")
    signed_in.faults.on("PUT", "*/ai-gateway", faults.loses_the_answer())
    assert deploy(payload=other).payload == other
    kept = endpoints.get("flights").ai_gateway
    assert kept.usage_tracking_config.enabled is True


def test_logging_that_is_off_in_the_config_is_off_at_the_endpoint(deploy):
    deploy()
    assert deploy(environment={"inference_table": {"enabled": False}}).payload is None


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", ENDPOINTS),
        ("PUT", f"{ENDPOINTS}/flights/config"),
        pytest.param("PATCH", f"{ENDPOINTS}/*", marks=pytest.mark.slow),
    ],
)
def test_an_answer_that_is_lost_after_the_work_doubles_nothing(deploy, signed_in, method, path):
    if method != "POST":
        deploy("1")
    signed_in.faults.on(method, path, faults.loses_the_answer())
    assert deploy("2").version == "2"
    assert [one.name for one in signed_in.client().serving_endpoints.list()] == ["flights"]


@pytest.mark.parametrize(
    "status", [502, pytest.param(500, marks=pytest.mark.slow), pytest.param(504, marks=pytest.mark.slow)]
)
def test_a_fault_after_the_work_doubles_nothing(deploy, signed_in, status):
    signed_in.faults.on("POST", ENDPOINTS, faults.refuses(status, works=True))
    assert deploy("1").version == "1"
    assert [one.name for one in signed_in.client().serving_endpoints.list()] == ["flights"]


def test_size_kind_and_scaling_of_the_compute_are_those_of_the_config(models, open_databricks, quiet):
    backend = open_databricks({"workload_type": "GPU_SMALL"})
    spec = ServingSpec("flights", workload_size="Medium", scale_to_zero=False, timeout_seconds=30.0)
    model = ModelVersion("prod.flights.delays", "1", uri="models:/prod.flights.delays/1")
    backend.serving.deploy(spec, model, PAYLOAD, progress=quiet)
    (entity,) = models.client().serving_endpoints.get("flights").config.served_entities
    asked = (entity.workload_type.value, entity.workload_size, entity.scale_to_zero_enabled)
    assert asked == ("GPU_SMALL", "Medium", False)
