"""Signals that need the rows themselves: duplicates by key, and how late labels come."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from lakemon_core.domain.rule import Rule, Signal
from lakemon_core.domain.window import Granularity, Window
from lakemon_core.hookspecs import RunContext
from lakemon_core.lifecycle.counted import measured_windows
from lakemon_core.lifecycle.table_windows import WindowRows, between, chunks, existing_windows

if TYPE_CHECKING:
    import pyarrow as pa

CURVE_DAYS = (1, 2, 3, 7, 14, 30)
"""Points of the label delay curve."""

_DAY = 86_400 * 10**6
Make = Callable[["pa.Table"], Iterator[Mapping[str, Any]]]


@dataclass(frozen=True, slots=True)
class RowSignals:
    """Makes what is asked for, window by window, for the whole table.

    Attributes:
        context: the run.
        key: columns that tell rows apart; empty leaves duplicates out.
        arrival: column that says when the first label came; None leaves delays out.
    """

    context: RunContext
    key: tuple[str, ...]
    arrival: str | None

    @classmethod
    def of(cls, context: RunContext, rules: Sequence[Rule]) -> RowSignals:
        """Duplicates: where a key is configured or a rule asks for them; delays: where labels have times."""
        spec, roles = context.monitor.inference_table, context.roles
        asked = spec.key or any(rule.metric == "duplicates" for rule in rules)
        key = spec.key or (roles.request_id, roles.row_index)
        return cls(context, key if asked else (), spec.labels.arrival if spec.labels else None)

    @property
    def mark(self) -> str:
        """Names what is made; another mark makes all windows again."""
        return hashlib.sha256(repr((self.key, self.arrival)).encode()).hexdigest()[:12]

    def make(self, spans: Mapping[str, set[datetime]] | None) -> Iterator[Signal]:
        """Yields the signals of the windows that start at these moments, by granularity; None means all."""
        name = self.context.monitor.inference_table.name
        if not (self.key or self.arrival) or not self.context.backend.tables.exists(name):
            return
        for granularity in self.context.monitor.monitoring.granularities:
            starts = None if spans is None else spans.get(str(granularity), set())
            if starts is None or starts:
                yield from self._of_granularity(granularity, starts)

    def _of_granularity(self, granularity: Granularity, starts: set[datetime] | None) -> Iterator[Signal]:
        from lakemon_core.profiling.windows import split

        tables, name = self.context.backend.tables, self.context.monitor.inference_table.name
        info, timestamp = tables.info(name), self.context.roles.timestamp
        existing = self._existing(granularity, starts, info.version)
        due = [window for window in existing if starts is None or window.start in starts]
        wanted = {timestamp, *self.key, *([self.arrival] if self.arrival else [])}
        columns = [column for column in info.schema.names if column in wanted]
        for part in chunks(due, existing):
            where = between(timestamp, Window(part[0].start, part[-1].end))
            rows = tables.scan(name, columns=columns, where=where, version=info.version).read_all()
            for window, own in split(rows, part, timestamp):
                yield from self._of_window(own, window, str(granularity), info.version)

    def _existing(self, granularity: Granularity, starts: set[datetime] | None, version: int) -> WindowRows:
        if granularity.rows is not None:
            return measured_windows(self.context, granularity)
        span = Window(min(starts), granularity.window(max(starts)).end) if starts else None
        return existing_windows(self.context, granularity, version, span)

    def _of_window(self, rows: pa.Table, window: Window, granularity: str, version: int) -> Iterator[Signal]:
        place: dict[str, Any] = {
            "window": window,
            "granularity": granularity,
            "model_id": "*",
            "slice_key": None,
            "slice_value": None,
            "column": ":table",
            "compare": None,
            "table_version": version,
        }
        for made in (*self._duplicates(rows), *self._delays(rows)):
            known: dict[str, Any] = {"statistic": made["name"], "method": f"{made['name']}:1"}
            yield Signal(**place, **known | made)

    def _duplicates(self, rows: pa.Table) -> Iterator[dict[str, Any]]:
        if not self.key:
            return
        missing = [column for column in self.key if column not in rows.schema.names]
        keyed = rows.select([column for column in self.key if column not in missing]).drop_null()
        if missing or not keyed.num_rows:
            why = f"the table has no column {missing[0]!r}" if missing else "no row has a key"
            yield {"name": "duplicates", "value": None, "n": 0, "reason": why}
            return
        distinct = keyed.group_by(list(self.key)).aggregate([]).num_rows
        yield {"name": "duplicates", "value": 1 - distinct / keyed.num_rows, "n": keyed.num_rows}

    def _delays(self, rows: pa.Table) -> Iterator[dict[str, Any]]:
        """Yields median, 90 % quantile and curve of the days from prediction to first label."""
        import numpy as np

        if self.arrival is None:
            return
        days = self._days(rows)
        for name, share in (("label_delay_p50", 0.5), ("label_delay_p90", 0.9)):
            value = float(np.quantile(days, share)) if len(days) else None
            yield {
                "name": name,
                "value": value,
                "n": len(days),
                "reason": "" if len(days) else "no labels yet",
            }
        for limit in CURVE_DAYS:
            value = float(np.count_nonzero(days <= limit)) / rows.num_rows
            known = {"statistic": f"{limit} days", "value": value, "n": rows.num_rows}
            yield {"name": "label_delay_curve", **known}

    def _days(self, rows: pa.Table) -> Any:
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc

        if self.arrival not in rows.schema.names:
            return np.zeros(0)
        moment = pa.timestamp("us", "UTC")
        ticks = [rows.column(name).cast(moment).cast(pa.int64()) for name in (self.arrival, self._timestamp)]
        return pc.subtract(*ticks).drop_null().to_numpy() / _DAY

    @property
    def _timestamp(self) -> str:
        return self.context.roles.timestamp
