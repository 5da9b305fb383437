"""Copies a version from one name, catalog or registry to another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from lakemon_core.ports import ModelVersion
from lakemon_core.tracking.stores import MlflowStores
from lakemon_core.tracking.versions import signature_missing

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion as RegisteredVersion

_ORIGIN = "lakemon.promoted_from"
"""Tag that names where a version was copied from."""
_EXPERIMENT = "promoted models"


@dataclass(frozen=True, slots=True)
class Promotion:
    """What is copied.

    Attributes:
        version: the version it comes from.
        source: where that is registered.
        folder: returns a local folder with its files; called only when files have to move.
    """

    version: ModelVersion
    source: MlflowStores
    folder: Callable[[], Path]


def copy_version(
    promotion: Promotion, to: str, *, aliases: Sequence[str], registry_uri: str = ""
) -> ModelVersion:
    """Copies a version, or finds the copy that was made of it last time, and points the aliases to it.

    Args:
        promotion: what is copied.
        to: registered name; made when it is not there.
        aliases: that point to the copy afterwards.
        registry_uri: where to; empty for the same registry.

    Raises:
        ModelError: LM404 when Unity Catalog would refuse it for want of a signature.
    """
    from mlflow import MlflowClient

    version = promotion.version
    stores = _target(promotion.source, registry_uri)
    if stores.unity_catalog and not (version.inputs and version.outputs):
        raise signature_missing(to)
    client = MlflowClient(stores.tracking_uri, stores.registry_uri)
    origin = f"{promotion.source.registry_uri} {version.name}/{version.version}"
    made = _newest(client, to)
    if made is None or made.tags.get(_ORIGIN) != origin:
        made = _copy(promotion, to, stores, client)
        client.set_model_version_tag(to, str(made.version), _ORIGIN, origin)
    number = str(made.version)
    for alias in aliases:
        client.set_registered_model_alias(to, alias, number)
    copied = client.get_model_version(to, number)
    return replace(
        version,
        name=to,
        version=number,
        aliases=tuple(sorted(copied.aliases or ())),
        run_id=copied.run_id or "",
        tags=dict(copied.tags or {}),
        uri=f"models:/{to}/{number}",
    )


def _target(stores: MlflowStores, registry_uri: str) -> MlflowStores:
    """Returns where the copy goes; runs stay with the registry unless that is Unity Catalog."""
    if not registry_uri or registry_uri == stores.registry_uri:
        return stores
    target = MlflowStores(registry_uri, registry_uri)
    return MlflowStores(stores.tracking_uri, registry_uri) if target.unity_catalog else target


def _copy(promotion: Promotion, to: str, stores: MlflowStores, client: MlflowClient) -> RegisteredVersion:
    version = promotion.version
    if stores == promotion.source and _can_be_copied(stores, client, version):
        return client.copy_model_version(version.uri, to)
    _make_model(client, to)
    folder = promotion.folder()
    # Unity Catalog uploads a local folder itself; elsewhere the entry would only point at the old files
    kept = str(folder) if stores.unity_catalog else _upload(client, stores, folder, version)
    return client.create_model_version(to, kept, tags=dict(version.tags))


def _can_be_copied(stores: MlflowStores, client: MlflowClient, version: ModelVersion) -> bool:
    """Whether MLflow copies a version itself: in Unity Catalog 3.17 fails for one without a logged model."""
    return not stores.unity_catalog or bool(client.get_model_version(version.name, version.version).model_id)


def _upload(client: MlflowClient, stores: MlflowStores, folder: Path, version: ModelVersion) -> str:
    """Stores the model's files with a run at the target, so that they outlive the source."""
    experiment = client.get_experiment_by_name(_EXPERIMENT)
    experiment_id = (
        experiment.experiment_id
        if experiment
        else client.create_experiment(_EXPERIMENT, artifact_location=_beside(stores.registry_uri))
    )
    run = client.create_run(experiment_id, run_name=f"{version.name}/{version.version}")
    client.log_artifacts(run.info.run_id, str(folder), "model")
    client.set_terminated(run.info.run_id)
    return f"{run.info.artifact_uri}/model"


def _beside(registry_uri: str) -> str | None:
    """Returns the artifact folder beside a SQLite file; a server has its own."""
    if not registry_uri.startswith("sqlite:///"):
        return None
    return str(Path(registry_uri.removeprefix("sqlite:///")).absolute().parent / "artifacts" / "promoted")


def _make_model(client: MlflowClient, name: str) -> None:
    from mlflow.exceptions import MlflowException

    try:
        client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


def _newest(client: MlflowClient, name: str) -> RegisteredVersion | None:
    """Returns the newest version with its tags, which a search in Unity Catalog leaves out."""
    found = client.search_model_versions(f"name='{name}'", max_results=1000)
    if not found:
        return None
    newest = max(int(version.version) for version in found)
    return client.get_model_version(name, str(newest))
