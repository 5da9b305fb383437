"""The rows of a lake's own metric tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lakemon_core.domain.names import TableName
from lakemon_core.domain.window import Granularity, Window
from lakemon_core.hookspecs import RunContext
from lakemon_core.lifecycle.lake.completing import TABLE
from lakemon_core.lifecycle.lake.quality import Place
from lakemon_core.ports import Condition, LakeMetrics

if TYPE_CHECKING:
    import pyarrow as pa

Row = dict[str, Any]
Series = tuple[str, str | None, str | None]


@dataclass(frozen=True, slots=True)
class RawMetrics:
    """What the lake has written; its windows are read and never computed.

    Attributes:
        context: the run.
        metrics: the lake's tables.
    """

    context: RunContext
    metrics: LakeMetrics

    def windows(self, granularity: Granularity) -> list[Window]:
        """Returns the windows of one granularity, in order."""
        where = [*_of(granularity), Condition("column_name", "=", TABLE), Condition("log_type", "=", "INPUT")]
        rows = self._rows(self.metrics.profile, [*where, Condition("slice_key", "is null")], ["window"])
        return sorted({window for row in rows if (window := window_of(row["window"]))})

    def inputs(self, granularity: Granularity, windows: Sequence[Window]) -> list[Row]:
        """Returns the profile rows of windows."""
        where = [*_of(granularity), Condition("log_type", "=", "INPUT"), _in(windows)]
        return self._rows(self.metrics.profile, where)

    def baseline(self) -> list[Row]:
        """Returns the profile rows of the baseline, each once, without a window."""
        rows = self._rows(self.metrics.profile, [Condition("log_type", "=", "BASELINE")])
        bare: list[Row] = [{**row, "window": None, "granularity": None} for row in rows]
        return list({(self.series(row), row["column_name"]): row for row in bare}.values())

    def drift(self, granularity: Granularity, windows: Sequence[Window]) -> list[Row]:
        """Returns the drift rows of windows; none while the lake has nothing to compare."""
        if self.metrics.drift is None:
            return []
        return self._rows(self.metrics.drift, [*_of(granularity), _in(windows)])

    def schema(self, name: TableName) -> pa.Schema:
        """Returns the columns of one of the lake's tables."""
        return self.context.backend.tables.info(name).schema

    def series(self, row: Mapping[str, Any]) -> Series:
        """Returns model id, slice key and slice value of a row."""
        return row[self.context.roles.model_id], row["slice_key"], row["slice_value"]

    def place(self, row: Mapping[str, Any]) -> Place:
        """Returns the group of a row."""
        return window_of(row["window"]), *self.series(row)

    def _rows(
        self, name: TableName, where: Sequence[Condition], columns: Sequence[str] | None = None
    ) -> list[Row]:
        rows = self.context.backend.tables.scan(name, where=where, columns=columns).read_all().to_pylist()
        anonymous = {self.context.roles.model_id: "*"}
        return [{**anonymous, **row} for row in rows]


def window_of(cell: Mapping[str, Any] | None) -> Window | None:
    """Returns the window of a cell."""
    return Window(cell["start"], cell["end"]) if cell else None


def _of(granularity: Granularity) -> list[Condition]:
    return [Condition("granularity", "=", str(granularity))]


def _in(windows: Sequence[Window]) -> Condition:
    return Condition(("window", "start"), "in", tuple(window.start for window in windows))
