"""References in the table itself: what a window looks back at beside the window just before it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lakemon_core.domain.lookback import Lookback
from lakemon_core.domain.window import Granularity, Window
from lakemon_core.lifecycle.measuring.groups import Measured, Ruler
from lakemon_core.lifecycle.measuring.slices import Series

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class References:
    """Measures what windows of one granularity look back at.

    Attributes:
        lookbacks: the references that the config or a rule asks for.
        granularity: of the windows.
        ruler: measures groups.
        windows: of so many rows, in order; empty where windows are lengths of time.
        rows: reads the rows of a span of time, with all columns that the ruler and this class need.
        timestamp: name of the timestamp column.
        model_id: name of the model id column; None where the table has none.
    """

    lookbacks: tuple[Lookback, ...]
    granularity: Granularity
    ruler: Ruler
    windows: Sequence[Window]
    rows: Callable[[Window], pa.Table]
    timestamp: str
    model_id: str | None

    def of(self, window: Window) -> dict[str, Mapping[Series, Measured]]:
        """Returns the groups of each reference by drift type; one whose history is too short is left out."""
        found = {one.drift_type: self._measure(one, window) for one in self.lookbacks}
        return {drift_type: groups for drift_type, groups in found.items() if groups}

    def _measure(self, lookback: Lookback, window: Window) -> Mapping[Series, Measured]:
        from lakemon_core.profiling.measure import ALL_MODELS, GroupKey

        counted = self.granularity.rows is not None
        span = lookback.among(self.windows, window) if counted else lookback.span(window, self.granularity)
        rows = self.rows(span) if span else None
        if rows is None or not (counted or self._windows_in(rows) >= lookback.fewest):
            return {}
        key = GroupKey(span, str(self.granularity), ALL_MODELS, None, None, "INPUT")
        (groups,) = self.ruler.measure(rows, [key], self.model_id, told=())
        return {one.series: one for one in groups}

    def _windows_in(self, rows: pa.Table) -> int:
        """How many windows hold rows."""
        import numpy as np

        from lakemon_core.profiling.windows import window_starts

        starts = window_starts(rows.column(self.timestamp), self.granularity)
        return len(np.unique(starts))
