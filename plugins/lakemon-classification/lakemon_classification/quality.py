"""Quality of one group of rows: predicted classes against labels, and probabilities against labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pyarrow as pa

from lakemon_classification.config import ClassificationConfig
from lakemon_classification.metrics import scoring, tally
from lakemon_classification.metrics.findings import Findings
from lakemon_classification.probabilities import in_columns
from lakemon_classification.readings import Group, Readings
from lakemon_classification.vocabulary import Codes, Vocabulary
from lakemon_core.domain.estimate import Estimate
from lakemon_core.ports import QualityMetric, QualityResult
from lakemon_core.profiling.parts import group_tables

_BY_CLASS = pa.struct([
    ("one_vs_all", pa.map_(pa.string(), pa.float64())), ("macro", pa.float64()), ("weighted", pa.float64()),
])  # fmt: skip
_CELL = pa.struct([("prediction", pa.string()), ("label", pa.string()), ("count", pa.int64())])
_BIN = pa.struct([
    ("lower", pa.float64()), ("upper", pa.float64()), ("count", pa.int64()), ("predicted", pa.float64()),
    ("observed", pa.float64()), ("observed_lower", pa.float64()), ("observed_upper", pa.float64()),
])  # fmt: skip
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
    ("brier_skill_score", pa.float64()),
    ("cohen_kappa", pa.float64()),
    ("expected_calibration_error", pa.float64()),
    ("calibration_error_equal_mass", pa.float64()),
    ("calibration_error_excess", pa.float64()),
    ("reliability", pa.list_(_BIN)),
)
_ESTIMATES = (*tally.ESTIMATES, *scoring.ESTIMATES, "positive_rate")
_CELLS = (*tally.CELLS, *scoring.CELLS)


def quality_fields() -> Sequence[tuple[str, pa.DataType]]:
    """Returns the profile columns of classification: Databricks' first, then ours."""
    return _FIELDS


def measure_quality(
    rows: pa.Table, config: ClassificationConfig, metrics: Sequence[QualityMetric]
) -> QualityResult:
    """Measures the rows that have a label: classes where they have a prediction, scores where a probability.

    Rows without a label are left out; `n` and `label_count` are those with one.

    Args:
        rows: the group.
        config: names columns and classes.
        metrics: of the model type: they name intervals and counts.
    """
    return _measure(Readings.of(rows, [slice(0, len(rows))], config).group([0]), config, metrics)


def measure_groups(
    rows: pa.Table,
    parts: Sequence[slice],
    groups: Sequence[Sequence[int]],
    config: ClassificationConfig,
    metrics: Sequence[QualityMetric],
) -> list[QualityResult]:
    """Measures groups that are made of parts of a table as `measure_quality` does; each row is read once.

    Probabilities that come as maps, structs or lists are read group by group: what they take in memory
    depends on the classes that occur.

    Args:
        rows: part after part.
        parts: from which row to which each part goes.
        groups: of each group the numbers of its parts.
        config: names columns and classes.
        metrics: of the model type.
    """
    if not in_columns(rows.schema, config):
        return [measure_quality(whole, config, metrics) for whole in group_tables(rows, parts, groups)]
    readings = Readings.of(rows, parts, config)
    return [_measure(readings.group(group), config, metrics) for group in groups]


def _measure(group: Group, config: ClassificationConfig, metrics: Sequence[QualityMetric]) -> QualityResult:
    labelled = int(group.count[group.label >= 0].sum())
    found = _measured(group, labelled, config) if labelled else _without_labels(group)
    cells = {**found.cells, "label_count": labelled}
    result = QualityResult.of(found.estimates, metrics, cells, n=labelled, rows=group.rows)
    return replace(result, reasons={**found.reasons, **result.reasons})


def _without_labels(group: Group) -> Findings:
    known = group.readings.has_labels
    return Findings.none(
        _ESTIMATES, _CELLS, "no row has a label" if known else "the table has no label column"
    )


def _measured(group: Group, labelled: int, config: ClassificationConfig) -> Findings:
    readings = group.readings
    named = readings.probabilities.names if readings.probabilities else ()
    vocabulary = Vocabulary.of((*group.words, *named), config)
    classes = vocabulary.positions(readings.label.names)
    label, prediction = classes.take(group.label), vocabulary.positions(readings.prediction.names)
    rate = _positive_rate(label, group.count, labelled, vocabulary)
    return Findings.all([
        tally.class_metrics(label, prediction.take(group.prediction), group.count, vocabulary),
        scoring.score_metrics(group, classes, vocabulary),
        Findings({"positive_rate": rate}),
    ])  # fmt: skip


def _positive_rate(label: Codes, count: Codes, labelled: int, vocabulary: Vocabulary) -> Estimate:
    if vocabulary.positive is None:
        return Estimate.unknown(vocabulary.undecided or "there is no positive class")
    positive = int(count[label == vocabulary.place(vocabulary.positive)].sum())
    return Estimate(positive / labelled, labelled)
