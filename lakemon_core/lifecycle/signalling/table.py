"""The signals table: kept in step with the metric tables, window by window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lakemon_core.domain.rule import Compare, Rule, Signal
from lakemon_core.hookspecs import RunContext
from lakemon_core.lifecycle.measuring.custom_signals import CustomSignals
from lakemon_core.lifecycle.signalling.from_metrics import SignalMaker, place_of
from lakemon_core.lifecycle.signalling.from_rows import RowSignals
from lakemon_core.lifecycle.signalling.history import note_quality
from lakemon_core.lifecycle.signalling.loading import looked_at, signals_of
from lakemon_core.ports import Condition

Spans = dict[str, set[datetime]]
"""Granularity → starts of windows."""


@dataclass(frozen=True, slots=True)
class SignalTable:
    """Reads and writes the signals of one monitor."""

    context: RunContext

    def bring_up(self, added: Sequence[Signal] = (), rules: Sequence[Rule] = ()) -> int:
        """Makes the signals of all windows whose metric rows changed; returns how many were written.

        Args:
            added: signals of hook plugins; each has a window.
            rules: some signals are made only when a rule asks for them.
        """
        of_rows = RowSignals.of(self.context, rules)
        ledger = self.context.backend.ledger
        key = f"analyzed:{self.context.monitor.inference_table.name}"
        mark = ledger.get(key)
        versions = [self._version("profile_metrics"), self._version("drift_metrics")]
        now = ":".join([*(str(version) for version in versions), of_rows.mark])
        written = 0
        if mark != now:
            spans = self._changed(_since(mark, of_rows.mark))
            signals = [*self._make(spans), *of_rows.make(spans)]
            written = self._write(signals, _filters(spans))
            note_quality(self.context, signals)
            ledger.put(key, now)
        if added:
            names = Condition("signal", "in", tuple(sorted({signal.name for signal in added})))
            written += self._write(added, [[*where, names] for where in _filters(_spans_of(added))])
        return written

    def load(
        self, names: Sequence[str] | None = None, *, for_rules: Sequence[Rule] | None = None
    ) -> list[Signal]:
        """Returns the signals of those names, or all, in window order.

        Args:
            names: of signals.
            for_rules: leaves out the statistics of drift that neither these rules nor a report look at.
        """
        name = self.context.monitor.metric_table("signals")
        if not self.context.backend.tables.exists(name):
            return []
        where = [Condition("signal", "in", tuple(names))] if names else []
        tables = self.context.backend.tables
        if for_rules is None:
            return signals_of(tables.scan(name, where=where).read_all(), self.context.roles.model_id)
        of_baseline = Condition("compare", "=", Compare.BASELINE.value)
        found = tables.scan(name, columns=["compare"], where=[*where, of_baseline])
        has_baseline = any(batch.num_rows for batch in found)
        rows = looked_at(tables.scan(name, where=where), for_rules, has_baseline=has_baseline)
        return signals_of(rows, self.context.roles.model_id)

    def _version(self, kind: str) -> int:
        name = self.context.monitor.metric_table(kind)
        tables = self.context.backend.tables
        return tables.info(name).version if tables.exists(name) else -1

    def _changed(self, since: Sequence[int | None]) -> Spans | None:
        """Returns the windows that changed; None means all of them."""
        spans: Spans = {}
        for kind, version in zip(("profile_metrics", "drift_metrics"), since, strict=True):
            name = self.context.monitor.metric_table(kind)
            if version is None or version < 0 or not self.context.backend.tables.exists(name):
                return None
            reader = self.context.backend.tables.changes(
                name, since=version, columns=["window", "granularity"]
            )
            if reader is None:
                return None
            for row in reader.read_all().to_pylist():
                if row["window"] is None:
                    return None
                spans.setdefault(row["granularity"], set()).add(row["window"]["start"])
        return spans

    def _make(self, spans: Spans | None) -> list[Signal]:
        maker = SignalMaker(self.context.roles, self.context.model_type.metrics)
        own = CustomSignals.of(self.context)
        model_id = self.context.roles.model_id
        baseline = {
            place_of(row, model_id): row
            for row in self._rows("profile_metrics", [Condition("log_type", "=", "BASELINE")])
        }
        signals: list[Signal] = []
        for where in _filters(spans):
            inputs = self._rows("profile_metrics", [Condition("log_type", "=", "INPUT"), *where])
            drifts = self._rows("drift_metrics", where)
            signals += maker.from_profile(inputs, baseline)
            signals += maker.from_drift(drifts)
            signals += own.from_profile(inputs, baseline)
            signals += own.from_drift(drifts)
        return signals

    def _rows(self, kind: str, where: Sequence[Condition]) -> list[dict[str, Any]]:
        name = self.context.monitor.metric_table(kind)
        tables = self.context.backend.tables
        if not tables.exists(name):
            return []
        wanted = [column for column in tables.info(name).schema.names if column not in _HEAVY]
        return tables.scan(name, columns=wanted, where=where).read_all().to_pylist()

    def _write(self, signals: Sequence[Signal], filters: Sequence[Sequence[Condition]]) -> int:
        """Replaces the signals that match each filter, each in one commit."""
        import pyarrow as pa

        from lakemon_core.profiling.schemas import signals_schema

        model_id = self.context.roles.model_id
        name = self.context.monitor.metric_table("signals")
        for where in filters:
            part = [_row(signal, model_id) for signal in signals if _within(signal, where)]
            rows = pa.Table.from_pylist(part, schema=signals_schema(model_id))
            self.context.backend.tables.replace(name, rows, where=where)
        return len(signals)


_HEAVY = frozenset({"quantiles", "frequent_items", "confusion_matrix", "non_null_columns"})


def _since(mark: str | None, asked: str) -> Sequence[int | None]:
    """Returns the versions of the metric tables that are done; None where all must be made again."""
    *versions, made = (mark or "").split(":")
    return [int(version) for version in versions] if made == asked else [None, None]


def _filters(spans: Spans | None) -> list[list[Condition]]:
    """One filter a granularity; a single empty one for everything."""
    if spans is None:
        return [[]]
    return [
        [
            Condition("granularity", "=", granularity),
            Condition(("window", "start"), "in", tuple(sorted(starts))),
        ]
        for granularity, starts in sorted(spans.items())
    ]


def _within(signal: Signal, where: Sequence[Condition]) -> bool:
    return not where or signal.granularity == where[0].value


def _spans_of(signals: Sequence[Signal]) -> Spans:
    spans: Spans = {}
    for signal in signals:
        if signal.window is not None:
            spans.setdefault(signal.granularity, set()).add(signal.window.start)
    return spans


def _row(signal: Signal, model_id: str) -> dict[str, object]:
    window = {"start": signal.window.start, "end": signal.window.end} if signal.window else None
    return {
        "window": window,
        "granularity": signal.granularity,
        model_id: signal.model_id,
        "slice_key": signal.slice_key,
        "slice_value": signal.slice_value,
        "column": signal.column,
        "signal": signal.name,
        "value": signal.value,
        "lower": signal.lower,
        "upper": signal.upper,
        "n": signal.n,
        "baseline": signal.baseline,
        "p_value": signal.p_value,
        "chance_level": signal.chance_level,
        "method": signal.method,
        "maturity": signal.maturity,
        "table_version": signal.table_version,
        "config_hash": signal.config_hash,
        "reason": signal.reason or None,
        "statistic": signal.statistic,
        "compare": str(signal.compare) if signal.compare else None,
    }
