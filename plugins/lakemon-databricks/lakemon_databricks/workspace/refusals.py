"""What the workspace refuses or leaves unanswered, in our words."""

from __future__ import annotations

import re
from typing import TypeVar

from lakemon_core.domain.errors import ModelError
from lakemon_core.domain.names import plain

Value = TypeVar("Value")
_GRANT = re.compile(
    r"(?:does not have|requires?|lacks?|missing) (?:the )?(?P<grant>[A-Z][A-Z ]+[A-Z])"
    r"(?: privileges?| permissions?)? on (?P<kind>\w+) [`'\"]?(?P<name>[\w.\-]+)",
)
_DEBUG = re.compile(r"\. (?:Config|Env): .*", re.DOTALL)
"""What the SDK appends to the message of a 401 or 403: its own configuration."""


def message_of(error: Exception) -> str:
    """Returns the workspace's own words, in one line and without the SDK's configuration."""
    return plain(_DEBUG.sub("", str(error)) or type(error).__name__, 400)


def no_credentials(error: Exception, host: str) -> ModelError:
    """Returns the error for a workspace that we have no or too many credentials for."""
    return ModelError(
        "LM420",
        f"no way to sign in: {message_of(error)};",
        where=host,
        cure="set DATABRICKS_HOST with a token, a service principal or OIDC, or name a `databricks.profile`;"
        " with several of them set, choose one by `databricks.auth_type`.",
    )


def not_signed_in(error: Exception, host: str) -> ModelError:
    """Returns the error for credentials that the workspace refuses."""
    return ModelError(
        "LM421",
        f"the workspace refuses our credentials: {message_of(error)};",
        where=host,
        cure="renew the token or secret, and look that it belongs to this workspace.",
    )


def not_allowed(error: Exception, what: str) -> ModelError:
    """Returns the error for a missing right, with the statement that grants it where the message names it."""
    said = message_of(error)
    found = _GRANT.search(said)
    cure = "`lakemon doctor` lists what is missing."
    if found:
        cure = f"GRANT {found['grant']} ON {found['kind'].upper()} {found['name']} TO this principal; {cure}"
    return ModelError("LM422", f"we may not {what}: {said};", cure=cure)


def no_answer(host: str, what: str, why: str) -> ModelError:
    """Returns the error for a call that was not answered, or not understandably, in its time."""
    return ModelError(
        "LM423",
        f"the workspace did not {what}: {why};",
        where=host,
        cure="check the host, the network and the proxy; `databricks.call_seconds` is the limit of one call.",
    )


def refused(error: Exception, what: str) -> ModelError:
    """Returns the error for a call that the workspace understood and refused.

    Args:
        error: of the SDK.
        what: the call, e.g. `create endpoint flights`.
    """
    return ModelError(
        "LM424",
        f"the workspace refused to {what}: {message_of(error)};",
        cure="the message holds its own words.",
    )


def present(value: Value | None, field: str, what: str) -> Value:
    """Returns a field of an answer that nothing goes on without.

    Args:
        value: of the field; the SDK says None for one that the answer lacks.
        field: its name.
        what: was asked, e.g. `start a refresh`.

    Raises:
        ModelError: LM423 when it is not there.
    """
    if value is not None:
        return value
    raise ModelError(
        "LM423",
        f"the workspace did not {what}: its answer has no {field};",
        cure="run again; if it stays, look whether a proxy changes answers, and report it.",
    )
