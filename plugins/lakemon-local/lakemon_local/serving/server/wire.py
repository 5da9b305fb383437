"""Databricks' wire format: what a scoring request may look like, and what refusals look like."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

INPUT_FORMATS = ("dataframe_split", "dataframe_records", "instances", "inputs")
MAX_BODY_BYTES = 16 * 1024 * 1024
"""Databricks' limit for the payload of a custom model."""


class Refused(Exception):
    """A request that is answered with an error.

    Attributes:
        status: HTTP status.
        error_code: Databricks' word for it.
        message: one sentence or more.
    """

    def __init__(self, status: int, error_code: str, message: str) -> None:
        self.status = status
        self.error_code = error_code
        self.message = message
        super().__init__(message)

    def body(self) -> str:
        """Returns the error body as Databricks writes it."""
        return json.dumps({"error_code": self.error_code, "message": self.message})


def bad_request(message: str) -> Refused:
    """Returns the refusal of a body that is not understood."""
    return Refused(400, "BAD_REQUEST", message)


def no_endpoint(name: str) -> Refused:
    """Returns the refusal of a name that no endpoint has."""
    return Refused(404, "RESOURCE_DOES_NOT_EXIST", f"Endpoint with name '{name}' does not exist.")


@dataclass(frozen=True, slots=True)
class ScoringRequest:
    """A scoring request that has the right shape.

    Attributes:
        body: the JSON object, with exactly one input format.
        client_request_id: given by the client; None when it gave none.
    """

    body: dict[str, Any]
    client_request_id: str | None


def read_request(raw: bytes, content_type: str) -> ScoringRequest:
    """Reads the body of a scoring request.

    Raises:
        Refused: 400 for what is no JSON object with exactly one input format, holds NaN or infinity, or is
            nested too deeply; 413 when it is too large; 415 for another content type.
    """
    if content_type.partition(";")[0].strip().lower() != "application/json":
        raise Refused(
            415,
            "INVALID_PARAMETER_VALUE",
            f"Content type '{content_type}' is not supported; send application/json.",
        )
    if len(raw) > MAX_BODY_BYTES:
        raise too_large()
    body = _json_object(raw)
    given = [name for name in INPUT_FORMATS if name in body]
    if len(given) != 1:
        raise bad_request(
            "The input must be a JSON dictionary with exactly one of the input fields"
            f" {', '.join(INPUT_FORMATS)}; received: {', '.join(map(str, list(body)[:10])) or 'none'}."
        )
    return ScoringRequest(body, _client_request_id(body))


def too_large() -> Refused:
    """Returns the refusal of a body over the limit."""
    return Refused(
        413, "MAX_REQUEST_SIZE_EXCEEDED", f"The request is larger than {MAX_BODY_BYTES} bytes (16 MB)."
    )


def _json_object(raw: bytes) -> dict[str, Any]:
    try:
        body = json.loads(raw.decode("utf-8"), parse_constant=_refuse_constant)
    except RecursionError as error:
        raise bad_request("The JSON body is nested too deeply.") from error
    except ValueError as error:
        raise bad_request(f"Ensure that input is a valid JSON formatted string. Error: {error}") from error
    if not isinstance(body, dict):
        raise bad_request(f"The input must be a JSON dictionary; received a {type(body).__name__}.")
    return body


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON; send null instead")


def _client_request_id(body: Mapping[str, Any]) -> str | None:
    given = body.get("client_request_id")
    if given is None:
        return None
    if not isinstance(given, str) or len(given) > 1024 or not _encodable(given):
        raise bad_request("client_request_id must be a string of at most 1024 characters.")
    return given


def _encodable(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def without_nan(text: str) -> str:
    """Returns JSON in which NaN and infinities, which JSON does not know, are null."""
    if "NaN" not in text and "Infinity" not in text:
        return text
    return json.dumps(json.loads(text, parse_constant=lambda _: None))
