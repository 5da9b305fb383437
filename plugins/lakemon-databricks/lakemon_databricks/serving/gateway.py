"""The AI Gateway of an endpoint: it logs requests into the payload table.

Putting a gateway replaces all of it, so what others have set there is read and sent along.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lakemon_core.domain.errors import ModelError, UsageError
from lakemon_core.domain.names import TableName
from lakemon_databricks.workspace.refusals import message_of

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient
    from databricks.sdk.service.serving import AiGatewayConfig, AiGatewayInferenceTableConfig

SUFFIX = "_payload"


def payload_of(gateway: AiGatewayConfig | None, endpoint: str) -> TableName | None:
    """Returns the table that a gateway logs into; None where it does not.

    The workspace does not tell its name: it is the prefix, or else the endpoint's name, with `_payload`.
    """
    table = gateway and gateway.inference_table_config
    if not table or not table.enabled or not table.catalog_name or not table.schema_name:
        return None
    return TableName(table.catalog_name, table.schema_name, (table.table_name_prefix or endpoint) + SUFFIX)


def logging_into(payload: TableName) -> AiGatewayInferenceTableConfig:
    """Returns the config that logs into a payload table.

    Raises:
        UsageError: LM151 for a name that Databricks cannot make.
    """
    from databricks.sdk.service.serving import AiGatewayInferenceTableConfig

    prefix = payload.table.removesuffix(SUFFIX)
    if prefix == payload.table or not re.fullmatch(r"[A-Za-z0-9_]+", prefix):
        raise UsageError(
            "LM151",
            f"payload table {payload} cannot be made: Databricks names it <prefix>{SUFFIX}, with letters,"
            " digits and _ only;",
            cure=f"set `inference_table.payload`, e.g. to inference_logs{SUFFIX}.",
        )
    return AiGatewayInferenceTableConfig(
        catalog_name=payload.catalog, schema_name=payload.schema, table_name_prefix=prefix, enabled=True
    )


def log_into(
    client: WorkspaceClient, endpoint: str, gateway: AiGatewayConfig | None, payload: TableName | None
) -> None:
    """Has an endpoint log into a payload table from now on; None switches logging off.

    No redeployment: the endpoint goes on answering. Requests from before are not logged afterwards. A table
    in another place is taken only after the one before is switched off.

    Raises:
        ModelError: LM427 when the workspace refuses.
    """
    before = payload_of(gateway, endpoint)
    if before == payload:
        return
    if before is not None:
        _put(client, endpoint, gateway, None)
    if payload is not None:
        _put(client, endpoint, gateway, logging_into(payload))


def _put(
    client: WorkspaceClient,
    endpoint: str,
    gateway: AiGatewayConfig | None,
    table: AiGatewayInferenceTableConfig | None,
) -> None:
    from databricks.sdk.errors import BadRequest, NotFound, ResourceConflict
    from databricks.sdk.service.serving import AiGatewayConfig, AiGatewayInferenceTableConfig

    kept = gateway or AiGatewayConfig()
    try:
        client.serving_endpoints.put_ai_gateway(
            endpoint,
            fallback_config=kept.fallback_config,
            guardrails=kept.guardrails,
            rate_limits=kept.rate_limits,
            usage_tracking_config=kept.usage_tracking_config,
            inference_table_config=table or AiGatewayInferenceTableConfig(enabled=False),
        )
    except (BadRequest, NotFound, ResourceConflict) as error:
        raise not_logged(endpoint, error) from error


def not_logged(endpoint: str, error: Exception) -> ModelError:
    """Returns the error for a gateway that the workspace refuses."""
    return ModelError(
        "LM427",
        f"endpoint {endpoint} cannot log its requests: {message_of(error)};",
        cure="look that catalog and schema of `inference_table.payload` exist, are managed by Unity Catalog"
        " and no Delta share, and that no table of that name is there; `lakemon doctor` lists grants.",
    )
