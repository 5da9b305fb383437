"""Reads an endpoint as the workspace describes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lakemon_core.domain.names import TableName
from lakemon_core.ports import EndpointState
from lakemon_databricks.serving.entities import Entity, served
from lakemon_databricks.serving.gateway import payload_of

if TYPE_CHECKING:
    from databricks.sdk.service.serving import ServedEntityOutput, ServingEndpointDetailed

VERSION, PREVIOUS, MARK = "lakemon_version", "lakemon_previous", "lakemon_spec"
"""Tags of an endpoint: which version was deployed last, which before it, and the hash of what was asked."""
_FAILED = {"UPDATE_FAILED", "UPDATE_CANCELED"}
_BROKEN = {"DEPLOYMENT_FAILED", "DEPLOYMENT_ABORTED"}


@dataclass(frozen=True, slots=True)
class Described:
    """An endpoint, with the questions we have.

    Attributes:
        raw: as the SDK gives it.
        host: of the workspace.
    """

    raw: ServingEndpointDetailed
    host: str

    @property
    def name(self) -> str:
        """Name of the endpoint."""
        return self.raw.name or ""

    @property
    def tags(self) -> Mapping[str, str]:
        """Tags by key."""
        return {tag.key: tag.value or "" for tag in self.raw.tags or []}

    @property
    def ready(self) -> bool:
        """Whether it answers requests."""
        return _word(self.raw.state and self.raw.state.ready) == "READY"

    @property
    def updating(self) -> bool:
        """Whether an update is under way: no second one is taken until it has ended."""
        return self.update == "IN_PROGRESS"

    @property
    def update(self) -> str:
        """State of the last update, in the words of the workspace."""
        return _word(self.raw.state and self.raw.state.config_update)

    @property
    def failed(self) -> bool:
        """Whether the last update failed; what answered before goes on answering."""
        return self.update in _FAILED

    @property
    def entities(self) -> tuple[Entity, ...]:
        """What answers now."""
        return served(self.raw.config)

    @property
    def coming(self) -> tuple[Entity, ...]:
        """What the running update brings; what answers now where none runs."""
        return served(self.raw.pending_config) if self.updating else self.entities

    @property
    def outputs(self) -> list[ServedEntityOutput]:
        """Entities with their states; those of a running update where one runs."""
        config = self.raw.pending_config or self.raw.config
        return list((config and config.served_entities) or [])

    @property
    def broken(self) -> list[ServedEntityOutput]:
        """Entities whose deployment failed."""
        return [one for one in self.outputs if _word(one.state and one.state.deployment) in _BROKEN]

    @property
    def shares(self) -> Mapping[str, int]:
        """Version → percent of the traffic."""
        return {one.version: one.share for one in self.entities}

    @property
    def version(self) -> str:
        """Version that was deployed last, where it answers; else the one with the most traffic."""
        told = self.tags.get(VERSION, "")
        return told if told in self.shares else max(self.shares, key=self.shares.__getitem__, default="")

    @property
    def previous(self) -> str:
        """Version that was deployed before that; empty when there was none."""
        told = self.tags.get(PREVIOUS, "")
        return "" if told == self.version else told

    @property
    def payload(self) -> TableName | None:
        """Its payload table; None where requests are not logged."""
        return payload_of(self.raw.ai_gateway, self.name)

    @property
    def legacy_table(self) -> str:
        """Prefix of the inference table of the old kind, where one is switched on; else empty."""
        old = self.raw.config and self.raw.config.auto_capture_config
        if not old or not old.enabled:
            return ""
        return f"{old.catalog_name}.{old.schema_name}.{old.table_name_prefix or self.name}"

    @property
    def url(self) -> str:
        """Where requests go."""
        if self.raw.route_optimized and self.raw.endpoint_url:
            return f"https://{self.raw.endpoint_url.removeprefix('https://')}"
        return f"{self.host}/serving-endpoints/{self.name}/invocations"

    @property
    def detail(self) -> str:
        """State in the words of the workspace, e.g. `READY, IN_PROGRESS (delays-2 DEPLOYMENT_CREATING)`."""
        words = [_word(self.raw.state and self.raw.state.ready)]
        if self.update not in {"", "NOT_UPDATING"}:
            words.append(self.update)
        open_ones = [
            f"{one.name} {_word(one.state and one.state.deployment)}"
            for one in self.outputs
            if _word(one.state and one.state.deployment) not in {"", "DEPLOYMENT_READY"}
        ]
        told = f" ({', '.join(open_ones)})" if open_ones else ""
        return ", ".join(word for word in words if word) + told

    @property
    def state(self) -> EndpointState:
        """The endpoint as lakemon knows it."""
        return EndpointState(
            self.name, self.ready, self.version, self.previous, self.url, self.payload, self.detail
        )


def _word(value: object) -> str:
    """Returns the text of an enum; the SDK gives None for a word that it does not know."""
    return str(getattr(value, "value", "") or "")
