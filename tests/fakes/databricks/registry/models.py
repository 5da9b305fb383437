"""Registered models: names, versions, aliases, tags, and how a version answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fakes.databricks.clock import Clock
from fakes.databricks.lake import Lake
from fakes.databricks.web.messages import missing

Predict = Callable[[list[Any]], Any]
"""Takes the rows of a request, returns what goes out under `predictions`."""


@dataclass(slots=True)
class Version:
    """A model version.

    Attributes:
        number: from 1.
        creator: who registered it.
        created_ms: when.
        status: PENDING_REGISTRATION, READY or FAILED_REGISTRATION.
        fields: what the client said of it: source, run_id, description, model_id.
        tags: key → value.
        predict: a test's function; None runs the files with MLflow.
    """

    number: int
    creator: str
    created_ms: int
    status: str = "READY"
    fields: dict[str, Any] = field(default_factory=dict[str, Any])
    tags: dict[str, str] = field(default_factory=dict[str, str])
    predict: Predict | None = None


@dataclass(slots=True)
class Model:
    """A registered model; its versions are never numbered twice."""

    name: str
    owner: str
    created_ms: int
    description: str = ""
    versions: dict[int, Version] = field(default_factory=dict[int, Version])
    aliases: dict[str, int] = field(default_factory=dict[str, int])
    tags: dict[str, str] = field(default_factory=dict[str, str])
    newest: int = 0

    def add(self, creator: str, now_ms: int, **given: Any) -> Version:
        """Adds the next version."""
        self.newest += 1
        self.versions[self.newest] = Version(self.newest, creator, now_ms, **given)
        return self.versions[self.newest]


class Models:
    """All registered models, by full name in lower case.

    Attributes:
        known: the models.
        files: folder in which the files of versions lie, `<name>/<version>/`.
    """

    def __init__(self, lake: Lake, clock: Clock, files: Path) -> None:
        self._lake = lake
        self._clock = clock
        self._loaded: dict[tuple[str, int], Predict] = {}
        self.known: dict[str, Model] = {}
        self.files = files

    def add(self, name: str, predict: Predict | None = None) -> Version:
        """Registers the next version of a model, as a test does; answers 0.5 to every row by default."""
        self._lake.create_schema(name.rpartition(".")[0])
        model = self.known.setdefault(
            name.lower(), Model(name.lower(), self._lake.owner, self._clock.now_ms())
        )
        scorer = predict or (lambda rows: [0.5] * len(rows))
        return model.add(self._lake.owner, self._clock.now_ms(), predict=scorer)

    def need(self, name: str, version: str = "") -> Model:
        """Returns a model that is there, with that version READY.

        Raises:
            Refused: 404 RESOURCE_DOES_NOT_EXIST.
        """
        model = self.known.get(name.lower())
        if model is None:
            raise missing(f"Routine or Model '{name}' does not exist.")
        if version and int(version) not in model.versions:
            raise missing(f"Model version '{name}' version '{version}' does not exist.")
        return model

    def folder(self, name: str, version: int) -> Path:
        """Returns where the files of a version lie."""
        return self.files / name.lower() / str(version)

    def scorer(self, name: str, version: str) -> Predict:
        """Returns the function of a version: a test's own, or the model in its files, run by MLflow."""
        found = self.need(name, version).versions[int(version)]
        if found.predict:
            return found.predict
        key = (name.lower(), found.number)
        if key not in self._loaded:
            self._loaded[key] = _with_mlflow(self.folder(*key))
        return self._loaded[key]


def _with_mlflow(folder: Path) -> Predict:
    import pandas as pd
    from mlflow.pyfunc import load_model
    from mlflow.pyfunc.scoring_server import predictions_to_json

    model = load_model(str(folder))

    def predict(rows: list[Any]) -> Any:
        import io
        import json

        text = io.StringIO()
        predictions_to_json(model.predict(pd.DataFrame(rows)), text)
        return json.loads(text.getvalue())["predictions"]

    return predict
