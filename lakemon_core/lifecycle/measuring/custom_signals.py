"""Custom metrics as signals, so that rules may name them. Pure but for reading the config."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lakemon_core.domain.rule import Signal
from lakemon_core.domain.window import Window
from lakemon_core.expressions import CustomMetric, MetricKind
from lakemon_core.hookspecs import RunContext
from lakemon_core.lifecycle.measuring.custom_metrics import NULL, custom_metrics_of
from lakemon_core.lifecycle.signalling.from_metrics import Place, Row, compare_of, reference_of

_NUMBERS = frozenset({"double", "float", "bigint", "long", "int", "integer", "boolean"})


@dataclass(frozen=True, slots=True)
class CustomSignals:
    """Makes signals of the custom metrics whose values are numbers or Booleans.

    Attributes:
        metrics: of the config.
        model_id: name of the model id column.
    """

    metrics: tuple[CustomMetric, ...]
    model_id: str

    @classmethod
    def of(cls, context: RunContext) -> CustomSignals:
        """Reads the metrics of a run; none where nobody measures them."""
        measured = context.backend.expressions or context.backend.profiles
        metrics = custom_metrics_of(context) if measured else []
        return cls(
            tuple(one for one in metrics if one.data_type in _NUMBERS),
            context.roles.model_id,
        )

    def from_profile(self, rows: Sequence[Row], baseline: Mapping[Place, Row]) -> Iterator[Signal]:
        """Yields aggregates and what is derived; arguments are those of `SignalMaker.from_profile`."""
        for metric, row in self._pairs(rows, drift=False):
            reference = reference_of(row, baseline, self.model_id)
            n = (row["count"] or 0) + (row["num_nulls"] or 0)
            yield self._signal(metric, row, n, baseline=_number(reference, metric.name))

    def from_drift(self, rows: Sequence[Row]) -> Iterator[Signal]:
        """Yields what is computed from two windows."""
        for metric, row in self._pairs(rows, drift=True):
            yield self._signal(metric, row, row["n"] or 0, compare=compare_of(row))

    def _pairs(self, rows: Sequence[Row], *, drift: bool) -> Iterator[tuple[CustomMetric, Row]]:
        for metric in self.metrics:
            if (metric.kind is MetricKind.DRIFT) is drift:
                yield from ((metric, row) for row in rows if row["column_name"] in metric.inputs)

    def _signal(
        self,
        metric: CustomMetric,
        row: Row,
        n: int,
        *,
        baseline: float | None = None,
        compare: str | None = None,
    ) -> Signal:
        value = _number(row, metric.name)
        reasons: dict[str, str] = dict(row["reasons"] or ())
        why = reasons.get(metric.name, NULL)
        window: Mapping[str, Any] | None = row["window"]
        return Signal(
            window=Window(window["start"], window["end"]) if window else None,
            granularity=row["granularity"] or "",
            model_id=row[self.model_id],
            slice_key=row["slice_key"],
            slice_value=row["slice_value"],
            column=row["column_name"],
            name=metric.name,
            statistic=metric.name,
            compare=compare,
            value=value,
            n=n,
            baseline=baseline,
            method=f"{metric.kind}:custom",
            table_version=row["table_version"],
            config_hash=row["config_hash"] or "",
            reason="" if value is not None else why,
        )


def _number(row: Row | None, name: str) -> float | None:
    value: Any = row.get(name) if row else None
    return None if value is None else float(value)
