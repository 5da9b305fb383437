"""One endpoint: its config, what is pending, and what GET says of it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Json = dict[str, Any]


@dataclass(slots=True)
class Deployment:
    """A config on its way to serve, or serving.

    Attributes:
        config: completed served entities and traffic.
        number: config_version.
        started: when.
        due: when it is ready; None for never.
        polls_left: GETs that have to say that it is under way.
        failure: why it fails when it is due; empty when it does not.
        failed: it did.
        ids: served entity name → served_entity_id.
    """

    config: Json
    number: int
    started: datetime
    due: datetime | None
    polls_left: int = 0
    failure: str = ""
    failed: bool = False
    ids: dict[str, str] = field(default_factory=dict[str, str])

    def entity(self, name: str) -> Json:
        """Returns a served entity by its name."""
        return next(entity for entity in self.config["served_entities"] if entity["name"] == name)


@dataclass(slots=True)
class Endpoint:
    """An endpoint.

    Attributes:
        name: unique.
        creator: owns the payload table.
        created: when.
        id: UUID without dashes.
        serving: what answers; None before the first config is ready.
        pending: what is under way, or failed last.
        gateway: AI Gateway as put last.
        tags: key → value.
        extras: fields of the creation that GET echoes.
        legacy: an auto_capture_config from before 2026, by script.
        sent: requests by served entity name, for the traffic split.
        creation_update: config_update that is shown while the first config is built.
        history: every deployment that ever served, for `system.serving.served_entities`.
    """

    name: str
    creator: str
    created: datetime
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    serving: Deployment | None = None
    pending: Deployment | None = None
    gateway: Json = field(default_factory=dict[str, Any])
    tags: dict[str, str] = field(default_factory=dict[str, str])
    extras: Json = field(default_factory=dict[str, Any])
    legacy: Json | None = None
    sent: dict[str, int] = field(default_factory=dict[str, int])
    creation_update: str = "NOT_UPDATING"
    history: list[Deployment] = field(default_factory=list[Deployment])

    @property
    def is_updating(self) -> bool:
        """Whether a config is under way."""
        return self.pending is not None and not self.pending.failed

    def settle(self, now: datetime) -> None:
        """Lets a config whose time has come serve, or fail."""
        pending = self.pending
        if not pending or pending.failed or pending.polls_left or not pending.due or pending.due > now:
            return
        if pending.failure:
            pending.failed = True
            return
        self.serving, self.pending, self.sent = pending, None, {}
        self.history.append(pending)

    def next_entity(self) -> str:
        """Returns the served entity whose share of the traffic is furthest behind, and counts it."""
        assert self.serving
        routes: list[Json] = self.serving.config["traffic_config"]["routes"]
        total = sum(self.sent.values()) + 1

        def behind(route: Json) -> float:
            return route["traffic_percentage"] / 100 * total - self.sent.get(route["served_entity_name"], 0)

        name = max(routes, key=behind)["served_entity_name"]
        self.sent[name] = self.sent.get(name, 0) + 1
        return name

    def state(self) -> dict[str, str]:
        """Returns `ready` and `config_update`."""
        update = "NOT_UPDATING"
        if self.pending:
            update = "UPDATE_FAILED" if self.pending.failed else "IN_PROGRESS"
            if not self.serving and update == "IN_PROGRESS":
                update = self.creation_update
        return {"ready": "READY" if self.serving else "NOT_READY", "config_update": update}

    def brief(self) -> Json:
        """Returns what the list of endpoints says."""
        newest = self.pending or self.serving
        seen: Json = {
            "name": self.name,
            "id": self.id,
            "creator": self.creator,
            "creation_timestamp": _ms(self.created),
            "last_updated_timestamp": _ms(newest.started if newest else self.created),
            "state": self.state(),
            "tags": self.tag_list(),
            "description": "",
            "permission_level": "CAN_MANAGE",
            "route_optimized": False,
            **{key: value for key, value in self.extras.items() if value},
        }
        if self.gateway:
            seen["ai_gateway"] = self.gateway
        if self.pending:
            word = "DEPLOYMENT_FAILED" if self.pending.failed else "DEPLOYMENT_CREATING"
            seen["pending_config"] = {**_config(self.pending, word), "start_time": _ms(self.pending.started)}
        if self.serving:
            seen["config"] = {**_config(self.serving, "DEPLOYMENT_READY"), **self._captured()}
        return seen

    def seen(self, host: str) -> Json:
        """Returns what GET says, and counts one poll."""
        detailed = {**self.brief(), "endpoint_url": f"{host}/serving-endpoints/{self.name}/invocations"}
        if self.pending:
            self.pending.polls_left = max(0, self.pending.polls_left - 1)
        return detailed

    def _captured(self) -> Json:
        return {"auto_capture_config": self.legacy} if self.legacy else {}

    def tag_list(self) -> list[Mapping[str, str]]:
        """Returns the tags, sorted."""
        return [{"key": key, "value": value} for key, value in sorted(self.tags.items())]


def _config(deployment: Deployment, word: str) -> Json:
    message = deployment.failure if deployment.failed else ""
    entities = [
        {
            **entity,
            "creation_timestamp": _ms(deployment.started),
            "state": {"deployment": word, "deployment_state_message": message},
        }
        for entity in deployment.config["served_entities"]
    ]
    return {
        "served_entities": entities,
        "traffic_config": deployment.config["traffic_config"],
        "config_version": deployment.number,
    }


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
