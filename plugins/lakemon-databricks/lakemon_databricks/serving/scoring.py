"""Sends one scoring request; the SDK's own `query` hides the request id."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from lakemon_core.domain.errors import ModelError
from lakemon_core.ports import ServingResponse
from lakemon_databricks.workspace.refusals import message_of

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient

ENTITY_HEADER = "served-model-name"
REQUEST_HEADERS = ("databricks-request-id", "x-databricks-request-id", "x-request-id")
"""Headers that may hold the id of the payload table, the surest first."""


def score(
    client: WorkspaceClient, url: str, records: Sequence[Mapping[str, object]], client_request_id: str
) -> ServingResponse:
    """Sends records and returns the answer; `served_version` is the name of the entity that gave it.

    A refusal of the model is an answer too: its status says so.

    Args:
        client: whose calls may take as long as an endpoint may.
        url: of the endpoint.
        records: one row each.
        client_request_id: is logged with the request; stands for its id where no header tells one.

    Raises:
        ModelError: LM417 records that are not JSON, LM421 to LM423 as for every call.
    """
    from databricks.sdk.errors.base import DatabricksError

    body: dict[str, Any] = {"dataframe_records": [dict(record) for record in records]}
    if client_request_id:
        body["client_request_id"] = client_request_id
    started = time.perf_counter()
    try:
        answer: Any = client.api_client.do(
            "POST",
            url=url,
            body=body,
            headers={"Accept": "application/json"},
            response_headers=[ENTITY_HEADER, *REQUEST_HEADERS],
        )
    except DatabricksError as error:
        return ServingResponse(client_request_id, client_request_id, _status(error), error=message_of(error))
    except (ValueError, TypeError) as error:
        raise ModelError(
            "LM417",
            f"the request cannot be sent as JSON: {error};",
            cure="use None for NaN, and plain numbers, text and booleans.",
        ) from error
    return ServingResponse(
        request_id=next((answer[name] for name in REQUEST_HEADERS if answer.get(name)), client_request_id),
        client_request_id=client_request_id,
        status=200,
        predictions=_rows(answer.get("predictions", ())),
        served_version=answer.get(ENTITY_HEADER) or "",
        milliseconds=(time.perf_counter() - started) * 1000,
    )


def _rows(predictions: object) -> Sequence[object]:
    """Returns one prediction a row; a model that answers with columns gives a dict of lists."""
    if isinstance(predictions, dict):
        columns = cast("dict[str, list[object]]", predictions)
        return [dict(zip(columns, row, strict=False)) for row in zip(*columns.values(), strict=False)]
    return cast("Sequence[object]", predictions)


def _status(error: Exception) -> int:
    """Returns the HTTP status that the SDK made an error of."""
    from databricks.sdk.errors import BadRequest, NotFound, ResourceConflict, TooManyRequests

    known: tuple[tuple[type[Exception], int], ...] = (
        (BadRequest, 400),
        (NotFound, 404),
        (ResourceConflict, 409),
        (TooManyRequests, 429),
    )
    return next((status for kind, status in known if isinstance(error, kind)), 500)
