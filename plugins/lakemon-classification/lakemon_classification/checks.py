"""What may be wrong with predictions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa

from lakemon_classification.config import ClassificationConfig
from lakemon_classification.probabilities import absent, read_probabilities
from lakemon_classification.vocabulary import Vocabulary
from lakemon_core.domain.names import plain
from lakemon_core.profiling.levels import Encoded, encode

_NAMED = 3
"""Offending values that a sentence names."""


def check_predictions(rows: pa.Table, config: ClassificationConfig) -> Sequence[str]:
    """Returns one sentence for each thing that is wrong; empty when all is well."""
    if not len(rows):
        return ("there are no predictions",)
    return (*_predictions(rows, config), *_probabilities(rows, config))


def _predictions(rows: pa.Table, config: ClassificationConfig) -> Iterator[str]:
    name = config.prediction_col
    if name not in rows.schema.names:
        yield absent(name, rows)
        return
    answers = encode(rows.column(name))
    missing = int((answers.codes < 0).sum())
    if missing:
        yield f"{name} is null in {missing} of {len(rows)} rows"
    if config.classes:
        yield from _outside(name, answers, config)


def _outside(name: str, answers: Encoded, config: ClassificationConfig) -> Iterator[str]:
    levels = answers.levels.to_pylist()
    vocabulary = Vocabulary.of(levels, config)
    known = {vocabulary.read(text) for text in config.class_texts}
    strange = np.array([vocabulary.read(level) not in known for level in levels] + [False])
    rows = strange[answers.codes]
    if rows.any():
        names = [repr(plain(levels[code])) for code in np.unique(answers.codes[rows])[:_NAMED]]
        count = int(rows.sum())
        yield f"{name} is none of the classes in {count} of {len(rows)} rows, e.g. {', '.join(names)}"


def _probabilities(rows: pa.Table, config: ClassificationConfig) -> Iterator[str]:
    name = config.prediction_proba_col or "prediction_proba_cols"
    found = read_probabilities(rows, config)
    if found is None:
        if config.prediction_proba_col:
            yield absent(name, rows)
        return
    if found.problem:
        yield f"{name}: {found.problem}"
        return
    missing, impossible = int((~found.known).sum()), int(found.impossible.sum())
    if missing:
        yield f"{name} is null or NaN in {missing} of {len(rows)} rows"
    if impossible:
        yield f"{name} lies outside of 0 to 1 in {impossible} of {len(rows)} rows"
