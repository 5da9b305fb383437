"""What the service refuses about an endpoint before it does anything."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from fakes.databricks.web.messages import invalid

_ENDPOINT_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?")
_ENTITY_NAME = re.compile(r"[A-Za-z0-9_-]{1,128}")
_MODEL_NAME = re.compile(r"[^./ ]+\.[^./ ]+\.[^./ ]+")
_PREFIX = re.compile(r"[A-Za-z0-9_]+")
_SIZES = ("Small", "Medium", "Large")
_TYPES = (
    *("CPU", "CPU_MEDIUM", "CPU_LARGE", "GPU_SMALL", "GPU_MEDIUM", "GPU_LARGE", "GPU_XLARGE"),
    *("GPU_XLARGE_8", "MULTIGPU_MEDIUM"),
)
_MOST_ENTITIES = 15

Config = dict[str, Any]


def check_name(name: object) -> str:
    """Returns the name of an endpoint.

    Raises:
        Refused: 400 for one that is none.
    """
    if not isinstance(name, str) or not _ENDPOINT_NAME.fullmatch(name):
        raise invalid(
            "Endpoint name must be alphanumeric with hyphens or underscores, at most 63 characters, and begin"
            f" and end with an alphanumeric character; got {name!r}."
        )
    return name


def completed(config: Config) -> Config:
    """Returns a config with names and traffic filled in as the service does.

    Raises:
        Refused: 400 for what it refuses.
    """
    if config.get("auto_capture_config", {}).get("enabled", "auto_capture_config" in config):
        raise invalid(
            "Legacy inference tables (auto_capture_config) can no longer be enabled. Use AI Gateway inference"
            " tables instead."
        )
    entities = [
        _entity(given) for given in config.get("served_entities") or config.get("served_models") or []
    ]
    if not entities:
        raise invalid("The endpoint config must have at least one served entity.")
    names = [entity["name"] for entity in entities]
    if len(names) > _MOST_ENTITIES or len(set(names)) < len(names):
        raise invalid(f"An endpoint takes at most {_MOST_ENTITIES} served entities with names of their own.")
    return {"served_entities": entities, "traffic_config": _traffic(config.get("traffic_config"), names)}


def _entity(given: Config) -> Config:
    entity = {**given}
    if entity.get("external_model"):
        entity.setdefault("name", entity["external_model"]["name"])
        return entity
    name = entity.setdefault("entity_name", entity.pop("model_name", None))
    version = entity.setdefault("entity_version", entity.pop("model_version", None))
    if not isinstance(name, str) or not _MODEL_NAME.fullmatch(name):
        raise invalid(f"entity_name must be a three-level name of Unity Catalog, not {name!r}.")
    if not isinstance(version, str) or not version.isdigit():
        raise invalid(f"entity_version must be a number in a string, not {version!r}.")
    entity.setdefault("name", f"{name.rpartition('.')[2]}-{version}")
    if not _ENTITY_NAME.fullmatch(entity["name"]):
        raise invalid(f"Served entity name {entity['name']!r} may hold letters, digits, - and _ only.")
    _check_workload(entity)
    return entity


def _check_workload(entity: Config) -> None:
    concurrency = {"min_provisioned_concurrency", "max_provisioned_concurrency"} & entity.keys()
    size = entity.get("workload_size")
    if size and concurrency:
        raise invalid("workload_size and min/max_provisioned_concurrency must not be given together.")
    if not size and not concurrency:
        entity["workload_size"] = "Small"
    elif size and size not in _SIZES:
        raise invalid(f"workload_size must be one of {', '.join(_SIZES)}, not {size!r}.")
    if entity.setdefault("workload_type", "CPU") not in _TYPES:
        raise invalid(f"workload_type must be one of {', '.join(_TYPES)}, not {entity['workload_type']!r}.")
    variables = entity.get("environment_vars") or {}
    if not all(isinstance(value, str) for value in variables.values()):
        raise invalid("The values of environment_vars must be strings.")
    entity.setdefault("scale_to_zero_enabled", False)


def _traffic(given: Config | None, names: Sequence[str]) -> Config:
    routes = [{**route} for route in (given or {}).get("routes") or []]
    if not routes and len(names) > 1:
        raise invalid("traffic_config is required when there is more than one served entity.")
    routes = routes or [{"served_entity_name": names[0], "traffic_percentage": 100}]
    for route in routes:
        name = route.get("served_entity_name") or route.get("served_model_name")
        if name not in names:
            raise invalid(f"Traffic route names {name!r}, which is no served entity of this config.")
        route["served_entity_name"] = route["served_model_name"] = name
    if sum(route.get("traffic_percentage", 0) for route in routes) != 100:
        raise invalid("The traffic percentages of all routes must sum to 100.")
    return {"routes": routes}


def check_gateway(gateway: Config) -> Config | None:
    """Returns the config of the inference table when it is enabled.

    Raises:
        Refused: 400 when it is enabled without catalog and schema, or with a prefix of other characters.
    """
    table = gateway.get("inference_table_config") or {}
    if not table.get("enabled"):
        return None
    if not table.get("catalog_name") or not table.get("schema_name"):
        raise invalid("catalog_name and schema_name are required when the inference table is enabled.")
    prefix = table.get("table_name_prefix")
    if prefix and not _PREFIX.fullmatch(prefix):
        raise invalid(f"table_name_prefix may hold letters, digits and _ only, not {prefix!r}.")
    return table
