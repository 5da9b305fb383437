"""Errors against the seasonal naive of the training history: MASE, RMSSE and skill."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from lakemon_core.domain.estimate import Estimate
from lakemon_core.profiling.quality.estimates import mean_of, ratio_of, root_of
from lakemon_forecasting.history import History
from lakemon_forecasting.rows import Codes, Name, Series

Floats = npt.NDArray[np.float64]
Estimates = dict[str, Estimate]

SCALED = ("mase", "rmsse", "skill")
_NAMED = 3
"""Series without a scale that a reason names."""


@dataclass(frozen=True, slots=True, eq=False)
class Scale:
    """What the seasonal naive misses, for the series of a group of rows.

    Attributes:
        history: the training history.
        series: the series of the rows.
        season: steps in a season.
        places: per series of the group its position in the history, -1 for none.
        problem: why there is no scale at all.
    """

    history: History
    series: Series
    season: int
    places: Codes
    problem: str = ""

    @classmethod
    def of(cls, history: History, series: Series, season: int) -> Scale:
        """Finds the series in the history."""
        return cls(history, series, season, history.places_of(series.names), history.problem)

    def absolute(self, codes: Codes) -> Floats:
        """Returns the seasonal naive's mean absolute error by series; NaN where there is none, or it is 0."""
        return self._positive(self.history.naive(self.season).absolute)[codes]

    def square(self, codes: Codes) -> Floats:
        """Returns the mean squared error, likewise."""
        return self._positive(self.history.naive(self.season).square)[codes]

    def at_horizon(self, codes: Codes, horizon: Floats) -> Floats:
        """Returns the error of the last season that is known at the origin; NaN where there is none.

        That is as many seasons back as cover the horizon. Without a horizon it is one season.
        """
        seasons = np.maximum(np.ceil(np.nan_to_num(horizon, nan=1.0, posinf=1.0) / self.season), 1)
        found = np.full(len(codes), np.nan)
        for back in np.unique(seasons):
            mine = seasons == back
            errors = self.history.naive(int(back) * self.season).absolute
            found[mine] = self._here(errors)[codes[mine]]
        return found

    def _here(self, by_place: Floats) -> Floats:
        return np.append(by_place, np.nan)[self.places]

    def _positive(self, by_place: Floats) -> Floats:
        found = self._here(by_place)
        return np.where(found > 0, found, np.nan)

    def unscaled(self, codes: Codes) -> tuple[int, int, str]:
        """Returns how many of these rows' series have no scale, of how many, and names some with why."""
        used = np.unique(codes)
        without = used[np.isnan(self.absolute(used))]
        first = sorted((_text(self.series.names[code]), code) for code in without.tolist())[:_NAMED]
        named = ", ".join(f"{name} ({self._why(code)})" for name, code in first)
        more = f" and {len(without) - _NAMED} more" if len(without) > _NAMED else ""
        return len(without), len(used), named + more

    def _why(self, code: int) -> str:
        return self.history.why_unscaled(int(self.places[code]), self.season)


def _text(name: Name) -> str:
    return repr("/".join("null" if part is None else part for part in name)) if name else "the series"


def scaled_metrics(
    miss: Floats, codes: Codes, horizon: Floats, scale: Scale, groups: Codes | None
) -> Estimates:
    """Returns MASE, RMSSE and skill over the rows whose series has a scale; the reason names the others.

    Args:
        miss: forecast less actual, finite.
        codes: series of each row.
        horizon: steps ahead of each row; NaN where it is not known.
        scale: of the series.
        groups: per row the number of its group, where rows do not miss independently.
    """
    if scale.problem:
        return dict.fromkeys(SCALED, Estimate.unknown(scale.problem))
    without, of, named = scale.unscaled(codes)
    if without == of:
        return dict.fromkeys(SCALED, Estimate.unknown(f"no series has a scale: {named}"))
    away = np.abs(miss)
    absolute, square = scale.absolute(codes), scale.square(codes)
    known, naive = ~np.isnan(absolute), scale.at_horizon(codes, horizon)
    mine = None if groups is None else groups[known]
    left_out = f"{without} of {of} series have no scale and are left out: {named}" if without else ""
    found = {
        "mase": mean_of(away[known] / absolute[known], mine),
        "rmsse": root_of(np.square(miss[known]) / square[known], mine),
    }
    stated = {column: replace(one, reason=one.reason or left_out) for column, one in found.items()}
    return stated | {"skill": _skill(away, naive, groups)}


def _skill(away: Floats, naive: Floats, groups: Codes | None) -> Estimate:
    known = ~np.isnan(naive)
    rest = len(known) - int(known.sum())
    zero = "the seasonal naive never misses in the history"
    found = ratio_of(away[known], naive[known], None if groups is None else groups[known], zero=zero)
    left_out = f"{rest} of {len(known)} rows have no naive forecast in the history and are left out"
    if rest == len(known):
        return Estimate.unknown("the history is too short for a naive forecast this far ahead")
    return replace(found.complement, reason=found.reason or (left_out if rest else ""))
