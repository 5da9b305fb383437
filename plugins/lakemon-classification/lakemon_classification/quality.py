"""Quality of one group of rows: predicted classes against labels, and probabilities against labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from lakemon_classification.config import ClassificationConfig
from lakemon_classification.probabilities import Probabilities, read_probabilities
from lakemon_classification.scoring import NAMES as OF_PROBABILITIES
from lakemon_classification.scoring import score_metrics
from lakemon_classification.tally import class_metrics
from lakemon_classification.vocabulary import Codes, Vocabulary
from lakemon_core.ports import QualityResult
from lakemon_core.profiling.intervals import wilson
from lakemon_core.profiling.levels import Encoded, encode

_BY_CLASS = pa.struct([
    ("one_vs_all", pa.map_(pa.string(), pa.float64())), ("macro", pa.float64()), ("weighted", pa.float64()),
])  # fmt: skip
_CELL = pa.struct([("prediction", pa.string()), ("label", pa.string()), ("count", pa.int64())])
_FIELDS = (
    ("accuracy_score", pa.float64()),
    ("confusion_matrix", pa.list_(_CELL)),
    ("precision", _BY_CLASS),
    ("recall", _BY_CLASS),
    ("f1_score", _BY_CLASS),
    ("log_loss", pa.float64()),
    ("roc_auc_score", _BY_CLASS),
    ("brier_score", pa.float64()),
    ("average_precision", pa.float64()),
    ("precision_overall", pa.float64()),
    ("recall_overall", pa.float64()),
    ("f1_overall", pa.float64()),
    ("positive_rate", pa.float64()),
    ("label_count", pa.int64()),
)
_NAMES = tuple(name for name, _ in _FIELDS)


def quality_fields() -> Sequence[tuple[str, pa.DataType]]:
    """Returns the profile columns of classification: Databricks' first, then ours."""
    return _FIELDS


def measure_quality(rows: pa.Table, config: ClassificationConfig) -> QualityResult:
    """Measures the rows that have a label: classes where they have a prediction, scores where a probability.

    Rows without a label are left out; `n` and `label_count` are those with one.
    """
    label = _encoded(rows, config.label_col)
    count = int((label.codes >= 0).sum())
    if not count:
        why = (
            "no row has a label" if config.label_col in rows.schema.names else "the table has no label column"
        )
        missing = [name for name in _NAMES if name != "label_count"]
        return _result({}, 0, len(rows), dict.fromkeys(missing, why))
    prediction = _encoded(rows, config.prediction_col)
    probabilities = _probabilities(rows, config.prediction_proba_col, config)
    named = probabilities.names if probabilities else ()
    vocabulary = Vocabulary.of([*_occurring(label), *_occurring(prediction), *named], config)
    truth = vocabulary.codes(label)
    values, reasons = class_metrics(truth, vocabulary.codes(prediction), vocabulary)
    more, why_not = _scores(truth, probabilities, vocabulary)
    values |= more | {"positive_rate": _positive_rate(truth, vocabulary)}
    reasons |= why_not
    if vocabulary.undecided:
        reasons["positive_rate"] = vocabulary.undecided
    return _result(values, count, len(rows), reasons)


def _result(values: dict[str, Any], n: int, rows: int, reasons: dict[str, str]) -> QualityResult:
    accuracy = values.get("accuracy_score")
    intervals = {} if accuracy is None else {"accuracy": wilson(accuracy, n)}
    values = dict.fromkeys(_NAMES) | values | {"label_count": n}
    return QualityResult(values, n, rows, reasons, intervals)


def _encoded(rows: pa.Table, name: str | None) -> Encoded:
    missing = name is None or name not in rows.schema.names
    return encode(pa.nulls(len(rows)) if missing else rows.column(name))


def _occurring(column: Encoded) -> list[str]:
    used = pa.array(column.codes[column.codes >= 0]).unique()
    return column.levels.take(used).to_pylist()


def _probabilities(rows: pa.Table, name: str | None, config: ClassificationConfig) -> Probabilities | None:
    known = name is not None and name in rows.schema.names
    return read_probabilities(rows.column(name), config) if known else None


def _scores(
    truth: Codes, probabilities: Probabilities | None, vocabulary: Vocabulary
) -> tuple[dict[str, Any], dict[str, str]]:
    if probabilities is None:
        return {}, dict.fromkeys(OF_PROBABILITIES, "the table has no probabilities")
    return score_metrics(truth, probabilities, vocabulary)


def _positive_rate(truth: Codes, vocabulary: Vocabulary) -> float | None:
    if vocabulary.positive is None:
        return None
    return float((truth[truth >= 0] == vocabulary.place(vocabulary.positive)).mean())
