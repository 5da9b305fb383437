"""The Python API: what `lakemon run` does, for notebooks and for code that has its config in Python."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from lakemon_core.config import Loaded, from_python
from lakemon_core.domain.errors import LakemonError, UsageError
from lakemon_core.domain.run import Stage, StageStatus
from lakemon_core.pipeline.result import RunRequest, RunResult
from lakemon_core.pipeline.run import run_session
from lakemon_core.pipeline.session import open_session
from lakemon_core.ports import Progress


@dataclass(frozen=True)
class Deployment(Mapping[str, Any]):
    """What `deploy_with_monitoring` made; a mapping and an object, `d["endpoint_url"] == d.endpoint_url`.

    Attributes:
        run_id: the run that made it.
        status: `done` or `incomplete`.
        model_name: registered three-level name.
        model_version: the number that answers, as text; None for a batch table.
        endpoint_name: the endpoint; None for a batch table.
        endpoint_url: where requests go; None for a batch table.
        inference_table: three-level name.
        profile_metrics_table: three-level name.
        drift_metrics_table: three-level name.
        signals_table: three-level name.
        dashboard_url: where to look.
        result: the whole result of the run.
    """

    run_id: str
    status: str
    model_name: str
    model_version: str | None
    endpoint_name: str | None
    endpoint_url: str | None
    inference_table: str
    profile_metrics_table: str
    drift_metrics_table: str
    signals_table: str
    dashboard_url: str | None
    result: RunResult

    def __getitem__(self, key: str) -> Any:
        """Returns the attribute of that name.

        Raises:
            KeyError: for any other key.
        """
        if key not in self:
            raise KeyError(key)
        return getattr(self, key)

    def __contains__(self, key: object) -> bool:
        """Whether there is an attribute of that name."""
        return any(field.name == key for field in fields(self))

    def __iter__(self) -> Iterator[str]:
        """The names of all attributes."""
        return (field.name for field in fields(self))

    def __len__(self) -> int:
        """How many attributes there are."""
        return len(fields(self))


class MonitoringFramework:
    """Monitors one model from Python.

    Making it points mlflow at the registry that lakemon looks into, so that a plain
    `mlflow.sklearn.log_model(..., registered_model_name="catalog.schema.model")` afterwards lands there.

    Args:
        catalog: catalog of model and tables.
        schema: schema of model and tables.
        model_name: registered as `catalog.schema.model_name`.
        backend: entry point of group `lakemon.backends`.
        model_type: entry point of group `lakemon.model_types`.
        model: keys of `model:` that belong to the type, e.g. `{"label_col": "late"}`.
        sinks: as `sinks:` of the config.
        environment: name used in incidents and messages.
        workspace: folder for state; default `.lakemon` in the current folder.
        progress: is told what is being done; default nobody.

    Raises:
        ConfigErrors: an argument is wrong; the message names it.
        PluginError: the backend or model type is not installed.
    """

    def __init__(
        self,
        catalog: str,
        schema: str,
        model_name: str,
        *,
        backend: str = "local",
        model_type: str = "classification",
        model: Mapping[str, Any] | None = None,
        sinks: Mapping[str, Any] | None = None,
        environment: str = "dev",
        workspace: str | Path | None = None,
        progress: Progress | None = None,
    ) -> None:
        self._fixed: dict[str, Any] = {
            "catalog": catalog,
            "schema": schema,
            "model_name": model_name,
            "backend": backend,
            "model_type": model_type,
            "model": dict(model or {}),
            "sinks": dict(sinks or {}),
            "environment": environment,
        }
        self._changing: dict[str, Any] = {"version": "latest"}
        self._workspace = Path(workspace) if workspace else None
        self._progress = progress
        with self._open(()) as session:
            session.backend.registry.point()

    def deploy_with_monitoring(
        self,
        model_version: str | int = "latest",
        serving_config: Mapping[str, Any] | None = None,
        inference_table_config: Mapping[str, Any] | None = None,
        monitoring_config: Mapping[str, Any] | None = None,
    ) -> Deployment:
        """Deploys a version with its inference table, validates it, and sets monitoring up.

        Args:
            model_version: number, alias or `latest`.
            serving_config: as `serving:` of the config; None monitors a batch inference table.
            inference_table_config: as `inference_table:`.
            monitoring_config: as `monitoring:`.

        Raises:
            ConfigErrors: an argument is wrong; the message names it, as `monitoring_config.granularities.0`.
            LakemonError: of the stage that failed.
        """
        self.configure(
            model_version=model_version,
            serving_config=serving_config,
            inference_table_config=inference_table_config,
            monitoring_config=monitoring_config,
        )
        result = self.run(Stage.DEPLOY, Stage.VALIDATE, Stage.MONITOR)
        failed = result.failed_stage()
        if failed is not None:
            raise LakemonError("LM499", f"{failed.name} failed: {failed.detail['error']}")
        return self._deployment(result)

    def configure(
        self,
        *,
        model_version: str | int | None = None,
        serving_config: Mapping[str, Any] | None = None,
        inference_table_config: Mapping[str, Any] | None = None,
        monitoring_config: Mapping[str, Any] | None = None,
    ) -> None:
        """Sets what later stages work with; what is None stays as it is.

        Raises:
            ConfigErrors: an argument is wrong.
        """
        given = {
            "version": None if model_version is None else str(model_version),
            "serving": serving_config,
            "inference_table": inference_table_config,
            "monitoring": monitoring_config,
        }
        self._changing |= {name: value for name, value in given.items() if value is not None}
        self._loaded()

    def deploy(self) -> RunResult:
        """Runs the deploy stage."""
        return self.run(Stage.DEPLOY)

    def validate(self) -> RunResult:
        """Runs the validate stage."""
        return self.run(Stage.VALIDATE)

    def monitor(self) -> RunResult:
        """Runs the monitor stage."""
        return self.run(Stage.MONITOR)

    def analyze(self) -> RunResult:
        """Runs the analyze stage."""
        return self.run(Stage.ANALYZE)

    def alert(self) -> RunResult:
        """Runs the alert stage."""
        return self.run(Stage.ALERT)

    def run(self, *stages: Stage | str) -> RunResult:
        """Runs the given stages, or all five, in the order of the lifecycle.

        Raises:
            UsageError: LM141 for a stage that does not exist.
            WorkspaceBusy: LM601, another run holds the workspace.
        """
        with self._open(stages) as session:
            return run_session(session, self._request(stages))

    def open(self) -> Any:
        """Returns a context manager with the session: tables, registry, serving, ledger."""
        return self._open(())

    def _open(self, stages: tuple[Stage | str, ...]) -> Any:
        return open_session(self._request(stages), progress=self._progress)

    def _request(self, stages: tuple[Stage | str, ...]) -> RunRequest:
        try:
            wanted = tuple(Stage(stage) for stage in stages) or tuple(Stage)
        except ValueError as error:
            known = ", ".join(Stage)
            raise UsageError("LM141", f"{error};", cure=f"the stages are {known}.") from None
        return RunRequest(config=self._loaded(), stages=wanted, workspace=self._workspace)

    def _loaded(self) -> Loaded:
        return from_python(**self._fixed, **self._changing)

    def _deployment(self, result: RunResult) -> Deployment:
        details = {outcome.name: outcome.detail for outcome in result.stages}
        deployed: Mapping[str, Any] = details[Stage.DEPLOY]
        complete = all(outcome.status is not StageStatus.PENDING for outcome in result.stages)
        return Deployment(
            run_id=result.run_id,
            status=result.status if complete else "pending",
            model_name=self._loaded().monitor.model_name,
            model_version=deployed.get("version"),
            endpoint_name=deployed.get("endpoint"),
            endpoint_url=deployed.get("url"),
            inference_table=result.tables["inference"],
            profile_metrics_table=result.tables["profile_metrics"],
            drift_metrics_table=result.tables["drift_metrics"],
            signals_table=result.tables["signals"],
            dashboard_url=result.dashboard_url,
            result=result,
        )
