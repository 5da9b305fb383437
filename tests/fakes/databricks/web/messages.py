"""What goes over the wire: a request, its answer, and the refusal that Databricks writes as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


class Refused(Exception):
    """A request that is answered with an error body, as Databricks writes it.

    Attributes:
        status: HTTP status.
        error_code: Databricks' word for it; None for bodies that carry none.
        message: one sentence or more.
    """

    def __init__(self, status: int, error_code: str | None, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.error_code = error_code
        self.message = message

    def answer(self) -> Answer:
        """Returns the answer with `{"error_code", "message"}`."""
        body = {"error_code": self.error_code, "message": self.message}
        return Answer.of({key: value for key, value in body.items() if value is not None}, self.status)


def invalid(message: str) -> Refused:
    """Returns 400 INVALID_PARAMETER_VALUE."""
    return Refused(400, "INVALID_PARAMETER_VALUE", message)


def missing(message: str) -> Refused:
    """Returns 404 RESOURCE_DOES_NOT_EXIST."""
    return Refused(404, "RESOURCE_DOES_NOT_EXIST", message)


def exists(message: str) -> Refused:
    """Returns 409 RESOURCE_ALREADY_EXISTS."""
    return Refused(409, "RESOURCE_ALREADY_EXISTS", message)


def denied(message: str) -> Refused:
    """Returns 403 PERMISSION_DENIED."""
    return Refused(403, "PERMISSION_DENIED", message)


@dataclass(frozen=True, slots=True)
class Request:
    """One call as it came in.

    Attributes:
        method: `GET`, `POST`, ...
        path: decoded, without the query.
        query: parameters of the address; of repeated ones the last.
        headers: names in lower case.
        body: raw bytes.
        params: the parts of the path that the route names.
        user: who asks; empty before authentication and for open routes.
    """

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    params: Mapping[str, str] = field(default_factory=dict[str, str])
    user: str = ""

    def json(self) -> dict[str, Any]:
        """Returns the body, `{}` when there is none.

        Raises:
            Refused: 400 MALFORMED_REQUEST for what is no JSON object.
        """
        if not self.body:
            return {}
        try:
            body = json.loads(self.body)
        except ValueError as error:
            raise Refused(400, "MALFORMED_REQUEST", f"Invalid JSON given in the body: {error}") from error
        if not isinstance(body, dict):
            raise Refused(400, "MALFORMED_REQUEST", "Could not parse request object: expected a JSON object")
        return body

    def need(self, *names: str) -> list[Any]:
        """Returns the named fields of the body.

        Raises:
            Refused: 400 for the first that is absent, null or empty.
        """
        body = self.json()
        for name in names:
            if body.get(name) in (None, "", {}, []):
                raise invalid(f"Missing required field: {name}")
        return [body[name] for name in names]


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back."""

    status: int = 200
    body: bytes = b"{}"
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    content_type: str = "application/json"

    @classmethod
    def of(cls, body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
        """Returns a body as JSON."""
        return cls(status, json.dumps(body, default=str).encode(), headers or {})
