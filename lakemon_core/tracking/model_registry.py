"""Registered models: versions, aliases, metadata, loading and promotion.

Works on SQLite, on an MLflow server and on Unity Catalog. Only calls that Unity Catalog allows are
used: aliases instead of stages, the newest version as the greatest number, and one-name filters.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from lakemon_core.domain.errors import ModelError, did_you_mean
from lakemon_core.ports import ModelVersion
from lakemon_core.tracking.promotion import Promotion, copy_version
from lakemon_core.tracking.stores import MlflowStores, point_mlflow
from lakemon_core.tracking.trust import demand_trust
from lakemon_core.tracking.versions import example_table, signature_missing, version_of

if TYPE_CHECKING:
    import pyarrow as pa
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import RegisteredModel
    from mlflow.models import Model
    from mlflow.pyfunc import PyFuncModel

CHAMPION = "champion"
"""Alias of the version that is in use."""
LATEST_MODEL = "latest-model"
"""Alias of the version that was registered last."""
LATEST = "latest"
"""What stands for the greatest version number; no alias."""
_VERSION = re.compile(r"v?\d+")
"""What MLflow keeps for versions."""


class ModelRegistry:
    """Registered models, where `MLFLOW_REGISTRY_URI` says, else in the workspace.

    Args:
        workspace: folder for models where no address is set.
        stores: the addresses, where somebody has chosen them already.
    """

    def __init__(self, workspace: Path = Path(".lakemon"), *, stores: MlflowStores | None = None) -> None:
        self.stores = stores or point_mlflow(workspace)

    def point(self) -> None:
        """Points mlflow of this process at this registry and its tracking store."""
        self.stores.use()

    def resolve(self, name: str, version: str = LATEST) -> ModelVersion:
        """Turns a number, an alias or `latest` into a version.

        Raises:
            ModelError: LM400 when the registry does not answer, LM401 unknown model, LM402 unknown version or
                alias; the last two name the nearest and what there is.
        """
        with self._calls(name):
            model = self._registered(name)
            number = self._number(model, version)
            found = self._client().get_model_version(name, number)
            return version_of(found, self._description(name, number))

    def latest(self, name: str) -> ModelVersion:
        """Returns the version with the greatest number.

        Raises:
            ModelError: as `resolve`.
        """
        return self.resolve(name, LATEST)

    def register(
        self,
        model_uri: str,
        name: str,
        *,
        aliases: Sequence[str] = (LATEST_MODEL,),
        tags: Mapping[str, str] | None = None,
        description: str = "",
    ) -> ModelVersion:
        """Makes a logged model the newest version of a registered one.

        Args:
            model_uri: `models:/m-…`, `runs:/…` or a local folder.
            name: registered name; made when it is not there.
            aliases: that point to this version afterwards.
            tags: of the version.
            description: of the version.

        Raises:
            ModelError: LM400, or LM404 when Unity Catalog would refuse it for want of a signature.
        """
        import mlflow

        with self._calls(name):
            self._demand_signature(model_uri, name)
            made = mlflow.register_model(model_uri, name, tags=dict(tags or {}))
            number = str(made.version)
            if description:
                self._client().update_model_version(name, number, description)
            for alias in aliases:
                self.set_alias(name, alias, number)
        return self.resolve(name, number)

    def set_alias(self, name: str, alias: str, version: str) -> None:
        """Points an alias to a version; an endpoint that serves the alias follows at its next deploy.

        Raises:
            ModelError: LM402 unknown version, LM405 for a word that is no alias.
        """
        if alias == LATEST or _VERSION.fullmatch(alias):
            raise ModelError(
                "LM405",
                f"{alias!r} cannot be an alias: it means a version already;",
                cure="use another word.",
            )
        number = self.resolve(name, version).version
        with self._calls(name):
            self._client().set_registered_model_alias(name, alias, number)

    def remove_alias(self, name: str, alias: str) -> None:
        """Takes an alias away; an alias that is not there is no error."""
        with self._calls(name):
            self._client().delete_registered_model_alias(name, alias)

    def set_metadata(self, name: str, version: str, values: Mapping[str, str]) -> None:
        """Sets tags of a version; others stay.

        Raises:
            ModelError: as `resolve`.
        """
        number = self.resolve(name, version).version
        with self._calls(name):
            for key, value in values.items():
                self._client().set_model_version_tag(name, number, key, value)

    def metadata(self, name: str, version: str = LATEST) -> Mapping[str, str]:
        """Returns the tags of a version.

        Raises:
            ModelError: as `resolve`.
        """
        return self.resolve(name, version).tags

    def folder(self, version: ModelVersion) -> Path:
        """Returns a local folder with the files of a version; downloads them where they are not local."""
        from mlflow.artifacts import download_artifacts

        with self._calls(version.name):
            return Path(download_artifacts(artifact_uri=version.uri))

    def load(self, name: str, version: str = LATEST, *, trust_model: bool = False) -> PyFuncModel:
        """Loads a version for inference.

        Raises:
            ModelError: as `resolve`; LM411 when it does not load, LM413 when it is stored as pickle or code
                and `trust_model` is not set: nothing of it is run before that.
        """
        from mlflow.pyfunc import load_model

        found = self.resolve(name, version)
        folder = self.folder(found)
        label = f"{found.name} version {found.version}"
        demand_trust(folder, label, trust_model=trust_model)
        try:
            return load_model(str(folder))
        except Exception as error:
            raise ModelError(
                "LM411",
                f"{label} does not load: {error}",
                where=str(folder),
                cure="install what the model needs (requirements.txt in its folder).",
            ) from error

    def input_example(self, version: ModelVersion) -> pa.Table | None:
        """Returns the example that was logged with the model, or None."""
        from mlflow.models import Model

        folder = self.folder(version)
        model = Model.load(str(folder))
        if not model.saved_input_example_info:
            return None
        return example_table(model.load_input_example(str(folder)))

    def promote(
        self,
        name: str,
        version: str,
        to: str,
        *,
        aliases: Sequence[str] = (CHAMPION,),
        registry_uri: str = "",
    ) -> ModelVersion:
        """Copies a version to another name, catalog or registry; promoting it again changes nothing.

        Args:
            name: registered name it comes from.
            version: number, alias or `latest`.
            to: registered name it goes to; made when it is not there.
            aliases: that point to the copy afterwards.
            registry_uri: another registry, e.g. `databricks-uc` or `sqlite:///…`; its files are copied there.

        Raises:
            ModelError: as `resolve`; LM404 when Unity Catalog would refuse it for want of a signature.
        """
        found = self.resolve(name, version)
        promotion = Promotion(found, self.stores, lambda: self.folder(found))
        with self._calls(to):
            return copy_version(promotion, to, aliases=aliases, registry_uri=registry_uri)

    def _client(self) -> MlflowClient:
        from mlflow import MlflowClient

        return MlflowClient(self.stores.tracking_uri, self.stores.registry_uri)

    def _registered(self, name: str) -> RegisteredModel:
        from mlflow.exceptions import MlflowException

        client = self._client()
        try:
            return client.get_registered_model(name)
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            known = [model.name for model in client.search_registered_models(max_results=1000)]
            raise ModelError(
                "LM401",
                f"model {name!r} is not registered.",
                where=self.stores.registry_uri,
                cure=did_you_mean(name, known)
                or "No model is registered here: log one with"
                f' mlflow.sklearn.log_model(..., registered_model_name="{name}").',
            ) from error

    def _number(self, model: RegisteredModel, version: str) -> str:
        numbers = self._numbers(model.name)
        aliases = {alias: str(number) for alias, number in model.aliases.items()}
        if version == LATEST and numbers:
            return numbers[-1]
        if version in numbers:
            return version
        if version in aliases:
            return aliases[version]
        raise ModelError(
            "LM402",
            f"model {model.name!r} has no version or alias {version!r}.",
            where=self.stores.registry_uri,
            cure=did_you_mean(version, [*aliases, *numbers]) or "It has no version yet.",
        )

    def _numbers(self, name: str) -> list[str]:
        """Returns all version numbers as text, the greatest last."""
        client = self._client()
        found: list[int] = []
        token: str | None = None
        while token != "":
            page = client.search_model_versions(f"name='{name}'", page_token=token)
            found.extend(int(version.version) for version in page)
            token = page.token or ""
        return [str(number) for number in sorted(found)]

    def _description(self, name: str, number: str) -> Model:
        """Reads the MLmodel file alone."""
        from mlflow.models import Model

        return Model.load(f"models:/{name}/{number}")

    def _demand_signature(self, model_uri: str, name: str) -> None:
        from mlflow.models import Model

        if not self.stores.unity_catalog:
            return
        signature = Model.load(model_uri).signature
        if signature is None or signature.inputs is None or signature.outputs is None:
            raise signature_missing(name)

    @contextmanager
    def _calls(self, name: str) -> Generator[None]:
        """Points mlflow at this registry, and turns what it raises into LM400."""
        from mlflow.exceptions import MlflowException

        self.stores.use()
        try:
            yield
        except MlflowException as error:
            raise ModelError(
                "LM400",
                f"the registry refused a call about {name!r}: {error.message}",
                cure="check MLFLOW_TRACKING_URI, MLFLOW_REGISTRY_URI and your rights.",
            ) from error
