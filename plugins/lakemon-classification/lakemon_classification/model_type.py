"""The model type `classification`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from lakemon_classification.config import ClassificationConfig
from lakemon_core.domain.monitor import Roles
from lakemon_core.domain.panels import PanelSpec
from lakemon_core.domain.rule import Rule
from lakemon_core.domain.run import Severity
from lakemon_core.ports import (
    Measured,
    ModelType,
    ModelVersion,
    PluginConfig,
    QualityMetric,
    QualityResult,
)

if TYPE_CHECKING:
    import pyarrow as pa

METRICS = (
    QualityMetric("accuracy", higher_is_better=True, column="accuracy_score", adds_up_as="accuracy"),
    QualityMetric("precision", higher_is_better=True, column="precision_overall"),
    QualityMetric("recall", higher_is_better=True, column="recall_overall"),
    QualityMetric("f1", higher_is_better=True, column="f1_overall"),
    QualityMetric("roc_auc", higher_is_better=True, column="roc_auc_score", path=("macro",)),
    QualityMetric("log_loss", higher_is_better=False, column="log_loss", adds_up_as="log_loss"),
    QualityMetric("brier", higher_is_better=False, column="brier_score", adds_up_as="brier"),
    QualityMetric("average_precision", higher_is_better=True, column="average_precision"),
    QualityMetric("balanced_accuracy", higher_is_better=True, column="recall", path=("macro",)),
    QualityMetric("brier_skill", higher_is_better=True, column="brier_skill_score"),
    QualityMetric("kappa", higher_is_better=True, column="cohen_kappa"),
    QualityMetric("ece", higher_is_better=False, column="expected_calibration_error"),
    QualityMetric("ece_equal_mass", higher_is_better=False, column="calibration_error_equal_mass"),
    QualityMetric("ece_excess", higher_is_better=False, column="calibration_error_excess"),
)


class Classification(ModelType):
    """Models that answer with one of two or more classes, with or without probabilities."""

    type: ClassVar[str] = "classification"
    Config: ClassVar[type[PluginConfig]] = ClassificationConfig
    problem_type: ClassVar[str] = "CLASSIFICATION"

    def __init__(self, config: PluginConfig) -> None:
        super().__init__(config)
        assert isinstance(config, ClassificationConfig)
        self._config = config

    def roles(self) -> Roles:
        """Prediction and label are categories whatever their type; of two probabilities one is enough."""
        config = self._config
        columns, score = tuple(config.proba_columns.values()), config.score_col
        classes = (config.prediction_col, *([config.label_col] if config.label_col else []))
        return Roles(
            timestamp=config.timestamp_col,
            model_id=config.model_id_col,
            prediction=config.prediction_col,
            prediction_proba=score,
            label=config.label_col,
            features=config.features,
            categorical=tuple(dict.fromkeys([*config.categorical, *classes])),
            request_id=config.request_id_col,
            row_index=config.row_index_col,
            others=tuple(column for column in columns if score and column != score),
            probabilities=() if score else columns,
        )

    @property
    def metrics(self) -> Sequence[QualityMetric]:
        """Precision, recall and F1 are those of the positive class; with more classes their plain mean."""
        return METRICS

    def quality_fields(self) -> Sequence[tuple[str, pa.DataType]]:
        """Databricks' columns, then ours."""
        from lakemon_classification.quality import quality_fields

        return quality_fields()

    def quality_columns(self) -> Sequence[str]:
        """The columns of probabilities by class."""
        return tuple(self._config.proba_columns.values())

    def quality(self, rows: pa.Table) -> QualityResult:
        """Measures the rows that have a label; see docs/reference/metrics.md."""
        from lakemon_classification.quality import measure_quality

        return measure_quality(rows, self._config, METRICS)

    def quality_of_groups(
        self, rows: pa.Table, parts: Sequence[slice], groups: Sequence[Sequence[int]]
    ) -> Sequence[QualityResult]:
        """Reads every row once; a type that inherits from this one with its own `quality` is asked that."""
        from lakemon_classification.quality import measure_groups

        if getattr(self.quality, "__func__", None) is not Classification.quality:
            return super().quality_of_groups(rows, parts, groups)
        return measure_groups(rows, parts, groups, self._config, METRICS)

    def default_rules(self) -> Sequence[Rule]:
        """Drift, missing predictions; with labels, whether the model is better than no model at all.

        The limits hold for any model: 0 is what chance (kappa) or the shares of the labels (Brier skill) do.
        """
        config = self._config
        rules = [
            Rule("prediction_drift", 0.2, warn=0.1, default=True),
            Rule("feature_drift", 0.2, severity=Severity.WARNING, default=True),
            Rule("null_rate", 0.05, column=config.prediction_col, default=True),
        ]
        if not config.label_col:
            return tuple(rules)
        rules.append(Rule("kappa", 0.0, op="<=", severity=Severity.WARNING, min_samples=100, default=True))
        if config.prediction_proba_col or config.proba_columns:
            rules += [
                Rule("roc_auc", 0.55, warn=0.65, default=True),
                Rule("brier_skill", -0.1, min_samples=100, default=True),
                Rule("ece_excess", 0.1, severity=Severity.WARNING, min_samples=100, default=True),
            ]
        return tuple(rules)

    def panels(self, measured: Measured) -> Sequence[PanelSpec]:
        """Shows a reliability diagram and the confusion matrix."""
        from lakemon_classification.panels import panels

        return tuple(panels(measured))

    def check_predictions(self, rows: pa.Table) -> Sequence[str]:
        """Looks for missing predictions, unknown classes and impossible probabilities."""
        from lakemon_classification.checks import check_predictions

        return check_predictions(rows, self._config)

    def unpack(self, prediction: object, model: ModelVersion | None) -> Mapping[str, object]:
        """Takes a class, a dict, or a list of class probabilities; see `unpacking`."""
        from lakemon_classification.unpacking import unpack

        return unpack(prediction, self._config, dict(model.tags) if model else {})
