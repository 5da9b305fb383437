"""Secrets of the workspace, read at the moment of use."""

from __future__ import annotations

from base64 import b64decode
from typing import TYPE_CHECKING

from lakemon_databricks.workspace.refusals import refused

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient


def secret_of(client: WorkspaceClient, scope: str, key: str) -> str | None:
    """Returns the text of a secret; None where there is no such scope or key.

    Raises:
        ModelError: LM422 when we may not read the scope, LM424 when the workspace cannot.
    """
    from databricks.sdk.errors import BadRequest, NotFound

    try:
        found = client.secrets.get_secret(scope, key).value
    except NotFound:
        return None
    except BadRequest as error:
        raise refused(error, f"give out secret {scope}/{key}") from error
    return b64decode(found).decode() if found else None
