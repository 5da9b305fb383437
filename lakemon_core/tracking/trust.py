"""Which models can be loaded without running code that came with them.

Only the MLmodel file is read: the verdict falls before anything is unpickled. What passes is a list of
formats that hold data, so what is new or unknown is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from lakemon_core.domain.errors import ModelError

REVIEWED_TYPES = ("sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",)
"""Types outside the default list of skops that hold arrays only: loading them calls nothing of the file's
choice. A forged file can still make `predict` read wild memory and end the process."""

_Flavor = Mapping[str, Any]


def demand_trust(folder: Path, model: str, *, trust_model: bool) -> None:
    """Lets a model pass that holds data only, or that the config trusts.

    Args:
        folder: the model's folder, with its MLmodel file.
        model: how to call it in the error.
        trust_model: `serving.trust_model` of the config.

    Raises:
        ModelError: LM411 when there is no readable MLmodel file, LM413 when loading would run code.
    """
    part = unsafe_part(folder)
    if part is None or trust_model:
        return
    raise ModelError(
        "LM413",
        f"{model} is stored as pickle or code ({part}): loading it runs whatever it holds;",
        cure="save it as skops (sklearn) or another data format, or set `serving.trust_model: true`"
        " if you trust who logged it.",
    )


def unsafe_part(folder: Path) -> str | None:
    """Returns the file of a model that would be unpickled or run on loading; None when there is none.

    Raises:
        ModelError: LM411 when there is no readable MLmodel file.
    """
    flavors = _read_flavors(folder)
    pyfunc = _mapping(flavors.get("python_function"))
    loader = str(pyfunc.get("loader_module", ""))
    own = _mapping(flavors.get(loader.removeprefix("mlflow.")))
    for code in (pyfunc.get("code"), own.get("code")):
        if code:
            return str(code)
    holds_data = _DATA_ONLY.get(loader)
    if holds_data is not None and holds_data(own):
        return None
    return _file_of(pyfunc, own) or f"loader {loader or 'unknown'}"


def _read_flavors(folder: Path) -> Mapping[str, Any]:
    from ruamel.yaml import YAML, YAMLError

    try:
        content = YAML(typ="safe").load((folder / "MLmodel").read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, YAMLError) as error:
        raise ModelError(
            "LM411",
            f"the model has no readable MLmodel file: {error};",
            where=str(folder),
            cure="log and register it again.",
        ) from error
    return _mapping(_mapping(content).get("flavors"))


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _file_of(pyfunc: _Flavor, own: _Flavor) -> str:
    keys = ("python_model", "model_code_path", "model_path", "pickled_model", "data")
    places: Sequence[_Flavor] = (pyfunc, own)
    named = (str(place[key]) for key in keys for place in places if place.get(key))
    return next(named, "")


def _skops(flavor: _Flavor) -> bool:
    trusted = flavor.get("skops_trusted_types") or ()
    return flavor.get("serialization_format") == "skops" and set(trusted) <= set(REVIEWED_TYPES)


def _xgboost(flavor: _Flavor) -> bool:
    return str(flavor.get("model_class", "")).startswith("xgboost.") and flavor.get("model_format") in {
        "json",
        "ubj",
    }


_DATA_ONLY: Mapping[str, Callable[[_Flavor], bool]] = {
    "mlflow.sklearn": _skops,
    "mlflow.xgboost": _xgboost,
    "mlflow.lightgbm": lambda flavor: flavor.get("model_class") == "lightgbm.basic.Booster",
    "mlflow.catboost": lambda _: True,
    "mlflow.onnx": lambda _: True,
}
"""Loader module → whether a model of its flavor holds data only."""
