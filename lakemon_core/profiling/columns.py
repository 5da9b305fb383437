"""One column of one group of rows, summarized: all statistics follow from its summary."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TypeVar

import pyarrow as pa

from lakemon_core.profiling.categorical.summary import (
    CategoricalSummary,
    Lengths,
    merged_categories,
    summarize_categories,
    summarize_codes,
)
from lakemon_core.profiling.categorical.vocabulary import Vocabulary
from lakemon_core.profiling.kinds import Kind, kind_of, spark_type, unsupported_reason
from lakemon_core.profiling.numeric.summary import NumericSummary, summarize_number_parts, summarize_numbers
from lakemon_core.profiling.parts import Parts, some_rows
from lakemon_core.profiling.timestamps import TimestampSummary, summarize_timestamps

__all__ = [
    "CategoricalSummary",
    "Kind",
    "Lengths",
    "NumericSummary",
    "Summary",
    "TimestampSummary",
    "kind_of",
    "spark_type",
    "summarize",
    "summarize_groups",
    "unsupported_reason",
]

Column = pa.Array | pa.ChunkedArray

Summary = NumericSummary | CategoricalSummary | TimestampSummary
Members = tuple[int, ...]
Part = TypeVar("Part")


def summarize(column: Column, kind: Kind) -> Summary:
    """Summarizes one column of one group of rows.

    Args:
        column: Arrow array or chunked array, plain or dictionary-encoded.
        kind: from `kind_of`; CATEGORICAL and BOOLEAN take every type that is measured, by its text form.

    Raises:
        ValueError: for UNSUPPORTED.
    """
    if kind is Kind.UNSUPPORTED:
        raise ValueError(unsupported_reason(column.type))
    if kind is Kind.NUMERIC:
        return summarize_numbers(_decoded(column))
    if kind is Kind.TIMESTAMP:
        return summarize_timestamps(_decoded(column))
    return summarize_categories(column)


def summarize_groups(
    column: pa.ChunkedArray,
    kind: Kind,
    parts: Parts,
    groups: Sequence[Members],
    vocabulary: Vocabulary,
) -> Sequence[Summary]:
    """Summarizes one column of a table in many groups of its rows.

    Args:
        column: of the table.
        kind: as for `summarize`.
        parts: of the table.
        groups: the parts that make up each group.
        vocabulary: of the column, used where it is measured as categories.

    Raises:
        ValueError: for UNSUPPORTED.
    """
    if kind is Kind.NUMERIC:
        return _merged(summarize_number_parts(_decoded(column), parts), groups, NumericSummary.merged)
    if kind in {Kind.CATEGORICAL, Kind.BOOLEAN}:
        codes = parts.arranged(vocabulary.encode(column))
        of_parts = [summarize_codes(codes[span], vocabulary) for span in parts.spans()]
        return _merged(of_parts, groups, merged_categories)
    return [summarize(some_rows(column, parts.rows(members)), kind) for members in groups]


def _merged(
    of_parts: Sequence[Part], groups: Sequence[Members], merge: Callable[[Sequence[Part]], Part]
) -> list[Part]:
    found: dict[Members, Part] = {(number,): part for number, part in enumerate(of_parts)}
    for members, ready in _recipes(tuple(dict.fromkeys(groups))):
        found[members] = merge([found[one] for one in ready])
    return [found[members] for members in groups]


@lru_cache(maxsize=16)
def _recipes(groups: tuple[Members, ...]) -> list[tuple[Members, list[Members]]]:
    """Returns each group of several parts with the fewer, smaller groups that it is made of, these first."""
    found: list[tuple[Members, list[Members]]] = []
    for members in sorted((one for one in groups if len(one) > 1), key=len):
        missing, ready = set(members), list[Members]()
        for smaller, _ in reversed(found):
            if missing.issuperset(smaller):
                missing.difference_update(smaller)
                ready.append(smaller)
        found.append((members, [*ready, *((part,) for part in sorted(missing))]))
    return found


def _decoded(column: Column) -> Column:
    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column
