"""The baseline: reference data, measured once with the columns of the inference table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from lakemon_core.domain.errors import DataError
from lakemon_core.domain.names import TableName
from lakemon_core.hookspecs import RunContext
from lakemon_core.lifecycle.measuring.groups import Measured, Ruler, quality_columns
from lakemon_core.lifecycle.measuring.slices import Series, Slicing

Groups = Mapping[Series, Measured]


@dataclass(frozen=True, slots=True)
class Baseline:
    """The baseline table, pinned to a version; without a name there is none. `measured` is filled in time."""

    name: TableName | None
    version: int | None
    measured: dict[Slicing, Groups] = field(default_factory=dict[Slicing, Groups], compare=False)

    @classmethod
    def of(cls, context: RunContext) -> Baseline:
        """Finds the baseline of the config.

        Raises:
            DataError: LM301 when the config names a table that is not there, LM314 for an unknown version.
        """
        name = context.monitor.monitoring.baseline_table
        if name is None:
            return cls(None, None)
        newest, pinned = (
            context.backend.tables.info(name).version,
            context.monitor.monitoring.baseline_version,
        )
        if pinned is not None and pinned > newest:
            raise DataError(
                "LM314",
                f"{name} has no version {pinned}; the newest is {newest};",
                where="monitoring.baseline_version",
                cure="correct the number, or leave it out to take the newest.",
            )
        return cls(name, newest if pinned is None else pinned)


def measure_baseline(context: RunContext, baseline: Baseline, ruler: Ruler) -> Groups:
    """Returns the baseline's groups by model id, `*` for all together, and slice; empty without a baseline.

    Columns that the baseline lacks are left out, as are those of another kind than in the inference table,
    and slices whose columns it lacks.
    """
    from lakemon_core.profiling.measure import ALL_MODELS, GroupKey, plan_columns

    if baseline.name is None:
        return {}
    if ruler.slicing in baseline.measured:
        return baseline.measured[ruler.slicing]
    tables = context.backend.tables
    schema = tables.scan(baseline.name, version=baseline.version).schema
    roles, model_type = context.roles, context.model_type
    names = schema.names
    quality = quality_columns(context, names)
    own = replace(
        ruler,
        plan=plan_columns(schema, roles).keep(ruler.plan),
        quality=model_type.quality if quality else None,
        quality_columns=quality,
        slicing=ruler.slicing.within(names),
    )
    model_id = roles.model_id if roles.model_id in names else None
    played = (roles.prediction, roles.prediction_proba, roles.label, model_id, *model_type.quality_columns())
    wanted = [*(column.name for column in own.plan.columns), *played, *own.columns]
    parts = [part for part in dict.fromkeys(wanted) if part is not None and part in names]
    context.progress.update(f"measuring the baseline {baseline.name}")
    reader = tables.scan(baseline.name, columns=parts, version=baseline.version, views=True)
    rows = ruler.vocabularies.encoded(reader.read_all())
    model_type.fit_baseline(rows)
    key = GroupKey(None, None, ALL_MODELS, None, None, "BASELINE")
    (groups,) = own.measure(rows, [key], model_id)
    measured = {one.series: one for one in groups}
    return baseline.measured.setdefault(ruler.slicing, measured)
