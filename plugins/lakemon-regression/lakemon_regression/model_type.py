"""The model type `regression`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from lakemon_core.domain.panels import Dot, Line, LinesPanel, PanelSpec
from lakemon_core.domain.rule import Rule
from lakemon_core.domain.run import Severity
from lakemon_core.ports import (
    Measured,
    NumericModelConfig,
    NumericModelType,
    PluginConfig,
    QualityMetric,
    QualityResult,
)

if TYPE_CHECKING:
    import pyarrow as pa

METRICS = (
    QualityMetric("mse", higher_is_better=False, column="mean_squared_error", adds_up_as="mse"),
    QualityMetric("rmse", higher_is_better=False, column="root_mean_squared_error", adds_up_as="mse"),
    QualityMetric("mae", higher_is_better=False, column="mean_average_error", adds_up_as="mae"),
    QualityMetric("mape", higher_is_better=False, column="mean_absolute_percentage_error", adds_up_as="mape"),
    QualityMetric("r2", higher_is_better=True, column="r2_score"),
    QualityMetric("wape", higher_is_better=False, column="wape"),
    QualityMetric("bias", higher_is_better=False, column="bias", two_sided=True, adds_up_as="bias"),
    QualityMetric("relative_bias", higher_is_better=False, column="relative_bias", two_sided=True),
    QualityMetric("pinball", higher_is_better=False, column="pinball_loss", adds_up_as="pinball"),
    QualityMetric("coverage", higher_is_better=True, column="coverage", adds_up_as="coverage"),
    QualityMetric("sharpness", higher_is_better=False, column="interval_width", adds_up_as="sharpness"),
    QualityMetric("winkler", higher_is_better=False, column="winkler_score", adds_up_as="winkler"),
)


class RegressionConfig(NumericModelConfig):
    """Columns of a regression model."""


class Regression(NumericModelType[RegressionConfig]):
    """Models that answer with a number, with or without quantiles."""

    type: ClassVar[str] = "regression"
    Config: ClassVar[type[PluginConfig]] = RegressionConfig
    problem_type: ClassVar[str] = "REGRESSION"

    @property
    def metrics(self) -> Sequence[QualityMetric]:
        """Biases are bad on both sides of 0."""
        return METRICS

    def quality_fields(self) -> Sequence[tuple[str, pa.DataType]]:
        """Databricks' columns, then ours."""
        from lakemon_regression.quality import quality_fields

        return quality_fields()

    def quality(self, rows: pa.Table) -> QualityResult:
        """Measures the rows that have a label; see docs/reference/metrics.md."""
        from lakemon_regression.quality import measure_quality

        return measure_quality(rows, self.keys, METRICS)

    def panels(self, measured: Measured) -> Sequence[PanelSpec]:
        """Shows the distribution of predictions against that of labels, and the predicted quantiles."""
        return (*self._against_labels(measured), *super().panels(measured))

    def _against_labels(self, measured: Measured) -> Sequence[PanelSpec]:
        """Quantiles of predictions over quantiles of labels: do they reach as far, and as often?"""
        predicted = measured.distributions.get(self.keys.prediction_col)
        label = measured.distributions.get(self.keys.label_col or "")
        if predicted is None or label is None:
            return ()
        last = len(label.quantiles) - 1
        dots = [
            Dot(there, here, label=f"quantile {place / last:.0%}")
            for place, (there, here) in enumerate(zip(label.quantiles, predicted.quantiles, strict=True))
            if 0 < place < last
        ]
        return (
            LinesPanel(
                "regression.quantiles_of_both",
                "Are predictions spread as labels are?",
                [Line(f"window of {measured.windows[-1].window}", dots)],
                x_title="quantiles of labels",
                y_title="quantiles of predictions",
                is_square=True,
                order=10,
                note=f"On the diagonal they are; flatter means that extremes are missed. {predicted.n:,} "
                f"predictions, {label.n:,} labels.",
            ),
        )

    def default_rules(self) -> Sequence[Rule]:
        """Drift, missing predictions; with labels, predictions no better than a constant, bias, intervals."""
        rules = (
            Rule("prediction_drift", 0.2, default=True),
            Rule("feature_drift", 0.2, severity=Severity.WARNING, default=True),
            Rule("null_rate", 0.05, column=self.keys.prediction_col, default=True),
        )
        constant = (Rule("r2", 0.0, default=True),) if self.keys.label_col else ()
        return (*rules, *constant, *self.rules_with_labels())
