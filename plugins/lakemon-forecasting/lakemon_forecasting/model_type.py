"""The model type `forecasting`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from lakemon_core.domain.panels import PanelSpec
from lakemon_core.domain.rule import Rule
from lakemon_core.domain.run import Severity
from lakemon_core.ports import Measured, NumericModelType, PluginConfig, QualityMetric, QualityResult
from lakemon_forecasting.config import ForecastingConfig

if TYPE_CHECKING:
    import pyarrow as pa

    from lakemon_forecasting.history import History

METRICS = (
    QualityMetric("mse", higher_is_better=False, column="mean_squared_error", adds_up_as="mse"),
    QualityMetric("rmse", higher_is_better=False, column="root_mean_squared_error", adds_up_as="mse"),
    QualityMetric("mae", higher_is_better=False, column="mean_average_error", adds_up_as="mae"),
    QualityMetric("mape", higher_is_better=False, column="mean_absolute_percentage_error", adds_up_as="mape"),
    QualityMetric("wape", higher_is_better=False, column="wape"),
    QualityMetric("smape", higher_is_better=False, column="smape", adds_up_as="smape"),
    QualityMetric("mase", higher_is_better=False, column="mase"),
    QualityMetric("rmsse", higher_is_better=False, column="rmsse"),
    QualityMetric("skill", higher_is_better=True, column="skill"),
    QualityMetric("bias", higher_is_better=False, column="bias", two_sided=True, adds_up_as="bias"),
    QualityMetric("relative_bias", higher_is_better=False, column="relative_bias", two_sided=True),
    QualityMetric("tracking_signal", higher_is_better=False, column="tracking_signal", two_sided=True),
    QualityMetric("pinball", higher_is_better=False, column="pinball_loss", adds_up_as="pinball"),
    QualityMetric("coverage", higher_is_better=True, column="coverage", adds_up_as="coverage"),
    QualityMetric("sharpness", higher_is_better=False, column="interval_width", adds_up_as="sharpness"),
    QualityMetric("winkler", higher_is_better=False, column="winkler_score", adds_up_as="winkler"),
    QualityMetric("revision", higher_is_better=False, column="revision"),
    QualityMetric("relative_revision", higher_is_better=False, column="relative_revision"),
)


class Forecasting(NumericModelType[ForecastingConfig]):
    """Models that say what a series will be at times to come: one row for each origin and target time."""

    type: ClassVar[str] = "forecasting"
    Config: ClassVar[type[PluginConfig]] = ForecastingConfig
    problem_type: ClassVar[str] = "REGRESSION"

    def __init__(self, config: PluginConfig) -> None:
        super().__init__(config)
        self._history: History | None = None

    @property
    def metrics(self) -> Sequence[QualityMetric]:
        """Biases and the tracking signal are bad on both sides of 0."""
        return METRICS

    def slices(self) -> Sequence[str]:
        """The horizon and each series column."""
        config = self.keys
        return tuple(_quoted(column) for column in (config.horizon_col, *config.series) if column)

    def quality_fields(self) -> Sequence[tuple[str, pa.DataType]]:
        """Databricks' columns of regression, and ours."""
        from lakemon_forecasting.quality import quality_fields

        return quality_fields()

    def quality_columns(self) -> Sequence[str]:
        """Target time, series, horizon, origin, model and quantiles."""
        config = self.keys
        times = (config.timestamp_col, config.horizon_col, config.issued_at_col, config.model_id_col)
        return tuple(column for column in (*times, *config.series, *super().quality_columns()) if column)

    def fit_baseline(self, rows: pa.Table) -> None:
        """Takes the baseline as the training history: the label of each series and time."""
        from lakemon_forecasting.history import History

        self._history = History.of(rows, self.keys)

    def quality(self, rows: pa.Table) -> QualityResult:
        """Measures the rows that have an actual; see docs/reference/metrics.md."""
        from lakemon_forecasting.history import History
        from lakemon_forecasting.quality import measure_quality

        history = self._history or History.absent("no training history: monitoring.baseline_table is not set")
        return measure_quality(rows, self.keys, METRICS, history)

    def default_rules(self) -> Sequence[Rule]:
        """Missing forecasts; with actuals, worse than the seasonal naive, a steady bias, and intervals."""
        rules = [Rule("null_rate", 0.05, column=self.keys.prediction_col, default=True)]
        if self.keys.features:
            rules.append(Rule("feature_drift", 0.2, severity=Severity.WARNING, default=True))
        if self.keys.label_col:
            rules.append(Rule("mase", 1.0, default=True))
        return (*rules, *self.rules_with_labels())

    def panels(self, measured: Measured) -> Sequence[PanelSpec]:
        """Shows the error by horizon and by series, window by window, coverage, and predicted quantiles."""
        from lakemon_forecasting.panels import panels

        return (*panels(measured, self.keys), *super().panels(measured))

    def check_predictions(self, rows: pa.Table) -> Sequence[str]:
        """Looks for forecasts that are no numbers, crossings, missing series, origins after the target."""
        from lakemon_forecasting.checks import time_problems

        return (*super().check_predictions(rows), *time_problems(rows, self.keys))


def _quoted(column: str) -> str:
    """Returns a column as Databricks SQL writes it."""
    plain = re.fullmatch(r"[A-Za-z_]\w*", column, re.ASCII)
    return column if plain else "`" + column.replace("`", "``") + "`"
