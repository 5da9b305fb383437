"""Errors against the seasonal naive of the training history: MASE, RMSSE and skill."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lakemon_core.domain.estimate import Estimate
from lakemon_core.profiling.quality.estimates import Groups, mean_of, ratio_of, root_of
from lakemon_core.profiling.quality.readings import kept
from lakemon_forecasting.history import History
from lakemon_forecasting.rows import Codes, Name, Series, numbered

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
        furthest = self.history.longest // self.season + 1
        seasons = np.clip(np.ceil(np.nan_to_num(horizon, nan=1.0) / self.season), 1, furthest)
        back, places = numbered(seasons.astype(np.int64), furthest + 1)
        errors = [self._here(self.history.naive(int(each) * self.season).absolute) for each in back]
        return np.concatenate(errors or [np.zeros(0)]).take(places * len(self.places) + codes)

    def _here(self, by_place: Floats) -> Floats:
        return np.append(by_place, np.nan)[self.places]

    def _positive(self, by_place: Floats) -> Floats:
        found = self._here(by_place)
        return np.where(found > 0, found, np.nan)

    def unscaled(self, codes: Codes) -> Codes:
        """Returns the series among those of some rows that have no scale."""
        used = np.flatnonzero(np.bincount(codes))
        return used[np.isnan(self.absolute(used))]

    def left_out(self, codes: Codes) -> str:
        """Says how many series of some rows have no scale, and names the first with why; empty for none."""
        without, of = self.unscaled(codes), np.count_nonzero(np.bincount(codes))
        if not len(without):
            return ""
        first = sorted((_text(self.series.names[code]), code) for code in without.tolist())[:_NAMED]
        named = ", ".join(f"{name} ({self._why(code)})" for name, code in first)
        more = f" and {len(without) - _NAMED} more" if len(without) > _NAMED else ""
        if len(without) == of:
            return f"no series has a scale: {named}{more}"
        return f"{len(without)} of {of} series have no scale and are left out: {named}{more}"

    def _why(self, code: int) -> str:
        return self.history.why_unscaled(int(self.places[code]), self.season)


def _text(name: Name) -> str:
    return repr("/".join("null" if part is None else part for part in name)) if name else "the series"


def scaled_metrics(miss: Floats, codes: Codes, horizon: Floats, scale: Scale, groups: Groups) -> Estimates:
    """Returns MASE, RMSSE and skill over the rows whose series has a scale; the reason names the others.

    Args:
        miss: forecast less actual, finite.
        codes: series of each row.
        horizon: steps ahead of each row; NaN where it is not known.
        scale: of the series.
        groups: rows of one series and target time: these miss together.
    """
    if scale.problem:
        return dict.fromkeys(SCALED, Estimate.unknown(scale.problem))
    left_out, absolute = scale.left_out(codes), scale.absolute(codes)
    known = ~np.isnan(absolute)
    if not known.any():
        return dict.fromkeys(SCALED, Estimate.unknown(left_out))
    away, groups_known = np.abs(miss), groups.where(known)
    squares = kept(np.square(miss), known) / kept(scale.square(codes), known)
    return {
        "mase": mean_of(kept(away, known) / kept(absolute, known), groups_known).noting(left_out),
        "rmsse": root_of(mean_of(squares, groups_known)).noting(left_out),
        "skill": _skill(away, scale.at_horizon(codes, horizon), groups),
    }


def _skill(away: Floats, naive: Floats, groups: Groups) -> Estimate:
    known = ~np.isnan(naive)
    rest = len(known) - int(np.count_nonzero(known))
    if rest == len(known):
        return Estimate.unknown("the history is too short for a naive forecast this far ahead")
    zero = "the seasonal naive never misses in the history"
    found = ratio_of(kept(away, known), kept(naive, known), groups.where(known), zero=zero).complement
    left_out = f"{rest} of {len(known)} rows have no naive forecast in the history and are left out"
    return found.noting(left_out if rest else "")
