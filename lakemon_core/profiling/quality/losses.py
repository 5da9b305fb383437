"""How far predicted numbers and quantiles miss: what regression and forecasting have in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from lakemon_core.domain.estimate import Estimate
from lakemon_core.profiling.quality.estimates import Groups, Sums, added, cut, mean_of, root_of, share_of
from lakemon_core.profiling.quality.readings import kept, read_numbers

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Estimates = dict[str, Estimate]
ByLevel = dict[str, dict[str, float] | None]

POINT = (
    "mean_squared_error", "root_mean_squared_error", "mean_average_error", "mean_absolute_percentage_error",
    "wape", "bias", "relative_bias",
)  # fmt: skip
QUANTILE = ("pinball_loss", "coverage", "interval_width", "winkler_score")
BY_LEVEL = ("pinball_by_quantile", "quantile_coverage")


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
        labelled = label.known
        both = labelled & prediction.known
        truth, answer = kept(label.values, both), kept(prediction.values, both)
        labels = int(np.count_nonzero(labelled))
        problem = label.problem or prediction.problem or _problem(labels, truth, answer)
        return cls(truth, answer, both, labels, problem)

    @property
    def miss(self) -> Floats:
        """Prediction less label: positive where the model says too much."""
        return self.prediction - self.label


def _problem(labels: int, label: Floats, prediction: Floats) -> str:
    if not labels:
        return "no row has a label"
    if not len(label):
        return "no row has both a label and a prediction"
    infinite = int(np.count_nonzero(np.isinf(label) | np.isinf(prediction)))
    return f"the label or the prediction is infinite in {infinite} rows" if infinite else ""


@np.errstate(over="ignore", invalid="ignore")
def point_metrics(pairs: Pairs, groups: Groups | None = None) -> Estimates:
    """Returns the metrics of `POINT` by profile column.

    Args:
        pairs: labels and predictions.
        groups: the pairs that miss together; None where each misses for itself.
    """
    if pairs.problem:
        return dict.fromkeys(POINT, Estimate.unknown(pairs.problem))
    rows = len(pairs.label)
    sums = added(
        _point_sums(pairs.label[block], pairs.prediction[block], groups) for block in cut(rows, groups)
    )
    squares, no_size = sums["square"].ratio(), "all labels are 0"
    return {
        "mean_squared_error": squares,
        "root_mean_squared_error": root_of(squares),
        "mean_average_error": sums["away"].ratio(),
        "mean_absolute_percentage_error": _mape(sums["share"], rows),
        "wape": sums["away of size"].ratio(zero=no_size),
        "bias": sums["miss"].ratio(),
        "relative_bias": sums["miss of size"].ratio(zero=no_size),
    }


def _point_sums(label: Floats, prediction: Floats, groups: Groups | None) -> dict[str, Sums]:
    miss = prediction - label
    away, size = np.abs(miss), np.abs(label)
    some = size > 0
    return {
        "miss": Sums.of(miss, None, groups),
        "away": Sums.of(away, None, groups),
        "square": Sums.of(np.square(miss), None, groups),
        "miss of size": Sums.of(miss, size, groups),
        "away of size": Sums.of(away, size, groups),
        "share": Sums.of(kept(away, some) / kept(size, some), None, groups and groups.where(some)),
    }


def _mape(share: Sums, rows: int) -> Estimate:
    """Mean of |y - f| / |y|; labels of 0 have no such share and are left out."""
    zeros = rows - share.rows
    if zeros == rows:
        return Estimate.unknown("all labels are 0")
    return share.ratio().noting(f"{zeros} of {rows} labels are 0: they are left out" if zeros else "")


def zero_labels(pairs: Pairs) -> int:
    """Counts the labels that are 0, which no share can be taken of."""
    return len(pairs.label) - int(np.count_nonzero(pairs.label))


@dataclass(frozen=True, slots=True, eq=False)
class Quantiles:
    """Predicted quantiles of the rows that have all of them, with the label of those that have one.

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
        known = np.ones(len(table), dtype=np.bool_)
        for one in found.values():
            known &= one.known
        by_level = {level: kept(one.values, known) for level, one in found.items()}
        label = kept(read_numbers(table, label_col, "label_col").values, known)
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

    @property
    def judged(self) -> tuple[Floats, dict[float, Floats]]:
        """Labels and quantiles of the rows that have a label."""
        labelled = self.labelled
        by_level = {level: kept(values, labelled) for level, values in self.by_level.items()}
        return kept(self.label, labelled), by_level


@np.errstate(over="ignore", invalid="ignore")
def quantile_metrics(quantiles: Quantiles, groups: Groups | None = None) -> tuple[Estimates, ByLevel]:
    """Returns the metrics of `QUANTILE`, and those of `BY_LEVEL` by level, None without labels.

    Args:
        quantiles: predicted quantiles and labels.
        groups: the rows of `quantiles` that miss together; None where each misses for itself.
    """
    if quantiles.problem:
        return dict.fromkeys(QUANTILE, Estimate.unknown(quantiles.problem)), dict.fromkeys(BY_LEVEL)
    label, by_level = quantiles.judged
    mine = groups and groups.where(quantiles.labelled)
    sums = added(
        _quantile_sums(label[block], {level: values[block] for level, values in by_level.items()}, mine)
        for block in cut(len(label), mine)
    )
    found = {"pinball_loss": sums["pinball"].ratio()}
    if quantiles.interval is None:
        why = "quantile_cols has no levels on both sides of 0.5"
        found |= dict.fromkeys(QUANTILE[1:], Estimate.unknown(why))
    else:
        low, high = quantiles.interval
        found["coverage"] = share_of((by_level[low] <= label) & (label <= by_level[high]), mine)
        found["interval_width"] = mean_of(quantiles.by_level[high] - quantiles.by_level[low], groups)
        found["winkler_score"] = winkler_score(label, by_level, quantiles.interval, mine)
    return found, _by_level(label, by_level, sums)


def _quantile_sums(label: Floats, by_level: Mapping[float, Floats], groups: Groups | None) -> dict[str, Sums]:
    losses = {f"{level:g}": pinball(label, values, level) for level, values in by_level.items()}
    mean = np.mean(list(losses.values()), axis=0)
    return {name: Sums.of(loss) for name, loss in losses.items()} | {"pinball": Sums.of(mean, None, groups)}


def pinball(label: Floats, quantile: Floats, level: float) -> Floats:
    """Returns each row's pinball loss: level · (y - q) above the quantile, (1 - level) · (q - y) below."""
    miss = label - quantile
    return np.maximum(level * miss, (level - 1) * miss)


def winkler_score(
    label: Floats, by_level: Mapping[float, Floats], interval: tuple[float, float], groups: Groups | None
) -> Estimate:
    """Returns the mean width of the intervals, plus what labels lie beyond an end divided by its level."""

    def of_block(block: slice) -> Sums:
        truth, floor, ceiling = label[block], by_level[low][block], by_level[high][block]
        beyond = np.maximum(floor - truth, 0) / low + np.maximum(truth - ceiling, 0) / (1 - high)
        return Sums.of(ceiling - floor + beyond, None, groups)

    low, high = interval
    return added({"winkler": of_block(block)} for block in cut(len(label), groups))["winkler"].ratio()


def _by_level(label: Floats, by_level: Mapping[float, Floats], sums: Mapping[str, Sums]) -> ByLevel:
    if not len(label):
        return dict.fromkeys(BY_LEVEL)
    named = {f"{level:g}": values for level, values in by_level.items()}
    return {
        "pinball_by_quantile": {name: sums[name].part / len(label) for name in named},
        "quantile_coverage": {
            name: int(np.count_nonzero(label <= values)) / len(label) for name, values in named.items()
        },
    }
