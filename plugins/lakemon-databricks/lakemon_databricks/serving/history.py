"""Which versions an endpoint served from when on: the payload table knows only an opaque id."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from lakemon_core.ports import Ledger


@dataclass(frozen=True, slots=True)
class Deployment:
    """From `at` on, an endpoint served these versions.

    Attributes:
        at: UTC; when the endpoint was seen ready with them.
        model: three-level name.
        versions: version → percent of the traffic.
    """

    at: datetime
    model: str
    versions: Mapping[str, int]

    @property
    def only(self) -> str:
        """The version that answered, where there was just one; else empty."""
        serving = [version for version, share in self.versions.items() if share]
        return serving[0] if len(serving) == 1 else ""


def read(ledger: Ledger, endpoint: str) -> tuple[Deployment, ...]:
    """Returns the deployments of an endpoint that lakemon made, oldest first."""
    noted: list[dict[str, object]] = json.loads(ledger.get(_key(endpoint)) or "[]")
    return tuple(_deployment(each) for each in noted)


def note(ledger: Ledger, endpoint: str, deployment: Deployment) -> None:
    """Notes a deployment; one that serves what the last one did changes nothing."""
    known = read(ledger, endpoint)
    if known and (known[-1].model, known[-1].versions) == (deployment.model, deployment.versions):
        return
    entries = [
        {"at": one.at.isoformat(), "model": one.model, "versions": dict(one.versions)}
        for one in (*known, deployment)
    ]
    ledger.put(_key(endpoint), json.dumps(entries))


def version_at(deployments: tuple[Deployment, ...], moment: datetime) -> str:
    """Returns the version that answered at a moment; empty where it is not known or was one of several."""
    before = [one for one in deployments if one.at <= moment]
    return before[-1].only if before else ""


def _key(endpoint: str) -> str:
    return f"deployments:{endpoint}"


def _deployment(entry: dict[str, object]) -> Deployment:
    versions = entry["versions"]
    assert isinstance(versions, dict)
    return Deployment(
        at=datetime.fromisoformat(str(entry["at"])),
        model=str(entry["model"]),
        versions={str(version): int(share) for version, share in versions.items()},
    )
