"""The server's side of the serving-endpoints API: reads what a deploy asks for, describes what stands."""

from __future__ import annotations

from typing import Any

from lakemon_core.domain.errors import UsageError
from lakemon_core.domain.names import TableName
from lakemon_local.serving.endpoint_json import entity_json, error_json, mapping, payload_json, payload_of
from lakemon_local.serving.endpoints import Entity
from lakemon_local.serving.server.control import Live, Update, Wanted
from lakemon_local.serving.server.wire import Refused


def read_wanted(config: object, extra: object) -> Wanted:
    """Reads the `config` of a create or update.

    Raises:
        Refused: 400 when it does not name exactly one registered model version.
    """
    entities = mapping(config).get("served_entities")
    if not isinstance(entities, list) or len(entities) != 1:
        raise _invalid("the local server serves exactly one entity per endpoint: give one served_entities.")
    entity, ours = mapping(entities[0]), mapping(extra)
    model, version = entity.get("entity_name"), entity.get("entity_version")
    if not model or not version:
        raise _invalid("served_entities.0 needs entity_name and entity_version.")
    return Wanted(
        model=str(model),
        version=str(version),
        trust_model=ours.get("trust_model") is True,
        rollback=ours.get("rollback") is True,
        environment={str(key): str(value) for key, value in mapping(entity.get("environment_vars")).items()},
        workload_size=str(entity.get("workload_size", "Small")),
        scale_to_zero=entity.get("scale_to_zero_enabled") is not False,
    )


def read_payload(gateway: object) -> TableName | None:
    """Reads the payload table of an `ai_gateway`; None when logging is off.

    Raises:
        Refused: 400 when it is switched on without a place, or its name is not allowed.
    """
    try:
        return payload_of(gateway)
    except (ValueError, UsageError) as error:
        raise _invalid(str(error)) from error


def endpoint_json(live: Live) -> dict[str, Any]:
    """Returns what `GET /api/2.0/serving-endpoints/{name}` answers."""
    endpoint = live.endpoint
    since = _milliseconds(endpoint.current.at if endpoint.current else endpoint.created_at)
    answer: dict[str, Any] = {
        "name": endpoint.name,
        "id": endpoint.name,
        "creator": "lakemon",
        "creation_timestamp": _milliseconds(endpoint.created_at),
        "last_updated_timestamp": since,
        "description": "",
        "permission_level": "CAN_MANAGE",
        "route_optimized": False,
        "state": {
            "ready": "READY" if live.loaded else "NOT_READY",
            "config_update": live.update.value,
        },
        "ai_gateway": payload_json(endpoint.payload),
        "lakemon": {
            "previous_version": endpoint.previous.version if endpoint.previous else "",
            "error": error_json(live.error),
        },
    }
    if endpoint.current is not None:
        answer["config"] = _config(endpoint.current, len(endpoint.past), ready=live.loaded is not None)
    if live.pending is not None:
        answer["pending_config"] = _config(live.pending, len(endpoint.past) + 1, ready=False, live=live)
    return answer


def _config(entity: Entity, number: int, *, ready: bool, live: Live | None = None) -> dict[str, Any]:
    failed = live is not None and live.update is Update.FAILED
    state = "DEPLOYMENT_READY" if ready else "DEPLOYMENT_FAILED" if failed else "DEPLOYMENT_CREATING"
    message = str(live.error) if live is not None and live.error else ""
    return {
        "config_version": number,
        "served_entities": [
            {
                **entity_json(
                    entity.model,
                    entity.version,
                    workload_size=entity.workload_size,
                    scale_to_zero=entity.scale_to_zero,
                ),
                "name": entity.name,
                "creation_timestamp": _milliseconds(entity.at),
                "creator": "lakemon",
                "state": {"deployment": state, "deployment_state_message": message},
            }
        ],
        "traffic_config": {
            "routes": [
                {
                    "served_entity_name": entity.name,
                    "served_model_name": entity.name,
                    "traffic_percentage": 100,
                }
            ]
        },
    }


def _milliseconds(moment: Any) -> int:
    return int(moment.timestamp() * 1000)


def _invalid(message: str) -> Refused:
    return Refused(400, "INVALID_PARAMETER_VALUE", message)
