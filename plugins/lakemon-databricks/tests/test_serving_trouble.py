"""Endpoints that fail, hang, or belong to somebody else: what is said, and what goes on answering."""

import math
from dataclasses import replace

import pytest
from databricks.sdk.service.serving import (
    EndpointCoreConfigInput,
    ExternalModel,
    ExternalModelProvider,
    ServedEntityInput,
)
from fakes.databricks import faults

from lakemon_core.domain.errors import ModelError
from lakemon_core.domain.names import TableName

LOG = (
    "\n".join(f"line {number}" for number in range(100))
    + "\nERROR: no matching distribution for sklearn==0.1"
)


def entity(version: str) -> ServedEntityInput:
    return ServedEntityInput(
        name=f"delays-{version}",
        entity_name="prod.flights.delays",
        entity_version=version,
        workload_size="Small",
        scale_to_zero_enabled=True,
    )


def test_a_failed_update_shows_the_end_of_the_build_log_and_the_version_before_answers(deploy, models):
    deploy("1")
    models.serving.fail_next("Container image creation failed", LOG)
    with pytest.raises(ModelError, match=r"LM425 .*Container image creation failed") as failed:
        deploy("2")
    assert "ERROR: no matching distribution for sklearn==0.1" in str(failed.value)
    assert "version 1 goes on answering" in str(failed.value)
    assert "line 50" not in str(failed.value)


def test_after_a_failed_update_the_version_before_needs_no_deployment(deploy, models):
    deploy("1")
    models.serving.fail_next()
    with pytest.raises(ModelError, match="LM425"):
        deploy("2")
    models.journal.clear()
    state = deploy("1")
    assert (state.ready, state.version, state.previous) == (True, "1", "")
    assert models.journal.to("PUT", "*/config") == []


def test_a_failed_update_is_tried_again(deploy, models):
    deploy("1")
    models.serving.fail_next()
    with pytest.raises(ModelError, match="LM425"):
        deploy("2")
    state = deploy("2")
    assert (state.version, state.previous) == ("2", "1")


def test_a_first_deployment_that_failed_is_tried_again(deploy, models):
    models.serving.fail_next("Out of memory")
    with pytest.raises(ModelError, match=r"LM425 .*Out of memory"):
        deploy("1")
    assert deploy("1").ready


def test_a_deployment_that_takes_too_long_is_told_and_found_by_the_next(deploy, models, quiet):
    models.serving.seconds = math.inf
    with pytest.raises(ModelError, match=r"LM410 .*DEPLOYMENT_CREATING.* raise `serving.timeout_seconds`"):
        deploy("1", timeout_seconds=1.0)
    assert any("delays-1 DEPLOYMENT_CREATING" in told for told in quiet.told)
    models.serving.endpoints["flights"].pending.due = models.clock.now()
    models.journal.clear()
    assert deploy("1").ready
    assert models.journal.to("PUT", "*/config") == []


def test_ready_is_what_the_workspace_calls_ready_not_the_end_of_an_update(deploy, models):
    models.serving.creation_update, models.serving.polls = "NOT_UPDATING", 3
    assert deploy("1").ready
    looks = models.journal.to("GET", "/api/2.0/serving-endpoints/flights")
    assert len(looks) > 3


def test_an_update_of_somebody_else_is_waited_for(deploy, models):
    deploy("1")
    models.serving.polls = 2
    models.client().serving_endpoints.update_config("flights", served_entities=[entity("3")])
    state = deploy("2")
    assert (state.version, state.previous) == ("2", "3")


def test_an_update_that_comes_in_between_is_waited_for(deploy, models):
    deploy("1")
    busy = faults.refuses(409, "RESOURCE_CONFLICT", "Endpoint flights is currently being updated.")
    models.faults.on("PUT", "*/config", busy)
    assert deploy("2").version == "2"


def test_an_endpoint_that_is_updated_again_and_again_is_given_up(deploy, models):
    deploy("1")
    busy = faults.refuses(409, "RESOURCE_CONFLICT", "Endpoint flights is currently being updated.")
    models.faults.on("PUT", "*/config", busy, times=None)
    with pytest.raises(ModelError, match="LM429"):
        deploy("2")


def test_an_inference_table_of_the_old_kind_is_refused_with_a_hint(deploy, models):
    deploy("1")
    models.serving.endpoints["flights"].legacy = {
        "catalog_name": "prod",
        "schema_name": "flights",
        "table_name_prefix": "old",
        "enabled": True,
    }
    with pytest.raises(ModelError, match=r"LM426 .*prod.flights.old.*AI Gateway"):
        deploy("2")


def test_an_endpoint_of_another_kind_is_left_alone(deploy, models):
    models.client().serving_endpoints.create(
        "flights",
        config=EndpointCoreConfigInput(
            name="flights",
            served_entities=[
                ServedEntityInput(
                    name="gpt",
                    external_model=ExternalModel(
                        name="gpt", provider=ExternalModelProvider.OPENAI, task="llm/v1/chat"
                    ),
                )
            ],
        ),
    )
    with pytest.raises(ModelError, match=r"LM428 .*gpt.*another serving.endpoint_name"):
        deploy("1")


def test_a_payload_table_that_is_there_already_is_told(deploy, models):
    models.lake.sql("CREATE TABLE prod.flights.inference_logs_payload (a INT)")
    with pytest.raises(ModelError, match=r"LM427 .*already exists"):
        deploy("1")


def test_a_payload_schema_that_is_not_there_is_told(deploy):
    with pytest.raises(ModelError, match=r"LM427 .*nowhere"):
        deploy("1", payload=TableName("prod", "nowhere", "logs_payload"))


def test_a_version_that_is_not_registered_is_told(deploy):
    with pytest.raises(ModelError, match=r"LM424 .*version '9' does not exist"):
        deploy("9")


def test_a_missing_right_is_told_with_its_name(deploy, models, monkeypatch):
    models.lake.create_schema("prod.theirs", owner="somebody@else.com")
    models.lake.metastore.grant("prod", "new@example.com", "USE CATALOG")
    monkeypatch.setenv("DATABRICKS_TOKEN", models.identity.new_token("new@example.com"))
    with pytest.raises(ModelError, match=r"LM422"):
        deploy("1", payload=TableName("prod", "theirs", "logs_payload"))


def test_an_endpoint_that_is_removed_meanwhile_is_told(deploy, models):
    models.faults.on("GET", "*/flights", faults.refuses(404, "RESOURCE_DOES_NOT_EXIST"), after=1, times=None)
    with pytest.raises(ModelError, match="LM416"):
        deploy("1")


def test_a_state_that_nobody_knows_is_not_taken_for_ready(deploy, models):
    def renamed(answer):
        return replace(answer, body=answer.body.replace(b'"READY"', b'"LUKEWARM"'))

    models.faults.on("GET", "*/flights", faults.rewrites(renamed), times=None)
    with pytest.raises(ModelError, match="LM410"):
        deploy("1", timeout_seconds=1.0)


def test_the_plan_says_what_stands_in_the_way_and_sends_nothing(deploy, models, open_databricks):
    deploy("1")
    models.serving.endpoints["flights"].legacy = {
        "catalog_name": "prod",
        "schema_name": "flights",
        "enabled": True,
    }
    models.journal.clear()
    backend = open_databricks(inference_table={"payload": "other_payload"})
    monitor = backend.setup.monitor
    told = backend.foretell(monitor.serving, monitor.inference_table.payload)
    assert told[0].startswith("would stop: LM426")
    assert told[1] == (
        "log into prod.flights.other_payload from then on;"
        " what was logged stays in prod.flights.inference_logs_payload"
    )
    assert {call.request.method for call in models.journal.calls} == {"GET"}
