"""Endpoints in the words of Databricks' serving-endpoints API, for both sides of the wire.

What Databricks has no word for stands under `lakemon`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from lakemon_core.domain.errors import LakemonError
from lakemon_core.domain.names import TableName
from lakemon_core.ports import EndpointState

PAYLOAD_SUFFIX = "_payload"
"""Databricks names a payload table `<prefix>_payload`."""


def payload_json(payload: TableName | None) -> dict[str, Any]:
    """Returns the `ai_gateway` that logs to a payload table; None switches logging off."""
    if payload is None:
        return {"inference_table_config": {"enabled": False}}
    return {
        "inference_table_config": {
            "enabled": True,
            "catalog_name": payload.catalog,
            "schema_name": payload.schema,
            "table_name_prefix": payload.table.removesuffix(PAYLOAD_SUFFIX),
        }
    }


def payload_of(gateway: object) -> TableName | None:
    """Reads an `ai_gateway`; None when logging is off.

    Raises:
        ValueError: when it is switched on without a place.
        UsageError: LM120 for names that are not allowed.
    """
    table = mapping(mapping(gateway).get("inference_table_config"))
    if table.get("enabled") is not True:
        return None
    catalog, schema, prefix = (table.get(key) for key in ("catalog_name", "schema_name", "table_name_prefix"))
    if not (catalog and schema and prefix):
        raise ValueError("inference_table_config needs catalog_name, schema_name and table_name_prefix.")
    return TableName(str(catalog), str(schema), f"{prefix}{PAYLOAD_SUFFIX}")


def entity_json(model: str, version: str, *, workload_size: str, scale_to_zero: bool) -> dict[str, Any]:
    """Returns a model version as an entry of `served_entities`."""
    return {
        "entity_name": model,
        "entity_version": version,
        "workload_size": workload_size,
        "scale_to_zero_enabled": scale_to_zero,
    }


def error_json(error: LakemonError | None) -> dict[str, str] | None:
    """Returns an error in its parts, so that the other side can raise it again."""
    if error is None:
        return None
    return {"code": error.code, "what": error.what, "where": error.where, "cure": error.cure}


def mapping(value: object) -> Mapping[str, Any]:
    """Returns the value when it is a mapping, else an empty one."""
    return value if isinstance(value, Mapping) else {}


@dataclass(frozen=True, slots=True)
class Described:
    """An endpoint as the server describes it."""

    fields: Mapping[str, Any]

    @property
    def updating(self) -> bool:
        """Whether another version is being loaded."""
        return self.fields["state"]["config_update"] == "IN_PROGRESS"

    @property
    def failed(self) -> bool:
        """Whether the last update failed."""
        return self.fields["state"]["config_update"] == "UPDATE_FAILED"

    @property
    def ready(self) -> bool:
        """Whether it answers."""
        return self.fields["state"]["ready"] == "READY"

    @property
    def version(self) -> str:
        """The version that answers; empty when none does."""
        config = self.fields.get("config")
        return str(config["served_entities"][0]["entity_version"]) if config and self.ready else ""

    @property
    def payload(self) -> TableName | None:
        """Where its requests are logged."""
        return payload_of(self.fields["ai_gateway"])

    @property
    def error(self) -> Mapping[str, str]:
        """What went wrong, in its parts; empty when nothing did."""
        return mapping(self.fields["lakemon"]["error"])

    def state(self, url: str) -> EndpointState:
        """Returns it as the rest of lakemon knows it."""
        name, state = str(self.fields["name"]), self.fields["state"]
        said = f": {self.error['what']}" if self.error else ""
        return EndpointState(
            name=name,
            ready=self.ready,
            version=self.version,
            previous=str(self.fields["lakemon"]["previous_version"]),
            url=f"{url}{scoring_path(name)}",
            payload=self.payload,
            detail=f"{state['ready']} {state['config_update']}{said}",
        )


def scoring_path(name: str) -> str:
    """Returns the path that scores."""
    return f"/serving-endpoints/{quote(name, safe='')}/invocations"
