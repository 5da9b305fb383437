"""The baseline: reference data, measured once with the columns of the inference table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from lakemon_core.domain.errors import DataError
from lakemon_core.domain.names import TableName
from lakemon_core.hookspecs import RunContext
from lakemon_core.lifecycle.due import definition_of
from lakemon_core.lifecycle.measuring.groups import Measured, Ruler, quality_columns
from lakemon_core.lifecycle.measuring.memory import give_back
from lakemon_core.lifecycle.measuring.slices import Series, Slicing, series_of
from lakemon_core.ports import ModelType

if TYPE_CHECKING:
    import pyarrow as pa

    from lakemon_core.lifecycle.keeping.kept import Kept
    from lakemon_core.profiling.measure import PlannedColumn

Groups = Mapping[Series, Measured]
Part = tuple[Slicing, tuple["PlannedColumn", ...], bool]
"""Slices and columns of one turn, and whether profile rows are written of it."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """The baseline table, pinned to a version; without a name there is none.

    `measured` holds what was measured last: the next length of windows has the same groups, as a rule.
    `unwritten` keeps it for the next run.
    """

    name: TableName | None
    version: int | None
    measured: dict[Part, Groups] = field(default_factory=dict["Part", Groups], compare=False)
    unwritten: list[Callable[[], None]] = field(default_factory=list[Callable[[], None]], compare=False)

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

    def keep(self) -> None:
        """Keeps what was measured, with what comparing has found of it since."""
        while self.unwritten:
            self.unwritten.pop()()

    def rows(self, context: RunContext) -> int:
        """Returns how many rows the baseline has."""
        import pyarrow as pa

        if self.name is None:
            return 0
        tables = context.backend.tables
        schema = tables.info(self.name).schema
        small = [field.name for field in schema if pa.types.is_primitive(field.type)]
        columns = (small or schema.names)[:1]
        return sum(len(batch) for batch in tables.scan(self.name, columns=columns, version=self.version))


def measure_baseline(context: RunContext, baseline: Baseline, ruler: Ruler, *, told: bool) -> Groups:
    """Returns the baseline's groups by model id, `*` for all together, and slice; empty without a baseline.

    Columns that the baseline lacks are left out, as are those of another kind than in the inference table,
    and slices whose columns it lacks.

    Args:
        context: names tables and columns.
        baseline: the table; it keeps the groups until others are asked for.
        ruler: of one turn of columns; model types learn from the baseline's rows in the last turn only.
        told: whether profile rows are written of it; else it is only a reference, see `Ruler.measure`.
    """
    if baseline.name is None:
        return {}
    part = ruler.slicing, ruler.plan.columns, told
    for known in ((*part[:2], True), part):
        if known in baseline.measured:
            return baseline.measured[known]
    baseline.measured.clear()
    context.progress.update(f"measuring the baseline {baseline.name}")
    baseline.measured[part] = _measure(context, baseline, ruler, told=told)
    give_back()
    return baseline.measured[part]


def _measure(context: RunContext, baseline: Baseline, ruler: Ruler, *, told: bool) -> Groups:
    from lakemon_core.profiling.measure import ALL_MODELS, GroupKey, plan_columns

    tables, roles, model_type = context.backend.tables, context.roles, context.model_type
    name, version = baseline.name, baseline.version
    assert name is not None
    schema = tables.scan(name, version=version).schema
    names = schema.names
    quality = quality_columns(context, names) if ruler.whole else ()
    own = replace(
        ruler,
        plan=plan_columns(schema, roles).keep(ruler.plan),
        quality=model_type.quality_of_groups if quality else None,
        quality_columns=quality,
        slicing=ruler.slicing.within(names),
    )
    model_id = roles.model_id if roles.model_id in names else None
    kept = _kept(context, baseline, own, model_id)
    key = GroupKey(None, None, ALL_MODELS, None, None, "BASELINE")
    found = None if kept is None or told else kept.read(own.plan.columns, ruler.vocabularies)
    if found is not None:
        groups = (own.summarized(key, one.series, one.rows, one.columns) for one in found)
        return {series_of(group.key): Measured(group) for group in groups}
    played = (roles.prediction, roles.prediction_proba, roles.label, *model_type.quality_columns())
    wanted = [*(column.name for column in own.plan.columns), *own.columns, model_id]
    wanted += played if ruler.whole else ()
    parts = [column for column in dict.fromkeys(wanted) if column is not None and column in names]
    raw = tables.scan(name, columns=parts, version=version, views=True).read_all()
    rows = ruler.vocabularies.encoded(_with_flags(raw, own.plan.columns))
    if ruler.whole:
        model_type.fit_baseline(rows)
    (groups,) = own.measure(rows, [key], model_id, told=None if told else ())
    if kept is not None:
        baseline.unwritten.append(partial(kept.write, own.plan.columns, groups))
    return {one.series: one for one in groups}


def _with_flags(rows: pa.Table, columns: Iterable[PlannedColumn]) -> pa.Table:
    """Returns rows in which 0 and 1 are false and true where the inference table has Booleans.

    Many tools write flags as numbers. Columns with other numbers stay what they are.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    from lakemon_core.profiling.kinds import Kind

    for column in columns:
        values = rows.column(column.name)
        is_number = pa.types.is_integer(values.type) or pa.types.is_floating(values.type)
        if column.kind is not Kind.BOOLEAN or not is_number:
            continue
        if pc.all(pc.or_(pc.equal(values, 0), pc.equal(values, 1)), min_count=0).as_py():
            place = rows.schema.get_field_index(column.name)
            rows = rows.set_column(place, column.name, values.cast(pa.bool_()))
    return rows


def _kept(context: RunContext, baseline: Baseline, ruler: Ruler, model_id: str | None) -> Kept | None:
    """Returns where the groups of a turn are kept; None where they cannot be, or do not say enough.

    A model type may learn from the rows, and a metric of two groups may ask for the quality of both.
    """
    learns = type(context.model_type).fit_baseline is not ModelType.fit_baseline
    if (learns and ruler.whole) or ruler.custom.drifts or baseline.name is None or baseline.version is None:
        return None
    folder = context.backend.cache(baseline.name, baseline.version)
    if folder is None:
        return None
    from lakemon_core.lifecycle.keeping.kept import Kept

    definition = definition_of(context.monitor, context.roles, baseline.version)
    slices = [
        (one.key, one.translated.sql, one.values and sorted(one.values)) for one in ruler.slicing.slices
    ]
    return Kept.of(folder, [definition, slices, model_id])
