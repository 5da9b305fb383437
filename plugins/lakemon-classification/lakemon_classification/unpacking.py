"""One element of a response's `predictions` to columns of the inference table."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from lakemon_classification.config import ClassificationConfig, class_text

CLASSES_TAG = "lakemon.classes"
"""Tag of a model version: JSON list of its classes, in the order of its probabilities."""


def unpack(prediction: object, config: ClassificationConfig, tags: Mapping[str, str]) -> dict[str, object]:
    """Returns the prediction, and where they came the probabilities.

    A scalar is the class. A dict with the prediction's column gives the configured columns that it has, a
    dict by class is probabilities, a dict with one other key is the class. A list of numbers is probabilities
    in the order of the classes: those of the config, else of the tag `lakemon.classes`, else 0, 1, and so on;
    the class is the likeliest, the first of equals. Probabilities are kept in a column a class where the
    config has `prediction_proba_cols`, else as p(positive) for two classes, else by class.

    Raises:
        ValueError: when the shape is not understood; the message says what came.
    """
    if isinstance(prediction, Mapping):
        return _from_dict({str(key): value for key, value in prediction.items()}, config, tags)
    if isinstance(prediction, list):
        names = _class_names(config, tags) or tuple(range(len(prediction)))
        return _from_probabilities(prediction, names, config)
    return {config.prediction_col: _scalar(prediction)}


def _from_dict(
    given: Mapping[str, Any], config: ClassificationConfig, tags: Mapping[str, str]
) -> dict[str, object]:
    if config.prediction_col in given:
        wanted = (config.prediction_col, config.prediction_proba_col, *config.proba_columns.values())
        return {column: given[column] for column in wanted if column and column in given}
    names = _class_names(config, tags)
    texts = [class_text(name) for name in names]
    if names and set(texts) == set(given):
        return _from_probabilities([given[text] for text in texts], names, config)
    if len(given) == 1:
        return {config.prediction_col: _scalar(next(iter(given.values())))}
    raise ValueError(
        f"a dict with the keys {', '.join(sorted(given)) or '(none)'} holds no {config.prediction_col!r}"
    )


def _from_probabilities(
    given: Sequence[object], names: Sequence[object], config: ClassificationConfig
) -> dict[str, object]:
    shares = [_number(share) for share in given]
    if len(shares) != len(names) or len(shares) < 2:
        raise ValueError(f"a list of {len(shares)} probabilities came for {len(names)} classes")
    best = max(range(len(shares)), key=shares.__getitem__)
    columns: dict[str, object] = {config.prediction_col: names[best]}
    texts = [class_text(name) for name in names]
    if config.prediction_proba_col:
        columns[config.prediction_proba_col] = _kept(shares, texts, config)
    return columns | _by_column(dict(zip(texts, shares, strict=True)), config.proba_columns)


def _by_column(shares: Mapping[str, float], columns: Mapping[str, str]) -> dict[str, object]:
    """The probabilities in a column a class.

    Raises:
        ValueError: when the model does not name a class that has a column.
    """
    missing = [name for name in columns if name not in shares]
    if missing:
        raise ValueError(
            f"prediction_proba_cols: {missing[0]!r} is none of the model's classes {', '.join(shares)}"
        )
    return {column: shares[name] for name, column in columns.items()}


def _kept(shares: Sequence[float], texts: Sequence[str], config: ClassificationConfig) -> object:
    if len(texts) > 2:
        return dict(zip(texts, shares, strict=True))
    positive = config.positive_text or texts[1]
    if positive not in texts:
        raise ValueError(f"positive_class {positive!r} is none of the model's classes {', '.join(texts)}")
    return shares[texts.index(positive)]


def _class_names(config: ClassificationConfig, tags: Mapping[str, str]) -> tuple[object, ...]:
    """Returns the classes of the config, else of the tag; empty when neither names them."""
    if config.classes:
        return config.classes
    if CLASSES_TAG not in tags:
        return ()
    try:
        names = json.loads(tags[CLASSES_TAG])
    except json.JSONDecodeError:
        names = None
    if not isinstance(names, list) or not all(isinstance(name, str | int | float) for name in names):
        raise ValueError(f"the tag {CLASSES_TAG} is no JSON list of classes: {tags[CLASSES_TAG]!r}")
    return tuple(names)


def _scalar(value: object) -> object:
    if value is None or isinstance(value, str | int | float):
        return value
    raise ValueError(f"a {type(value).__name__} is no class")


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{value!r} is no probability")
    return float(value)
