"""Creates and updates endpoints, so that sending the same change twice changes nothing.

Create: the name is taken the second time, and what is there is compared with what was asked. Update and
gateway put a state. Tags say what was deployed last and before: they are set before an update is sent, so
that a run that is killed in between leaves an endpoint that can be rolled back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lakemon_core.domain.errors import ModelError
from lakemon_core.domain.names import TableName
from lakemon_databricks.serving.described import MARK, PREVIOUS, VERSION, Described
from lakemon_databricks.serving.entities import Wanted, foreign
from lakemon_databricks.serving.gateway import logging_into, not_logged
from lakemon_databricks.serving.readiness import Waiting
from lakemon_databricks.workspace.refusals import message_of, refused

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient
    from databricks.sdk.service.serving import EndpointTag

_CONFLICTS = 3
"""How often an update is sent again after somebody else's."""
_OF_THE_GATEWAY = ("gateway", "inference table", "schema", "catalog")
"""Words of a refusal that is about the payload table, not about the model."""


@dataclass(frozen=True, slots=True)
class Changing:
    """Changes one endpoint.

    Attributes:
        client: of the workspace.
        endpoint: its name.
        tags: that every endpoint of this config has.
        waiting: waits for it.
    """

    client: WorkspaceClient
    endpoint: str
    tags: Mapping[str, str]
    waiting: Waiting

    def create(self, asked: Wanted, version: str, payload: TableName | None) -> Described | None:
        """Makes the endpoint, logging from its first request on; returns it only where it was there already.

        That happens when the answer to our own call was lost, or when somebody was quicker.

        Raises:
            ModelError: LM424, LM427 when the workspace refuses.
        """
        from databricks.sdk.errors import BadRequest, NotFound, ResourceConflict
        from databricks.sdk.service.serving import AiGatewayConfig, EndpointCoreConfigInput

        config = EndpointCoreConfigInput(
            name=self.endpoint, served_entities=asked.inputs(), traffic_config=asked.traffic()
        )
        gateway = AiGatewayConfig(inference_table_config=logging_into(payload)) if payload else None
        tags = _as_tags({**self.tags, VERSION: version, MARK: asked.mark})
        try:
            self.client.serving_endpoints.create(self.endpoint, config=config, ai_gateway=gateway, tags=tags)
        except ResourceConflict:
            return self.waiting.settled()
        except (BadRequest, NotFound) as error:
            about_logging = any(word in message_of(error).lower() for word in _OF_THE_GATEWAY)
            told = not_logged if about_logging else _not_created
            raise told(self.endpoint, error) from error
        return None

    def update(self, found: Described, asked: Wanted, version: str, previous: str) -> bool:
        """Sends an update unless the endpoint serves that already; the version before answers until then.

        Returns:
            whether an update was sent.

        Raises:
            ModelError: LM424 the workspace refuses, LM429 somebody else updates it again and again.
        """
        from databricks.sdk.errors import BadRequest, NotFound, ResourceConflict

        for _ in range(_CONFLICTS):
            self.tag(found, {**self.tags, VERSION: version, PREVIOUS: previous})
            if _serves(found, asked):
                return False
            try:
                self.client.serving_endpoints.update_config(
                    self.endpoint, served_entities=asked.inputs(), traffic_config=asked.traffic()
                )
                return True
            except ResourceConflict:
                found = self.waiting.settled() or found
            except (BadRequest, NotFound) as error:
                raise refused(error, f"update endpoint {self.endpoint}") from error
        raise ModelError(
            "LM429",
            f"endpoint {self.endpoint} is updated by somebody else again and again: {found.detail};",
            where=found.url,
            cure="look who deploys to it, and run deploy again.",
        )

    def tag(self, found: Described, tags: Mapping[str, str]) -> None:
        """Sets the tags that differ; an empty value takes a tag away.

        Raises:
            ModelError: LM424 for a tag that the workspace does not take.
        """
        from databricks.sdk.errors import BadRequest

        added = {key: value for key, value in tags.items() if value and found.tags.get(key) != value}
        dropped = [key for key, value in tags.items() if not value and key in found.tags]
        if not added and not dropped:
            return
        try:
            self.client.serving_endpoints.patch(
                self.endpoint, add_tags=_as_tags(added) or None, delete_tags=dropped or None
            )
        except BadRequest as error:
            raise refused(error, f"tag endpoint {self.endpoint}") from error


def demand_ours(found: Described) -> None:
    """Lets an endpoint pass that can become what we ask for.

    Raises:
        ModelError: LM422 we may not manage it, LM426 it logs into an inference table of the old kind, LM428
            it serves models from elsewhere.
    """
    if found.legacy_table:
        raise ModelError(
            "LM426",
            f"endpoint {found.name} has an inference table of the old kind (auto_capture_config, prefix"
            f" {found.legacy_table}), which Databricks has switched off: nothing is logged;",
            where=found.url,
            cure="switch it off there (`enabled: false`), or deploy to another endpoint_name; lakemon logs"
            " through the AI Gateway.",
        )
    others = foreign(found.outputs)
    if others:
        raise ModelError(
            "LM428",
            f"endpoint {found.name} serves {', '.join(others)}, no model of Unity Catalog, and cannot become"
            " an endpoint for one;",
            where=found.url,
            cure="choose another serving.endpoint_name.",
        )
    level = found.raw.permission_level
    if level and level.value != "CAN_MANAGE":
        raise ModelError(
            "LM422",
            f"we have {level.value} on endpoint {found.name}, and need CAN_MANAGE to deploy;",
            where=found.url,
            cure="ask its owner to grant it.",
        )


def version_before(found: Described, version: str) -> str:
    """Returns what a rollback shall bring back after this version is deployed; empty for nothing."""
    return found.previous if found.version == version else found.version


def _serves(found: Described, asked: Wanted) -> bool:
    """Whether an endpoint serves what is asked for, or is on its way there; what failed is tried again."""
    if not found.ready and (found.failed or found.broken):
        return False
    return found.coming == asked.entities and found.tags.get(MARK) == asked.mark


def _as_tags(tags: Mapping[str, str]) -> list[EndpointTag]:
    from databricks.sdk.service.serving import EndpointTag

    return [EndpointTag(key=key, value=value) for key, value in tags.items()]


def _not_created(endpoint: str, error: Exception) -> ModelError:
    return refused(error, f"create endpoint {endpoint}")
