"""What an endpoint shall serve: entities and traffic, to be compared with what is there."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from lakemon_core.domain.errors import UsageError
from lakemon_core.domain.monitor import ServingSpec
from lakemon_core.ports import ModelVersion, Secrets

if TYPE_CHECKING:
    from databricks.sdk.service.serving import (
        EndpointCoreConfigOutput,
        EndpointPendingConfig,
        ServedEntityInput,
        ServedEntityOutput,
        TrafficConfig,
    )

_SECRET = re.compile(r"\$\{secret:([\w.@-]+)/([\w.@-]+)\}")
_LONGEST_NAME = 63


@dataclass(frozen=True, slots=True)
class Entity:
    """One version of a model behind an endpoint.

    Attributes:
        model: three-level name.
        version: its number.
        share: of the traffic, percent.
        workload_size: Small, Medium or Large.
        workload_type: e.g. CPU.
        scale_to_zero: may scale to zero when idle.
    """

    model: str
    version: str
    share: int
    workload_size: str
    workload_type: str
    scale_to_zero: bool

    @property
    def name(self) -> str:
        """Its name at the endpoint."""
        return entity_name(self.model, self.version)


@dataclass(frozen=True, slots=True)
class Wanted:
    """All that an endpoint shall serve.

    Attributes:
        entities: in the order of their versions.
        variables: environment variables; values as Databricks takes them.
    """

    entities: tuple[Entity, ...]
    variables: Mapping[str, str]

    @property
    def mark(self) -> str:
        """Hash of it: the workspace never tells the values of variables, so they are compared by this."""
        text = json.dumps([[asdict(one) for one in self.entities], self.variables], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def inputs(self) -> list[ServedEntityInput]:
        """Returns the entities as the SDK takes them."""
        from databricks.sdk.service.serving import ServedEntityInput, ServingModelWorkloadType

        return [
            ServedEntityInput(
                name=one.name,
                entity_name=one.model,
                entity_version=one.version,
                workload_size=one.workload_size,
                workload_type=ServingModelWorkloadType(one.workload_type),
                scale_to_zero_enabled=one.scale_to_zero,
                environment_vars=dict(self.variables) or None,
            )
            for one in self.entities
        ]

    def traffic(self) -> TrafficConfig:
        """Returns the shares as the SDK takes them."""
        from databricks.sdk.service.serving import Route, TrafficConfig

        return TrafficConfig(
            routes=[Route(traffic_percentage=one.share, served_entity_name=one.name) for one in self.entities]
        )


def entity_name(model: str, version: str) -> str:
    """Returns the name of a served entity, `<model>-<version>`, with the letters that are allowed there."""
    table = re.sub(r"[^A-Za-z0-9_-]", "_", model.rpartition(".")[2])
    return f"{table[: _LONGEST_NAME - len(version) - 1]}-{version}"


def wanted(spec: ServingSpec, model: ModelVersion, workload_type: str, secrets: Secrets) -> Wanted:
    """Returns what the config asks for.

    Raises:
        UsageError: LM151 when the traffic leaves out the version that is deployed, or names no number.
    """
    traffic = {version: share for version, share in spec.traffic.items() if share} or {model.version: 100}
    unnumbered = [version for version in traffic if not version.isdigit()]
    if unnumbered:
        raise UsageError(
            "LM151",
            f"traffic names {unnumbered[0]!r}, which is no version number;",
            where="serving.traffic",
            cure="write numbers: an alias may move, and an endpoint does not follow it.",
        )
    if model.version not in traffic:
        raise UsageError(
            "LM151",
            f"traffic {dict(spec.traffic)} leaves out version {model.version}, which is deployed;",
            where="serving.traffic",
            cure=f"give version {model.version} its percent, or leave the traffic out.",
        )
    entities = [
        Entity(model.name, version, share, spec.workload_size, workload_type, spec.scale_to_zero)
        for version, share in sorted(traffic.items(), key=lambda one: int(one[0]))
    ]
    return Wanted(tuple(entities), variables(spec.environment_vars, secrets))


def variables(given: Mapping[str, str], secrets: Secrets) -> dict[str, str]:
    """Returns environment variables as Databricks takes them.

    A secret stays a reference, `{{secrets/scope/key}}`: the endpoint resolves it, and we never see it.
    """
    return {
        name: secrets.reveal(_SECRET.sub(r"{{secrets/\1/\2}}", value))
        for name, value in sorted(given.items())
    }


def served(config: EndpointCoreConfigOutput | EndpointPendingConfig | None) -> tuple[Entity, ...]:
    """Returns what a config of the workspace serves, in the order of versions."""
    if config is None:
        return ()
    routes = (config.traffic_config and config.traffic_config.routes) or []
    shares = {
        (route.served_entity_name or route.served_model_name): route.traffic_percentage for route in routes
    }
    found = [_entity(each, shares) for each in config.served_entities or [] if each.entity_version]
    return tuple(sorted(found, key=lambda one: int(one.version)))


def _entity(found: ServedEntityOutput, shares: Mapping[str | None, int]) -> Entity:
    return Entity(
        model=found.entity_name or "",
        version=found.entity_version or "",
        share=shares.get(found.name, 0),
        workload_size=found.workload_size or "",
        workload_type=found.workload_type.value if found.workload_type else "CPU",
        scale_to_zero=bool(found.scale_to_zero_enabled),
    )


def foreign(entities: Sequence[ServedEntityOutput]) -> Sequence[str]:
    """Returns the names of entities that are no models of Unity Catalog."""
    return [each.name or "" for each in entities if each.external_model or each.foundation_model]
