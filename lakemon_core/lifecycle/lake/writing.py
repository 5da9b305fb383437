"""Completed rows into the metric tables, whole windows at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lakemon_core.domain.window import Granularity, Window
from lakemon_core.hookspecs import RunContext
from lakemon_core.lifecycle.measuring.custom_metrics import CustomMetrics
from lakemon_core.ports import Condition

if TYPE_CHECKING:
    import pyarrow as pa

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class LakeWriter:
    """Writes the two metric tables: our columns, those that only the lake has, custom metrics left to us.

    Attributes:
        context: the run.
        custom: the custom metrics that the lake leaves to us.
        profile: columns of the lake's profile table.
        drift: columns of its drift table; None where it has none.
    """

    context: RunContext
    custom: CustomMetrics
    profile: pa.Schema
    drift: pa.Schema | None

    def write(
        self,
        granularity: Granularity,
        profile: Sequence[Row],
        drift: Sequence[Row],
        windows: Sequence[Window] | None,
    ) -> None:
        """Replaces the rows of windows, or of all windows of a granularity, in each table in one commit."""
        where = [Condition("granularity", "=", str(granularity))]
        if windows is not None:
            where.append(Condition(("window", "start"), "in", tuple(one.start for one in windows)))
        self.context.progress.update(f"writing {len(profile)} profile and {len(drift)} drift rows")
        self._replace("profile_metrics", profile, self._profile_schema(), where)
        self._replace("drift_metrics", drift, self._drift_schema(), where)

    def write_baseline(self, rows: Sequence[Row]) -> None:
        """Replaces the rows of the baseline."""
        where = [Condition("log_type", "=", "BASELINE")]
        self._replace("profile_metrics", rows, self._profile_schema(), where)

    def _replace(self, kind: str, rows: Sequence[Row], schema: pa.Schema, where: Sequence[Condition]) -> None:
        import pyarrow as pa

        table = pa.Table.from_pylist([dict(row) for row in rows], schema=schema)
        self.context.backend.tables.replace(self.context.monitor.metric_table(kind), table, where=where)

    def _profile_schema(self) -> pa.Schema:
        from lakemon_core.lifecycle.measuring.fairness import fairness_fields
        from lakemon_core.profiling.schemas import profile_schema

        model_type = self.context.model_type
        fair = fairness_fields() if model_type.problem_type == "CLASSIFICATION" else []
        ours = profile_schema(self.context.roles.model_id, [*model_type.quality_fields(), *fair])
        return _widened(ours, self.profile, self.custom.fields(drift=False))

    def _drift_schema(self) -> pa.Schema:
        from lakemon_core.profiling.schemas import drift_schema

        ours = drift_schema(self.context.roles.model_id)
        return _widened(ours, self.drift, self.custom.fields(drift=True))


def _widened(
    ours: pa.Schema, theirs: pa.Schema | None, custom: Sequence[tuple[str, pa.DataType]]
) -> pa.Schema:
    """Returns our columns, then those that only the lake has, then custom metrics that it leaves to us."""
    import pyarrow as pa

    found = {field.name: field for field in ours}
    for field in (*(theirs or ()), *(pa.field(*one) for one in custom)):
        found.setdefault(field.name, field)
    return pa.schema(list(found.values()))
