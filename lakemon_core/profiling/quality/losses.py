"""How far predicted numbers and quantiles miss: what regression and forecasting have in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from lakemon_core.domain.estimate import Estimate
from lakemon_core.profiling.quality.estimates import mean_of, ratio_of, root_of, share_of
from lakemon_core.profiling.quality.readings import Numbers, read_numbers

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.int64]
Estimates = dict[str, Estimate]

POINT = (
    "mean_squared_error", "root_mean_squared_error", "mean_average_error", "mean_absolute_percentage_error",
    "wape", "bias", "relative_bias",
)  # fmt: skip
QUANTILE = ("pinball_loss", "coverage", "interval_width", "winkler_score")


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """The rows that have a label and a prediction.

    Attributes:
        label: their labels.
        prediction: their predictions.
        rows: which rows of the table these are.
        labels: rows with a label.
        problem: why nothing can be measured; empty when something can.
    """

    label: Floats
    prediction: Floats
    rows: Flags
    labels: int
    problem: str = ""

    @classmethod
    def of(cls, table: pa.Table, label_col: str | None, prediction_col: str) -> Pairs:
        """Reads both columns."""
        label = read_numbers(table, label_col, "label_col")
        prediction = read_numbers(table, prediction_col, "prediction_col")
        both = label.known & prediction.known
        labels = int(label.known.sum())
        return cls(label.values[both], prediction.values[both], both, labels, _problem(label, prediction))

    @property
    def miss(self) -> Floats:
        """Prediction less label: positive where the model says too much."""
        return self.prediction - self.label


def _problem(label: Numbers, prediction: Numbers) -> str:
    if label.problem or prediction.problem:
        return label.problem or prediction.problem
    if not label.known.any():
        return "no row has a label"
    both = label.known & prediction.known
    if not both.any():
        return "no row has both a label and a prediction"
    infinite = both & (np.isinf(label.values) | np.isinf(prediction.values))
    if infinite.any():
        return f"the label or the prediction is infinite in {int(infinite.sum())} rows"
    return ""


def point_metrics(pairs: Pairs, groups: Codes | None = None) -> Estimates:
    """Returns the metrics of `POINT` by profile column.

    Args:
        pairs: labels and predictions.
        groups: per pair the number of its group, where rows do not miss independently.
    """
    if pairs.problem:
        return dict.fromkeys(POINT, Estimate.unknown(pairs.problem))
    with np.errstate(over="ignore"):
        miss = pairs.miss
        away, squares, size = np.abs(miss), np.square(miss), np.abs(pairs.label)
    no_size = "all labels are 0"
    return {
        "mean_squared_error": mean_of(squares, groups),
        "root_mean_squared_error": root_of(squares, groups),
        "mean_average_error": mean_of(away, groups),
        "mean_absolute_percentage_error": _mape(away, size, groups),
        "wape": ratio_of(away, size, groups, zero=no_size),
        "bias": mean_of(miss, groups),
        "relative_bias": ratio_of(miss, size, groups, zero=no_size),
    }


def _mape(away: Floats, size: Floats, groups: Codes | None) -> Estimate:
    """Mean of |y - f| / |y|; labels of 0 have no such share and are left out."""
    some = size > 0
    zeros = len(size) - int(some.sum())
    if zeros == len(size):
        return Estimate.unknown("all labels are 0")
    with np.errstate(over="ignore"):
        found = mean_of(away[some] / size[some], None if groups is None else groups[some])
    return found.noting(f"{zeros} of {len(size)} labels are 0: they are left out" if zeros else "")


@dataclass(frozen=True, slots=True, eq=False)
class Quantiles:
    """Predicted quantiles of the rows that have all of them, and a label where `labelled`.

    Attributes:
        by_level: level → predicted quantiles, lowest level first.
        label: labels; NaN where a row has none.
        rows: which rows of the table these are.
        interval: lowest and highest level, when they lie on both sides of the median.
        problem: why nothing can be measured.
    """

    by_level: Mapping[float, Floats]
    label: Floats
    rows: Flags
    interval: tuple[float, float] | None
    problem: str = ""

    @classmethod
    def of(
        cls,
        table: pa.Table,
        columns: Mapping[float, str],
        interval: tuple[float, float] | None,
        label_col: str | None,
    ) -> Quantiles:
        """Reads the columns."""
        found = {
            level: read_numbers(table, name, f"quantile_cols.{level:g}") for level, name in columns.items()
        }
        known = np.logical_and.reduce(
            [np.ones(len(table), dtype=np.bool_), *(one.known for one in found.values())]
        )
        by_level = {level: one.values[known] for level, one in found.items()}
        label = read_numbers(table, label_col, "label_col").values[known]
        problem = next((one.problem for one in found.values() if one.problem), "")
        if not columns:
            problem = "model.quantile_cols is not set"
        elif any(np.isinf(values).any() for values in (*by_level.values(), label)):
            problem = problem or "a label or predicted quantile is infinite"
        return cls(by_level, label, known, interval, problem)

    @property
    def labelled(self) -> Flags:
        """Which of these rows have a label."""
        return ~np.isnan(self.label)


def quantile_metrics(quantiles: Quantiles, groups: Codes | None = None) -> Estimates:
    """Returns the metrics of `QUANTILE` by profile column.

    Args:
        quantiles: predicted quantiles and labels.
        groups: per row of `quantiles` the number of its group.
    """
    if quantiles.problem:
        return dict.fromkeys(QUANTILE, Estimate.unknown(quantiles.problem))
    labelled = quantiles.labelled
    mine = None if groups is None else groups[labelled]
    losses = [pinball(quantiles.label[labelled], values[labelled], level)
              for level, values in quantiles.by_level.items()]  # fmt: skip
    found = {"pinball_loss": mean_of(np.mean(losses, axis=0), mine)}
    if quantiles.interval is None:
        why = "quantile_cols has no levels on both sides of 0.5"
        return found | dict.fromkeys(QUANTILE[1:], Estimate.unknown(why))
    return found | _interval_metrics(quantiles, groups, mine)


def _interval_metrics(quantiles: Quantiles, groups: Codes | None, mine: Codes | None) -> Estimates:
    assert quantiles.interval is not None
    low, high = quantiles.interval
    lower, upper, labelled = quantiles.by_level[low], quantiles.by_level[high], quantiles.labelled
    label, floor, ceiling = quantiles.label[labelled], lower[labelled], upper[labelled]
    beyond = np.maximum(floor - label, 0) / low + np.maximum(label - ceiling, 0) / (1 - high)
    return {
        "coverage": share_of((floor <= label) & (label <= ceiling)),
        "interval_width": mean_of(upper - lower, groups),
        "winkler_score": mean_of(ceiling - floor + beyond, mine),
    }


def pinball(label: Floats, quantile: Floats, level: float) -> Floats:
    """Returns each row's pinball loss: level · (y - q) above the quantile, (1 - level) · (q - y) below."""
    miss = label - quantile
    return np.maximum(level * miss, (level - 1) * miss)


def by_quantile(quantiles: Quantiles) -> dict[str, dict[str, float] | None]:
    """Returns pinball loss and share of labels at or below each quantile, by level; None without labels."""
    labelled = quantiles.labelled
    if quantiles.problem or not labelled.any():
        return {"pinball_by_quantile": None, "quantile_coverage": None}
    label = quantiles.label[labelled]
    levels = {f"{level:g}": (level, values[labelled]) for level, values in quantiles.by_level.items()}
    return {
        "pinball_by_quantile": {
            text: float(pinball(label, values, level).mean()) for text, (level, values) in levels.items()
        },
        "quantile_coverage": {text: float((label <= values).mean()) for text, (_, values) in levels.items()},
    }
