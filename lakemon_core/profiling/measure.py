"""One group of rows to its metric rows: plan the columns, summarize them, write profile and drift."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from typing import NamedTuple, Protocol, TypeVar

import pyarrow as pa

from lakemon_core.domain.errors import did_you_mean
from lakemon_core.domain.monitor import Roles
from lakemon_core.domain.window import Window
from lakemon_core.profiling.categorical.vocabulary import Vocabularies
from lakemon_core.profiling.column_source import Columns
from lakemon_core.profiling.columns import Summary, summarize_groups
from lakemon_core.profiling.drift import column_drifts, table_drift_values, unavailable
from lakemon_core.profiling.kinds import Kind, kind_of, spark_type, unsupported_reason
from lakemon_core.profiling.layout import ALL_MODELS, Members, Place, Section, split_models
from lakemon_core.profiling.parts import Parts, group_tables, some_rows
from lakemon_core.profiling.profile import METHOD, profile_values, table_values

__all__ = [
    "ALL_MODELS",
    "TABLE",
    "ColumnPlan",
    "Comparison",
    "Group",
    "GroupKey",
    "PlannedColumn",
    "Quality",
    "drift_rows",
    "each_group",
    "filled",
    "groups_together",
    "measure",
    "plan_columns",
    "profile_rows",
    "split_models",
    "summarize_section",
]

TABLE = ":table"
"""`column_name` of the row about the whole table."""

_WORKERS = max(1, min(4, (os.cpu_count() or 1) - 1))
"""Threads that summarize columns; one core is left to what compares and writes meanwhile."""

Row = dict[str, object]
Item = TypeVar("Item")
Result = TypeVar("Result")


class PlannedColumn(NamedTuple):
    """A column that is measured: its name, how, and the Spark name of its type."""

    name: str
    kind: Kind
    data_type: str


@dataclass(frozen=True, slots=True)
class ColumnPlan:
    """Which columns are measured, in the order of the table, and which are not, by name with the reason."""

    columns: tuple[PlannedColumn, ...]
    skipped: Mapping[str, str]

    def keep(self, other: ColumnPlan) -> ColumnPlan:
        """Returns this plan for the columns of another one only; what is a category there is one here."""
        kinds = {column.name: column.kind for column in other.columns}
        kept = (column for column in self.columns if column.name in kinds)
        return replace(self, columns=tuple(_as_in(column, kinds[column.name]) for column in kept))


def _as_in(column: PlannedColumn, kind: Kind) -> PlannedColumn:
    return column._replace(kind=kind) if kind in {Kind.CATEGORICAL, Kind.BOOLEAN} else column


class Quality(Protocol):
    """What `ModelType.quality` answers; `lakemon_core.ports.QualityResult` is one."""

    @property
    def values(self) -> Mapping[str, object]:
        """Profile column → value."""
        ...

    @property
    def n(self) -> int:
        """Rows with a label."""
        ...

    @property
    def rows(self) -> int:
        """All rows."""
        ...

    @property
    def reasons(self) -> Mapping[str, str]:
        """Profile column → why its value is None."""
        ...

    @property
    def intervals(self) -> Mapping[str, tuple[float, float]]:
        """Metric name → 95 % interval."""
        ...

    @property
    def counts(self) -> Mapping[str, int]:
        """Metric name → rows its value rests on, where that is not `n`."""
        ...


@dataclass(frozen=True, slots=True)
class GroupKey:
    """Which rows a group holds.

    Attributes:
        window: None for the baseline.
        granularity: of the window; None for the baseline.
        model_id: a version, or `*` for all together.
        slice_key: SQL of the slice; None for the whole table.
        slice_value: value of the slice.
        log_type: INPUT or BASELINE.
    """

    window: Window | None
    granularity: str | None
    model_id: str
    slice_key: str | None
    slice_value: str | None
    log_type: str


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """One measured group.

    Attributes:
        key: which rows these are.
        rows: how many.
        columns: the summary of every planned column that they have.
        plan: the columns.
        filled: columns with at least one value; those that were measured at another time are among them.
        quality: of the predictions, where it was asked for.
    """

    key: GroupKey
    rows: int
    columns: Mapping[str, Summary]
    plan: ColumnPlan
    filled: tuple[str, ...]
    quality: Quality | None = None


def plan_columns(schema: pa.Schema, roles: Roles) -> ColumnPlan:
    """Decides which columns are measured: features, prediction, probability (when a number) and label.

    A column that a role names but the table lacks, or whose type is not measured, is skipped with its reason.
    """
    named = [*roles.features, *roles.predicted, *filter(None, [roles.label])]
    wanted = dict.fromkeys([*roles.feature_columns(schema.names), *named])
    names = schema.names
    known = set(names)
    skipped = {name: _missing(name, names) for name in wanted if name not in known}
    columns: list[PlannedColumn] = []
    for field in schema:
        if field.name not in wanted:
            continue
        kind = kind_of(field.type, categorical=field.name in roles.categorical)
        if kind is Kind.UNSUPPORTED:
            skipped[field.name] = unsupported_reason(field.type)
        else:
            columns.append(PlannedColumn(field.name, kind, spark_type(field.type)))
    return ColumnPlan(tuple(columns), skipped)


def _missing(name: str, known: Collection[str]) -> str:
    return f"the table has no column {name!r}. {did_you_mean(name, list(known))}".strip()


def measure(
    rows: pa.Table, key: GroupKey, plan: ColumnPlan, quality: Callable[[pa.Table], Quality] | None = None
) -> Group:
    """Measures all rows of a table as one group.

    Args:
        rows: the rows of the group; planned columns that they lack are left out.
        key: which rows these are.
        plan: the columns.
        quality: `ModelType.quality`; None leaves it out.
    """
    place = Place(0, key.model_id, key.slice_key, key.slice_value)
    section = Section(Parts.whole(len(rows)), {place: (0,)})
    columns = summarize_section(rows, section, plan, Vocabularies())[place]
    return Group(key, len(rows), columns, plan, filled(columns), quality(rows) if quality else None)


def filled(columns: Mapping[str, Summary]) -> tuple[str, ...]:
    """Returns the columns with at least one value."""
    return tuple(name for name, summary in columns.items() if summary.count)


def summarize_section(
    rows: Columns, section: Section, plan: ColumnPlan, vocabularies: Vocabularies
) -> dict[Place, dict[str, Summary]]:
    """Summarizes every planned column of every group of a section, columns side by side.

    Args:
        rows: of the table; planned columns that they lack are left out.
        section: its groups.
        plan: the columns.
        vocabularies: of the columns that are measured as categories.
    """
    names = set(rows.column_names)
    present = [column for column in plan.columns if column.name in names]
    groups = list(section.groups.values())

    def work(planned: PlannedColumn) -> Sequence[Summary]:
        column = rows.column(planned.name)
        vocabulary = vocabularies.of(planned.name, column.type)
        return summarize_groups(column, _kind(column, planned.kind), section.parts, groups, vocabulary)

    by_column = _side_by_side(work, present)
    return {
        place: {planned.name: found[number] for planned, found in zip(present, by_column, strict=True)}
        for number, place in enumerate(section.groups)
    }


def each_group(
    rows: pa.Table, section: Section, columns: Collection[str], work: Callable[[pa.Table], Result]
) -> dict[Place, Result]:
    """Returns what a function says of the rows of every group; see `groups_together`.

    Args:
        rows: of the table.
        section: its groups.
        columns: that the function reads; those that the rows lack are left out.
        work: the function.
    """

    def each(ordered: pa.Table, parts: Sequence[slice], groups: Sequence[Members]) -> list[Result]:
        return [work(whole) for whole in group_tables(ordered, parts, groups)]

    return groups_together(rows, section, columns, each)


def groups_together(
    rows: pa.Table,
    section: Section,
    columns: Collection[str],
    work: Callable[[pa.Table, Sequence[slice], Sequence[Members]], Sequence[Result]],
) -> dict[Place, Result]:
    """Returns what a function says of all groups; those of the same rows share the answer.

    Args:
        rows: of the table.
        section: its groups.
        columns: that the function reads; those that the rows lack are left out.
        work: gets the rows part after part, where each part is among them, and of each group the numbers of
            its parts; returns one answer a group.
    """
    picked = rows.select([name for name in dict.fromkeys(columns) if name in rows.schema.names])
    order = section.parts.order
    ordered = picked if order is None else some_rows(picked, order)
    parts = [slice(start, stop) for start, stop in pairwise(section.parts.bounds.tolist())]
    groups = list(dict.fromkeys(section.groups.values()))
    found = dict(zip(groups, work(ordered, parts, groups), strict=True))
    return {place: found[members] for place, members in section.groups.items()}


def _side_by_side(work: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    """Returns the work on each item, in order; the work may not ask for more threads itself."""
    return list(_pool().map(work, items)) if _WORKERS > 1 else [work(item) for item in items]


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_WORKERS, thread_name_prefix="lakemon-measures")


def _kind(column: pa.ChunkedArray, kind: Kind) -> Kind:
    """A column is measured as planned, or by its own type where it is no number or time in these rows."""
    return kind if kind in {Kind.CATEGORICAL, Kind.BOOLEAN} else kind_of(column.type)


def profile_rows(
    group: Group, model_id_column: str, *, table_version: int | None = None, config_hash: str = ""
) -> list[Row]:
    """Returns the profile rows of a group: `:table` with its quality, then one a column."""
    stamp: Row = {"table_version": table_version, "config_hash": config_hash, "method": METHOD}
    place = _place(group.key, model_id_column) | {"log_type": group.key.log_type}
    table: Row = place | {"column_name": TABLE} | table_values(group.rows, group.filled)
    if group.quality is not None:
        ends = {name: {"lower": low, "upper": high} for name, (low, high) in group.quality.intervals.items()}
        table |= {**group.quality.values, "reasons": dict(group.quality.reasons), "intervals": ends}
        table |= {"counts": dict(group.quality.counts)}
    rows = [table | stamp]
    for name, _, data_type in _measured(group):
        values = profile_values(group.columns[name])
        rows.append(place | {"column_name": name, "data_type": data_type} | values | stamp)
    return rows


class Comparison(NamedTuple):
    """A group and its reference: the baseline, or earlier windows; it gives the bins.

    `drift_type` is BASELINE, CONSECUTIVE (the window just before), or the name of another reference.
    """

    group: Group
    reference: Group
    drift_type: str


def drift_rows(
    comparisons: Sequence[Comparison],
    model_id_column: str,
    *,
    smoothing: str = "add_half",
    table_version: int | None = None,
    config_hash: str = "",
) -> list[list[Row]]:
    """Returns the drift rows of each comparison: `:table`, then one a column.

    All are compared together, on one thread: comparing is many short steps, and threads would only wait for
    each other's interpreter lock.

    Args:
        comparisons: best those of one window.
        model_id_column: name of the model id column.
        smoothing: of PSI, `add_half` or `clip`.
        table_version: of the inference table.
        config_hash: config it was measured with.
    """
    found = _drifts(comparisons, smoothing)
    stamp: Row = {"table_version": table_version, "config_hash": config_hash}
    lists: list[list[Row]] = []
    for number, (group, reference, drift_type) in enumerate(comparisons):
        compared = None if drift_type == "BASELINE" else reference.key.window
        place = _place(group.key, model_id_column)
        place |= {"drift_type": drift_type, "window_cmp": _span(compared)}
        table = table_drift_values(group.rows, reference.rows, group.filled, reference.filled)
        rows = [place | {"column_name": TABLE} | table | stamp]
        for name, _, data_type in _measured(group):
            values = found[name, number]
            rows.append(place | {"column_name": name, "data_type": data_type} | values | stamp)
        lists.append(rows)
    return lists


def _drifts(comparisons: Sequence[Comparison], smoothing: str) -> dict[tuple[str, int], Row]:
    """Returns the drift of each column in each comparison, by its number.

    Column after column, so that a reference which several groups share stays in the cache of the core.
    """
    found: dict[tuple[str, int], Row] = {}
    pairs: dict[tuple[str, int], tuple[Summary, Summary]] = {}
    for name in dict.fromkeys(name for one in comparisons for name in one.group.columns):
        for number, (group, reference, _) in enumerate(comparisons):
            current, then = group.columns.get(name), reference.columns.get(name)
            if current is not None and then is not None:
                pairs[name, number] = current, then
            elif current is not None:
                found[name, number] = unavailable(current, "the reference has no such column")
    drifts = column_drifts(list(pairs.values()), smoothing=smoothing)
    return found | dict(zip(pairs, drifts, strict=True))


def _measured(group: Group) -> Iterable[PlannedColumn]:
    return (column for column in group.plan.columns if column.name in group.columns)


def _place(key: GroupKey, model_id_column: str) -> Row:
    return {
        "window": _span(key.window),
        "granularity": key.granularity,
        model_id_column: key.model_id,
        "slice_key": key.slice_key,
        "slice_value": key.slice_value,
    }


def _span(window: Window | None) -> dict[str, object] | None:
    return {"start": window.start, "end": window.end} if window else None
