"""Metric rows to signals: every number that a rule may look at, one row each. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lakemon_core.domain.monitor import Roles
from lakemon_core.domain.rule import Compare, Signal
from lakemon_core.domain.window import Window
from lakemon_core.ports import QualityMetric

Row = Mapping[str, Any]
Place = tuple[str, str | None, str | None, str]
"""Model id, slice key, slice value and column of a metric row."""

TABLE = ":table"
_COMPARE = {"BASELINE": Compare.BASELINE, "CONSECUTIVE": Compare.PREVIOUS}


@dataclass(frozen=True, slots=True)
class Statistic:
    """Where a drift statistic stands in a drift row: column, and fields of the struct it lies in."""

    name: str
    column: str
    field: str | None = None
    p_value: str | None = None
    chance: str | None = None


STATISTICS = (
    Statistic("psi", "population_stability_index", chance="psi_chance_level"),
    Statistic("js_distance", "js_distance", chance="js_chance_level"),
    Statistic("ks_test", "ks_test", "statistic", "pvalue"),
    Statistic("wasserstein_distance", "wasserstein_normalized"),
    Statistic("tv_distance", "tv_distance", chance="tv_chance_level"),
    Statistic("l_infinity_distance", "l_infinity_distance"),
    Statistic("chi_squared_test", "chi_squared_test", "statistic", "pvalue"),
    Statistic("cramers_v", "cramers_v"),
)
_NO_DRIFT = frozenset({"timestamp", "date"})
"""Types whose drift rows hold only changes of counts, as in Databricks."""

NUMERIC_ONLY = frozenset({"ks_test", "wasserstein_distance"})
CATEGORICAL_ONLY = frozenset({"chi_squared_test", "cramers_v"})


@dataclass(frozen=True, slots=True)
class SignalMaker:
    """Makes signals from metric rows of one monitor."""

    roles: Roles
    metrics: Sequence[QualityMetric]

    def from_profile(self, rows: Sequence[Row], baseline: Mapping[Place, Row]) -> Iterator[Signal]:
        """Yields row counts, quality and null rates.

        Args:
            rows: INPUT rows of the profile table.
            baseline: place → BASELINE row; `*` stands in for models that are not in it.
        """
        for row in rows:
            reference = reference_of(row, baseline, self.roles.model_id)
            if row["column_name"] == TABLE:
                yield self._signal(row, "row_count", row["count"], row["count"])
                yield from self._quality(row, reference)
            elif row["column_name"] != self.roles.label:
                n, rate = _null_rate(row)
                known = {"baseline": _null_rate(reference)[1] if reference else None, "reason": "no rows"}
                yield self._signal(row, "null_rate", rate, n, **known)
                if reference and reference["data_type"]:
                    yield self._type_change(row, reference)

    def from_drift(self, rows: Sequence[Row]) -> Iterator[Signal]:
        """Yields one signal for each statistic of each drift row, and the count of new categories."""
        for row in rows:
            if row["column_name"] == TABLE or row["data_type"] in _NO_DRIFT:
                continue
            reasons = _reasons(row)
            categorical = row["new_categories"] is not None or "new_categories" in reasons
            for statistic in STATISTICS:
                if statistic.name in (NUMERIC_ONLY if categorical else CATEGORICAL_ONLY):
                    continue
                yield self._drift(row, statistic)
            if row["drift_type"] == "BASELINE" and row["column_name"] != self.roles.label:
                if categorical:
                    why = reasons.get("new_categories", "")
                    yield self._signal(row, "new_categories", row["new_categories"], row["n"], reason=why)
                yield self._strange(row, "new_category_share" if categorical else "out_of_range")

    def _type_change(self, row: Row, reference: Row) -> Signal:
        """1 where the column's type is not that of the baseline; `method` tells both."""
        now, then = row["data_type"], reference["data_type"]
        known = {"method": f"type_change:1 {then} -> {now}" if now != then else "type_change:1"}
        return self._signal(row, "type_change", float(now != then), _null_rate(row)[0], **known)

    def _strange(self, row: Row, name: str) -> Signal:
        """The share of values that the baseline does not know."""
        reason = _reasons(row).get(name, "not computed for this column")
        return self._signal(row, name, row.get(name), row["n"], reason=reason)

    def _drift(self, row: Row, statistic: Statistic) -> Signal:
        cell = row[statistic.column]
        value = cell.get(statistic.field) if statistic.field and cell else cell
        p_value = cell.get(statistic.p_value) if statistic.p_value and cell else None
        reasons = _reasons(row)
        return self._signal(
            row,
            self.drift_name(row["column_name"]),
            value,
            row["n"],
            method=_method(statistic.name, row["method"]),
            reason=reasons.get(statistic.column, "not computed for this column"),
            statistic=statistic.name,
            compare=compare_of(row),
            p_value=p_value,
            chance_level=row[statistic.chance] if statistic.chance else None,
        )

    def drift_name(self, column: str) -> str:
        """Returns `prediction_drift`, `label_drift` or `feature_drift`."""
        if column in self.roles.predicted:
            return "prediction_drift"
        return "label_drift" if column == self.roles.label else "feature_drift"

    def _quality(self, row: Row, reference: Row | None) -> Iterator[Signal]:
        labels = row.get("label_count")
        if labels is None:
            return
        rows = row["count"] or 0
        coverage = labels / rows if rows else None
        yield self._signal(row, "label_coverage", coverage, rows, reason="no rows")
        reasons, intervals = _reasons(row), dict(row["intervals"] or ())
        counts = dict(row.get("counts") or ())
        for metric in self.metrics:
            value = _cell(row, metric)
            ends = intervals.get(metric.name, {})
            yield self._signal(
                row,
                metric.name,
                value,
                counts.get(metric.name, labels),
                reason=reasons.get(metric.column, "no labels yet" if not labels else "not computed"),
                maturity=coverage,
                baseline=_cell(reference, metric) if reference else None,
                lower=ends.get("lower"),
                upper=ends.get("upper"),
            )

    def _signal(self, row: Row, name: str, value: float | None, n: int | None, **known: Any) -> Signal:
        """Makes a signal at the place of a metric row; `known` are further fields of `Signal`."""
        fields: dict[str, Any] = {"method": f"{name}:1", "statistic": name, "compare": None} | known
        if value is not None:
            fields["reason"] = ""
        return Signal(
            window=_window(row["window"]),
            granularity=row["granularity"] or "",
            model_id=row[self.roles.model_id],
            slice_key=row["slice_key"],
            slice_value=row["slice_value"],
            column=row["column_name"],
            name=name,
            value=None if value is None else float(value),
            n=int(n or 0),
            table_version=row["table_version"],
            config_hash=row["config_hash"] or "",
            **fields,
        )


def compare_of(row: Row) -> str:
    """Returns what a rule calls the reference of a drift row."""
    drift_type: str = row["drift_type"]
    return _COMPARE.get(drift_type) or drift_type.lower()


def place_of(row: Row, model_id: str) -> Place:
    """Returns where a metric row stands; `model_id` is the name of that column."""
    return row[model_id], row["slice_key"], row["slice_value"], row["column_name"]


def reference_of(row: Row, baseline: Mapping[Place, Row], model_id: str) -> Row | None:
    """Returns the BASELINE row that a row is compared with: of its model, or of all together."""
    model, *rest = place_of(row, model_id)
    everything = baseline.get(("*", rest[0], rest[1], row["column_name"]))
    return baseline.get((model, rest[0], rest[1], row["column_name"]), everything)


_ON_BINS = {"js_distance": "base2:1", "tv_distance": "1", "l_infinity_distance": "1"}
"""Distances that rest on the bins of PSI, and what their definition says beside them."""


def _method(statistic: str, method: str | None) -> str:
    """Returns the definition and version of one statistic; that of a drift row names PSI and its bins.

    Args:
        statistic: its name.
        method: of the row; another than PSI's is that of a lake, which measures by itself.
    """
    family, _, rest = (method or "").partition(":")
    if statistic == family:
        return method or ""
    if family != "psi":
        return ":".join(filter(None, (statistic, method or "1")))
    if statistic in _ON_BINS:
        return f"{statistic}:{rest.partition(':')[0]}:{_ON_BINS[statistic]}"
    return f"{statistic}:exact:1"


def _cell(row: Row, metric: QualityMetric) -> float | None:
    value: Any = row.get(metric.column)
    for step in metric.path:
        if value is None:
            return None
        value = value.get(step)
    return None if value is None else float(value)


def _null_rate(row: Row) -> tuple[int, float | None]:
    n = row["count"] + row["num_nulls"]
    return n, (row["num_nulls"] / n if n else None)


def _reasons(row: Row) -> dict[str, str]:
    """A map column reads back as pairs."""
    return dict(row["reasons"] or ())


def _window(cell: Mapping[str, datetime] | None) -> Window | None:
    return Window(cell["start"], cell["end"]) if cell else None
