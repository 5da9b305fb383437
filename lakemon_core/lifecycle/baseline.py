"""The baseline: reference data, measured once with the columns of the inference table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lakemon_core.domain.names import TableName
from lakemon_core.hookspecs import RunContext

if TYPE_CHECKING:
    from lakemon_core.profiling.measure import ColumnPlan, Group


@dataclass(frozen=True, slots=True)
class Baseline:
    """The baseline table, pinned to a version; without a name there is none. `measured` is filled once."""

    name: TableName | None
    version: int | None
    measured: dict[str, Group] = field(default_factory=dict, compare=False)

    @classmethod
    def of(cls, context: RunContext) -> Baseline:
        """Finds the baseline of the config.

        Raises:
            DataError: LM301 when the config names a table that is not there.
        """
        name = context.monitor.monitoring.baseline_table
        if name is None:
            return cls(None, None)
        return cls(name, context.backend.tables.info(name).version)


def measure_baseline(context: RunContext, baseline: Baseline, plan: ColumnPlan) -> Mapping[str, Group]:
    """Returns the baseline's groups by model id, `*` for all together; empty without a baseline.

    Columns that the baseline lacks are left out, as are those of another kind than in the inference table.
    """
    from lakemon_core.profiling.measure import GroupKey, measure, plan_columns, split_models

    if baseline.name is None or baseline.measured:
        return baseline.measured
    tables = context.backend.tables
    info = tables.info(baseline.name)
    roles = context.roles
    own = plan_columns(info.schema, roles).keep(plan)
    names = info.schema.names
    quality = context.model_type.quality if {roles.label, roles.prediction} <= set(names) else None
    model_id = roles.model_id if roles.model_id in names else None
    read = context.model_type.quality_columns()
    played = (roles.prediction, roles.prediction_proba, roles.label, model_id, *read)
    parts = [column.name for column in own.columns]
    parts += [part for part in played if part is not None and part in names]
    context.progress.update(f"measuring the baseline {baseline.name}")
    rows = tables.scan(baseline.name, columns=list(dict.fromkeys(parts)), version=baseline.version).read_all()
    context.model_type.fit_baseline(rows)
    for model, group_rows in split_models(rows, model_id):
        key = GroupKey(None, None, model, None, None, "BASELINE")
        baseline.measured[model] = measure(group_rows, key, own, quality)
    return baseline.measured
