"""How forecasts of one target time change from origin to origin."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from lakemon_core.domain.estimate import Estimate
from lakemon_core.profiling.levels import encode
from lakemon_core.profiling.quality.estimates import Groups, mean_of
from lakemon_core.profiling.quality.readings import kept, read_numbers
from lakemon_forecasting.config import ForecastingConfig
from lakemon_forecasting.rows import Codes, Instants, Series, ranked
from lakemon_forecasting.scaled import Scale

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Estimates = dict[str, Estimate]

REVISION = ("revision", "relative_revision")
_NONE = -1
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
        origins = _origins(rows, config)
        if forecast.problem or origins is None:
            return cls.absent(forecast.problem or "neither issued_at_col nor horizon_col tells the origins")
        if np.isinf(forecast.values).any():
            return cls.absent("a forecast is infinite")
        models, model = _models(rows, config.model_id_col)
        known = forecast.known & origins.known
        awaited = target * models + model
        if not known.all():
            awaited[~known] = _NONE
        before, after = _revised(awaited, origins, forecast.values)
        if not len(after):
            return cls.absent(_ONCE)
        change = np.abs(forecast.values.take(after) - forecast.values.take(before))
        return cls(change, series.codes.take(after), target.take(after))


@dataclass(frozen=True, slots=True, eq=False)
class Origins:
    """Where forecasts of one target time come in the order of their origins.

    Attributes:
        size: distinct origins.
        rank: of each row's origin, from 0.
        known: False where a row has none.
    """

    size: int
    rank: Codes
    known: Flags


def _origins(rows: pa.Table, config: ForecastingConfig) -> Origins | None:
    """Reads what orders the origins: their time, else how near they are to the target time."""
    issued = Instants.of(rows, config.issued_at_col)
    if issued is not None:
        return Origins(*ranked(issued.ticks), issued.known)
    horizon = read_numbers(rows, config.horizon_col, "horizon_col")
    return None if horizon.problem else Origins(*ranked(0.0 - horizon.values), horizon.known)


def _revised(awaited: Codes, origins: Origins, forecast: Floats) -> tuple[Codes, Codes]:
    """Returns the rows before and after each revision: neighbouring origins of one model and target.

    Forecasts from one origin are taken in the order of their values, so that the order of rows is no matter.

    Args:
        awaited: per row the number of its model and target; `_NONE` leaves it out.
        origins: of the rows.
        forecast: of the rows.
    """
    places = awaited * origins.size + origins.rank
    order = np.argsort(places)
    ordered = places.take(order)
    again = ordered[1:] == ordered[:-1]
    if again.any():
        order = np.lexsort((forecast, places))
    group = awaited.take(order)
    revised = np.flatnonzero((group[1:] == group[:-1]) & ~again & (group[1:] != _NONE))
    return order.take(revised), order.take(revised + 1)


def _models(rows: pa.Table, name: str) -> tuple[int, Codes]:
    """Returns how many models there may be, and the number of each row's."""
    if name not in rows.schema.names:
        return 1, np.zeros(len(rows), dtype=np.int64)
    found = encode(rows.column(name))
    return len(found.levels) + 1, found.codes + 1


def revision_metrics(revisions: Revisions, scale: Scale) -> Estimates:
    """Returns the mean absolute revision, and the same in units of the seasonal naive's error."""
    if revisions.problem:
        return dict.fromkeys(REVISION, Estimate.unknown(revisions.problem))
    groups = Groups.of(revisions.target)
    found = {"revision": mean_of(revisions.change, groups)}
    if scale.problem:
        return found | {"relative_revision": Estimate.unknown(scale.problem)}
    size, left_out = scale.absolute(revisions.series), scale.left_out(revisions.series)
    known = ~np.isnan(size)
    if not known.any():
        return found | {"relative_revision": Estimate.unknown(left_out)}
    relative = mean_of(kept(revisions.change, known) / kept(size, known), groups.where(known))
    return found | {"relative_revision": relative.noting(left_out)}
