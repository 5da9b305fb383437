"""The model type `regression`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from lakemon_core.domain.answers import numbers_of
from lakemon_core.domain.monitor import Roles
from lakemon_core.domain.rule import Rule
from lakemon_core.domain.run import Severity
from lakemon_core.ports import (
    ModelType,
    ModelVersion,
    NumericModelConfig,
    PluginConfig,
    QualityMetric,
    QualityResult,
)

if TYPE_CHECKING:
    import pyarrow as pa

METRICS = (
    QualityMetric("mse", higher_is_better=False, column="mean_squared_error"),
    QualityMetric("rmse", higher_is_better=False, column="root_mean_squared_error"),
    QualityMetric("mae", higher_is_better=False, column="mean_average_error"),
    QualityMetric("mape", higher_is_better=False, column="mean_absolute_percentage_error"),
    QualityMetric("r2", higher_is_better=True, column="r2_score"),
    QualityMetric("wape", higher_is_better=False, column="wape"),
    QualityMetric("bias", higher_is_better=False, column="bias", two_sided=True),
    QualityMetric("relative_bias", higher_is_better=False, column="relative_bias", two_sided=True),
    QualityMetric("pinball", higher_is_better=False, column="pinball_loss"),
    QualityMetric("coverage", higher_is_better=True, column="coverage"),
    QualityMetric("sharpness", higher_is_better=False, column="interval_width"),
    QualityMetric("winkler", higher_is_better=False, column="winkler_score"),
)


class RegressionConfig(NumericModelConfig):
    """Columns of a regression model."""


class Regression(ModelType):
    """Models that answer with a number, with or without quantiles."""

    type: ClassVar[str] = "regression"
    Config: ClassVar[type[PluginConfig]] = RegressionConfig
    problem_type: ClassVar[str] = "REGRESSION"

    def __init__(self, config: PluginConfig) -> None:
        super().__init__(config)
        assert isinstance(config, RegressionConfig)
        self._config = config

    def roles(self) -> Roles:
        """Quantiles are no features."""
        return self._config.roles()

    @property
    def metrics(self) -> Sequence[QualityMetric]:
        """Biases are bad on both sides of 0."""
        return METRICS

    def quality_fields(self) -> Sequence[tuple[str, pa.DataType]]:
        """Databricks' columns, then ours."""
        from lakemon_regression.quality import quality_fields

        return quality_fields()

    def quality_columns(self) -> Sequence[str]:
        """The predicted quantiles."""
        return tuple(self._config.quantile_cols.values())

    def quality(self, rows: pa.Table) -> QualityResult:
        """Measures the rows that have a label; see docs/reference/metrics.md."""
        from lakemon_regression.quality import measure_quality

        return measure_quality(rows, self._config, METRICS)

    def default_rules(self) -> Sequence[Rule]:
        """Drift, missing predictions; with labels, predictions no better than a constant, and intervals."""
        config = self._config
        rules = [
            Rule("prediction_drift", 0.2, default=True),
            Rule("feature_drift", 0.2, severity=Severity.WARNING, default=True),
            Rule("null_rate", 0.05, column=config.prediction_col, default=True),
        ]
        if config.label_col:
            rules.append(Rule("r2", 0.0, default=True))
            rules.append(Rule("relative_bias", 0.1, severity=Severity.WARNING, default=True))
        if config.label_col and config.interval:
            low, high = config.interval
            limit = round(high - low - 0.1, 6)
            rules.append(Rule("coverage", limit, severity=Severity.WARNING, default=True))
        return tuple(rules)

    def check_predictions(self, rows: pa.Table) -> Sequence[str]:
        """Looks for predictions and quantiles that are missing, infinite or no numbers, and for crossings."""
        from lakemon_core.profiling.quality.readings import prediction_problems

        return tuple(prediction_problems(rows, self._config.prediction_col, self._config.quantile_cols))

    def unpack(self, prediction: object, model: ModelVersion | None) -> Mapping[str, object]:
        """Takes a number, a list or dict of one, or a dict with the configured columns."""
        del model
        return numbers_of(prediction, self._config.prediction_col, self.quality_columns())
