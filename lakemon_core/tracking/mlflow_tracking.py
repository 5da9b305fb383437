"""Training runs in MLflow: data sets with their Delta version, parameters, metrics, models, and lineage."""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lakemon_core.domain.errors import ModelError
from lakemon_core.ports import TableInfo
from lakemon_core.tracking.stores import point_mlflow
from lakemon_core.tracking.trust import REVIEWED_TYPES

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import DatasetInput, Run

_PACKAGES: Mapping[str, Sequence[str]] = {
    "sklearn": ("mlflow", "scikit-learn", "skops", "numpy", "pandas"),
    "xgboost": ("mlflow", "xgboost", "numpy", "pandas"),
    "lightgbm": ("mlflow", "lightgbm", "numpy", "pandas"),
    "catboost": ("mlflow", "catboost", "numpy", "pandas"),
    "pyfunc": ("mlflow", "numpy", "pandas"),
}


@dataclass(frozen=True, slots=True)
class DataSetUse:
    """A data set that a run used.

    Attributes:
        name: three-level table name, or the name MLflow knows.
        version: Delta version; None for a data set that somebody else logged without one.
        place: path or Unity Catalog name.
        context: what for, e.g. `training`.
        digest: as MLflow keeps it.
    """

    name: str
    version: int | None
    place: str
    context: str
    digest: str


@dataclass(frozen=True, slots=True)
class RunLineage:
    """What went into one run and what came out.

    Attributes:
        run_id: of MLflow.
        name: of the run.
        status: MLflow's word, e.g. `FINISHED`.
        started_at: UTC.
        data_sets: that were logged as inputs.
        models: `models:/m-…` of the models it logged.
        versions: (registered name, version) of what was registered from it.
    """

    run_id: str
    name: str
    status: str
    started_at: datetime
    data_sets: tuple[DataSetUse, ...]
    models: tuple[str, ...]
    versions: tuple[tuple[str, str], ...]


class MlflowTracking:
    """Logs the training runs of one experiment.

    Args:
        experiment: its name; it is made when it is not there.
        workspace: folder for runs and artifacts where `MLFLOW_TRACKING_URI` is not set.
    """

    def __init__(self, experiment: str, *, workspace: Path = Path(".lakemon")) -> None:
        self.experiment = experiment
        self.stores = point_mlflow(workspace)

    @contextmanager
    def run(self, name: str = "", *, tags: Mapping[str, str] | None = None) -> Generator[str]:
        """Opens a run and yields its id; plain `mlflow.log_…` calls inside go to the same run.

        A run whose block raises is marked as failed.
        """
        import mlflow

        self.stores.use()
        opened = mlflow.start_run(
            experiment_id=self._experiment_id(), run_name=name or None, tags=dict(tags or {})
        )
        with opened as run:
            yield run.info.run_id

    def log_data_set(self, table: TableInfo, *, context: str = "training") -> None:
        """Notes that the open run uses a table at exactly this version.

        Args:
            table: as `Tables.info` describes it; without a location it is taken for a table of Unity Catalog.
            context: what for.

        Raises:
            ModelError: LM406 when no run is open.
        """
        import mlflow

        from lakemon_core.tracking.data_sets import data_set_of

        _demand_run()
        mlflow.log_input(data_set_of(table), context=context)

    def log_parameters(self, parameters: Mapping[str, object]) -> None:
        """Logs parameters of the open run.

        Raises:
            ModelError: LM406 when no run is open, LM407 for a parameter that has another value already.
        """
        import mlflow

        _demand_run()
        try:
            mlflow.log_params(dict(parameters))
        except mlflow.MlflowException as error:
            raise ModelError(
                "LM407",
                f"a parameter was refused: {error.message}",
                cure="open a new run to log other values.",
            ) from error

    def log_metrics(self, metrics: Mapping[str, float], *, step: int | None = None) -> None:
        """Logs metrics of the open run, at a step where one is given.

        Raises:
            ModelError: LM406 when no run is open.
        """
        import mlflow

        _demand_run()
        mlflow.log_metrics(dict(metrics), step=step)

    def log_artifact(self, path: Path, *, folder: str = "") -> None:
        """Stores a file with the open run.

        Raises:
            ModelError: LM406 when no run is open, LM408 when there is no such file.
        """
        import mlflow

        _demand_run()
        if not path.exists():
            raise ModelError(
                "LM408", f"artifact {path} is not there;", cure="write the file before logging it."
            )
        mlflow.log_artifact(str(path), artifact_path=folder or None)

    def log_model(
        self,
        model: object,
        *,
        example: Any,
        predict: str = "predict",
        flavor: str = "sklearn",
        name: str = "model",
        requirements: Sequence[str] | None = None,
        **options: Any,
    ) -> str:
        """Logs a model with its signature and an input example, and returns its `models:/m-…` address.

        Args:
            model: fitted.
            example: a few input rows (a pandas DataFrame); the signature is read off them and their answers.
            predict: method that answers, e.g. `predict_proba`.
            flavor: module of mlflow that stores it.
            name: of the logged model.
            requirements: pip requirements; None takes the installed versions of what the flavor needs, which
                is what mlflow would find out in ten seconds.
            options: further arguments of `mlflow.<flavor>.log_model`.

        Raises:
            ModelError: LM406 when no run is open.
        """
        import mlflow
        from mlflow.models import infer_signature

        _demand_run()
        options.setdefault("signature", infer_signature(example, getattr(model, predict)(example)))
        if flavor == "sklearn":
            options.setdefault("skops_trusted_types", list(REVIEWED_TYPES))
            options.setdefault("pyfunc_predict_fn", predict)
        store = import_module(f"{mlflow.__name__}.{flavor}")
        logged = store.log_model(
            model,
            name=name,
            input_example=example,
            pip_requirements=list(requirements) if requirements is not None else installed(flavor),
            **options,
        )
        return str(logged.model_uri)

    def lineage(self) -> tuple[RunLineage, ...]:
        """Returns every run of the experiment, newest first, with its data sets, models and versions."""
        client = self._client()
        runs: list[Run] = []
        token: str | None = None
        while token != "":
            page = client.search_runs([self._experiment_id()], page_token=token, max_results=500)
            runs.extend(page)
            token = page.token or ""
        return tuple(_lineage_of(run, client) for run in runs)

    def _client(self) -> MlflowClient:
        from mlflow import MlflowClient

        return MlflowClient(self.stores.tracking_uri, self.stores.registry_uri)

    def _experiment_id(self) -> str:
        client = self._client()
        known = client.get_experiment_by_name(self.experiment)
        return known.experiment_id if known else client.create_experiment(self.experiment)


def installed(flavor: str) -> list[str]:
    """Returns `package==version` for what a flavor needs and this environment has."""
    found: list[str] = []
    for package in _PACKAGES.get(flavor, ("mlflow", flavor)):
        try:
            found.append(f"{package}=={version(package)}")
        except PackageNotFoundError:
            continue
    return found


def _demand_run() -> None:
    import mlflow

    if mlflow.active_run() is None:
        raise ModelError(
            "LM406",
            "no run is open;",
            cure="log inside `with tracking.run(): …` or `with mlflow.start_run(): …`.",
        )


def _lineage_of(run: Run, client: MlflowClient) -> RunLineage:
    inputs = run.inputs.dataset_inputs if run.inputs else []
    outputs = run.outputs.model_outputs if run.outputs else []
    versions = client.search_model_versions(f"run_id='{run.info.run_id}'")
    return RunLineage(
        run_id=run.info.run_id,
        name=run.info.run_name or "",
        status=run.info.status,
        started_at=datetime.fromtimestamp(run.info.start_time / 1000, tz=UTC),
        data_sets=tuple(_data_set_use(entry) for entry in inputs),
        models=tuple(f"models:/{output.model_id}" for output in outputs),
        versions=tuple(sorted((found.name, str(found.version)) for found in versions)),
    )


def _data_set_use(entry: DatasetInput) -> DataSetUse:
    source: Mapping[str, Any] = json.loads(entry.dataset.source) if entry.dataset.source else {}
    contexts = [tag.value for tag in entry.tags if tag.key == "mlflow.data.context"]
    return DataSetUse(
        name=entry.dataset.name,
        version=source.get("delta_table_version"),
        place=str(source.get("delta_table_name") or source.get("path") or source.get("uri") or ""),
        context=contexts[0] if contexts else "",
        digest=entry.dataset.digest,
    )
