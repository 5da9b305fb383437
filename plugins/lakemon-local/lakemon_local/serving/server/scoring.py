"""The one place that runs models: loads them with MLflow and scores with its own scoring protocol.

`mlflow.pyfunc.scoring_server.invocations` is no public function. It is used because it is what Databricks and
`mlflow models serve` run, schema enforcement included; a test holds what is expected of it.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lakemon_core.domain.errors import ModelError
from lakemon_local.serving.server.wire import Refused, bad_request, without_nan

_CONTENT_TYPE = "application/json"
_LONGEST_MESSAGE = 4_000


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model in memory."""

    model: Any
    input_schema: Any
    example: Path | None

    def score(self, body: dict[str, Any]) -> str:
        """Returns the JSON answer, `{"predictions": …}`.

        Raises:
            Refused: 400 with the model's own words when it does not take the input. A model that fails on an
                input is answered as Databricks does, as a bad request, never as a server error.
        """
        from mlflow.exceptions import MlflowException
        from mlflow.pyfunc.scoring_server import invocations

        try:
            answer = invocations(dict(body), _CONTENT_TYPE, self.model, self.input_schema)
            text = without_nan(answer.response)
        except MlflowException as error:
            raise bad_request(_message(error)) from error
        except Exception as error:
            raise bad_request(f"The model failed on this input: {error!r}"[:_LONGEST_MESSAGE]) from error
        if answer.status != 200:
            raise Refused(answer.status, "BAD_REQUEST", text[:_LONGEST_MESSAGE])
        return text

    def check(self) -> None:
        """Scores the example that was logged with the model; nothing to do without one.

        Raises:
            Refused: what `score` raises.
        """
        if self.example is not None:
            self.score(json.loads(self.example.read_text(encoding="utf-8")))


def load(folder: Path, label: str) -> LoadedModel:
    """Loads a model that was checked for trust, and scores its example.

    Raises:
        ModelError: LM411 when it does not load or does not take its own example.
    """
    from mlflow.pyfunc import load_model

    logging.getLogger("mlflow.models.utils").setLevel(logging.ERROR)  # it names dropped columns per request
    try:
        model = load_model(str(folder))
        example = folder / "serving_input_example.json"
        loaded = LoadedModel(model, model.metadata.get_input_schema(), example if example.exists() else None)
        loaded.check()
    except Exception as error:
        raise ModelError(
            "LM411",
            f"{label} does not load: {error}",
            where=str(folder),
            cure="install what it needs (requirements.txt in its folder), or log it again.",
        ) from error
    return loaded


def _message(error: Any) -> str:
    """Returns MLflow's message with the reason it keeps back, without the stack."""
    message, reason = str(error.message), repr(error.__context__ or "")
    told = message if error.__context__ is None or reason in message else f"{message} Error: {reason}"
    return told[:_LONGEST_MESSAGE]
