"""How forecasts of one target time change from origin to origin."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from lakemon_core.domain.estimate import Estimate
from lakemon_core.profiling.levels import encode
from lakemon_core.profiling.quality.estimates import mean_of
from lakemon_core.profiling.quality.readings import read_numbers
from lakemon_forecasting.config import ForecastingConfig
from lakemon_forecasting.rows import Codes, Instants, Series, grouped
from lakemon_forecasting.scaled import Scale

Floats = npt.NDArray[np.float64]
Estimates = dict[str, Estimate]

REVISION = ("revision", "relative_revision")
_ONCE = "no target time was forecast from two origins"


@dataclass(frozen=True, slots=True, eq=False)
class Revisions:
    """Changes of the forecast between consecutive origins, of one model, series and target time.

    Attributes:
        change: absolute changes.
        series: series of each.
        target: number of the series and target time of each.
        problem: why there are none.
    """

    change: Floats
    series: Codes
    target: Codes
    problem: str = ""

    @classmethod
    def absent(cls, problem: str) -> Revisions:
        """No revisions."""
        empty = np.zeros(0, dtype=np.int64)
        return cls(np.zeros(0), empty, empty, problem)

    @classmethod
    def of(cls, rows: pa.Table, config: ForecastingConfig, series: Series, target: Codes) -> Revisions:
        """Reads them; two forecasts from the same origin are no revision."""
        forecast = read_numbers(rows, config.prediction_col, "prediction_col")
        origin = _origins(rows, config)
        if forecast.problem or origin is None:
            return cls.absent(forecast.problem or "neither issued_at_col nor horizon_col tells the origins")
        if np.isinf(forecast.values).any():
            return cls.absent("a forecast is infinite")
        model = _models(rows, config.model_id_col)
        known = np.flatnonzero(forecast.known & ~np.isnan(origin))
        order = known[np.lexsort((forecast.values[known], origin[known], target[known], model[known]))]
        before, after = order[:-1], order[1:]
        revised = (model[before] == model[after]) & (target[before] == target[after])
        revised &= origin[before] != origin[after]
        before, after = before[revised], after[revised]
        if not len(after):
            return cls.absent(_ONCE)
        change = np.abs(forecast.values[after] - forecast.values[before])
        return cls(change, series.codes[after], target[after])


def _origins(rows: pa.Table, config: ForecastingConfig) -> Floats | None:
    """Returns what orders the origins of one target time: their time, else how near they are to it."""
    issued = Instants.of(rows, config.issued_at_col)
    if issued is not None:
        ranks = np.unique(issued.ticks, return_inverse=True)[1].astype(np.float64)
        return np.where(issued.known, ranks, np.nan)
    horizon = read_numbers(rows, config.horizon_col, "horizon_col")
    return None if horizon.problem else -horizon.values


def _models(rows: pa.Table, name: str) -> Codes:
    if name not in rows.schema.names:
        return np.zeros(len(rows), dtype=np.int64)
    return encode(rows.column(name)).codes


def revision_metrics(revisions: Revisions, scale: Scale) -> Estimates:
    """Returns the mean absolute revision, and the same in units of the seasonal naive's error."""
    if revisions.problem:
        return dict.fromkeys(REVISION, Estimate.unknown(revisions.problem))
    found = {"revision": mean_of(revisions.change, grouped(revisions.target))}
    if scale.problem:
        return found | {"relative_revision": Estimate.unknown(scale.problem)}
    size, left_out = scale.absolute(revisions.series), scale.left_out(revisions.series)
    known = ~np.isnan(size)
    if not known.any():
        return found | {"relative_revision": Estimate.unknown(left_out)}
    relative = mean_of(revisions.change[known] / size[known], grouped(revisions.target[known]))
    return found | {"relative_revision": relative.noting(left_out)}
