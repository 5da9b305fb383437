"""How Arrow columns become columns of a Delta table: never with loss, never silently.

A lake casts what it is given to the types of the table, also 1.5 to 1. So every batch is fitted here first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from lakemon_core.domain.errors import DataError, did_you_mean
from lakemon_core.domain.names import plain

UTC_MICROSECONDS = pa.timestamp("us", "UTC")
_SIGNED_FOR = {
    pa.uint8(): pa.int16(),
    pa.uint16(): pa.int32(),
    pa.uint32(): pa.int64(),
    pa.uint64(): pa.int64(),
    pa.float16(): pa.float32(),
}
_STORED_AS_THEY_ARE = (
    pa.types.is_null,
    pa.types.is_boolean,
    pa.types.is_signed_integer,
    pa.types.is_floating,
    pa.types.is_date32,
)
_NAMES: dict[pa.DataType, str] = {
    pa.bool_(): "boolean",
    pa.int8(): "tinyint",
    pa.int16(): "smallint",
    pa.int32(): "int",
    pa.int64(): "bigint",
    pa.float32(): "float",
    pa.float64(): "double",
    pa.date32(): "date",
    pa.null(): "void",
    UTC_MICROSECONDS: "timestamp",
}


class NotStorable(ValueError):
    """A type that has no place in a Delta table; the message says which and why."""


def type_name(kind: pa.DataType) -> str:
    """Returns a type in the words of Spark, e.g. `bigint`; others as Arrow writes them."""
    if pa.types.is_decimal(kind):
        return f"decimal({kind.precision},{kind.scale})"
    return _NAMES.get(kind, str(kind))


def stored_type(kind: pa.DataType) -> pa.DataType:
    """Returns the type in which a Delta table holds an Arrow type without loss.

    Timestamps are microseconds in UTC, unsigned integers the next larger signed ones, dictionaries and views
    their plain values. Whether single values fit, e.g. a uint64 above the largest bigint, shows on writing.

    Raises:
        NotStorable: for a type that has no counterpart, e.g. a duration.
    """
    if isinstance(kind, pa.BaseExtensionType):
        return stored_type(kind.storage_type)
    if pa.types.is_dictionary(kind) or pa.types.is_run_end_encoded(kind):
        return stored_type(kind.value_type)
    if kind in _SIGNED_FOR:
        return _SIGNED_FOR[kind]
    if any(test(kind) for test in _STORED_AS_THEY_ARE):
        return kind
    if pa.types.is_timestamp(kind):
        return UTC_MICROSECONDS
    if pa.types.is_date(kind):
        return pa.date32()
    if pa.types.is_decimal(kind):
        return _stored_decimal(kind)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return pa.string()
    if _is_binary(kind):
        return pa.binary()
    return _stored_nested(kind)


def _is_binary(kind: pa.DataType) -> bool:
    return (
        pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_binary_view(kind)
        or pa.types.is_fixed_size_binary(kind)
    )


def _stored_decimal(kind: pa.DataType) -> pa.DataType:
    if kind.precision > 38:
        raise NotStorable(f"{type_name(kind)} has more than 38 digits")
    return pa.decimal128(kind.precision, kind.scale)


def _stored_nested(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_map(kind):
        return pa.map_(stored_type(kind.key_type), stored_type(kind.item_type))
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return pa.list_(pa.field("element", stored_type(kind.value_type)))
    if pa.types.is_struct(kind):
        return pa.struct([pa.field(field.name, stored_type(field.type)) for field in kind])
    raise NotStorable(f"{kind} has no counterpart in a Delta table")


@dataclass(frozen=True, slots=True)
class Fit:
    """How incoming batches become rows of a table.

    Attributes:
        table: where they go; for messages.
        schema: the columns that are written: those of the table in its order, then the new ones.
        added: the new columns; they are nullable.
    """

    table: str
    schema: pa.Schema
    added: tuple[pa.Field, ...]

    def batches(self, incoming: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Turns batches into the schema; columns that are missing are filled with null.

        Raises:
            DataError: LM303 for a value that does not fit.
        """
        for batch in incoming:
            columns = [self._column(batch, field) for field in self.schema]
            yield pa.record_batch(columns, schema=self.schema)

    def rows(self, incoming: pa.Table) -> pa.Table:
        """Turns a table into the schema, as `batches` does."""
        return pa.Table.from_batches(self.batches(incoming.to_batches()), schema=self.schema)

    def _column(self, batch: pa.RecordBatch, field: pa.Field) -> pa.Array:
        at = batch.schema.get_field_index(field.name)
        if at < 0:
            return pa.nulls(batch.num_rows, field.type)
        try:
            return _converted(batch.column(at), field.type)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise self._misfit(batch.schema.field(at), field, str(error)) from error

    def _misfit(self, given: pa.Field, field: pa.Field, detail: str) -> DataError:
        return DataError(
            "LM303",
            f"column {plain(field.name)!r} comes as {type_name(given.type)} and holds a value that does not"
            f" fit {type_name(field.type)} ({detail.splitlines()[0]});",
            where=self.table,
            cure="nothing is cast with loss: convert the column before.",
        )


def fit(incoming: pa.Schema, table: pa.Schema | None, where: str) -> Fit:
    """Plans how rows of one schema are written into a table.

    A column without a type (all null) takes the table's type; a new one is left out until it has values. An
    integer may become a wider one or a floating-point number, a float a double, a date a timestamp; narrower
    integers are checked value by value.

    Args:
        incoming: schema of the rows.
        table: schema of the table; None for a table to be made.
        where: name of the table, for messages.

    Raises:
        DataError: LM303 for a column whose type does not fit, LM311 for names that are doubled or differ only
            in case, LM315 for a missing column that the table demands.
    """
    _check_names(incoming, table, where)
    known = {field.name: field for field in table} if table is not None else {}
    added: list[pa.Field] = []
    for field in incoming:
        kind = _stored(field, where)
        if field.name in known:
            _check_fits(field, kind, known[field.name].type, where)
        elif not pa.types.is_null(kind):
            added.append(pa.field(field.name, kind))
    if not known and not added:
        cure = "give it at least one column with values."
        raise DataError("LM303", "no column has a type, so no table can be made;", where=where, cure=cure)
    for name, field in known.items():
        if not field.nullable and incoming.get_field_index(name) < 0:
            raise DataError(
                "LM315", f"column {plain(name)!r} is missing, and it may not be null;", where=where
            )
    return Fit(where, pa.schema([*known.values(), *added]), tuple(added))


def _stored(field: pa.Field, where: str) -> pa.DataType:
    try:
        return stored_type(field.type)
    except NotStorable as error:
        raise DataError(
            "LM303",
            f"column {plain(field.name)!r} cannot be stored: {error};",
            where=where,
            cure="convert it to a number or text, or leave it out: `table import --leave-out COLUMN`.",
        ) from error


def _check_fits(field: pa.Field, given: pa.DataType, wanted: pa.DataType, where: str) -> None:
    if not _fits(given, wanted):
        raise DataError(
            "LM303",
            f"column {plain(field.name)!r} comes as {type_name(given)}, but is {type_name(wanted)} there;",
            where=where,
            cure="nothing is cast with loss: convert the column before, or write to another table.",
        )


def _fits(given: pa.DataType, wanted: pa.DataType) -> bool:
    """Whether values of one stored type may go into a column of another; integers are checked by value."""
    if given == wanted or pa.types.is_null(given):
        return True
    if pa.types.is_integer(given):
        return pa.types.is_integer(wanted) or pa.types.is_floating(wanted) or pa.types.is_decimal(wanted)
    if pa.types.is_floating(given):
        return pa.types.is_float64(wanted)
    if pa.types.is_decimal(given):
        return pa.types.is_decimal(wanted)
    if pa.types.is_date(given):
        return pa.types.is_timestamp(wanted)
    return _nested_fits(given, wanted)


def _nested_fits(given: pa.DataType, wanted: pa.DataType) -> bool:
    if pa.types.is_map(given) and pa.types.is_map(wanted):
        return _fits(given.key_type, wanted.key_type) and _fits(given.item_type, wanted.item_type)
    if pa.types.is_list(given) and pa.types.is_list(wanted):
        return _fits(given.value_type, wanted.value_type)
    if pa.types.is_struct(given) and pa.types.is_struct(wanted):
        known = {field.name: field.type for field in wanted}
        return all(field.name in known and _fits(field.type, known[field.name]) for field in given)
    return False


def _check_names(incoming: pa.Schema, table: pa.Schema | None, where: str) -> None:
    spelt = {name.casefold(): name for name in (table.names if table is not None else [])}
    seen: set[str] = set()
    for name in incoming.names:
        folded = name.casefold()
        if folded in seen or spelt.get(folded, name) != name:
            twin = spelt.get(folded) or next(other for other in incoming.names if other.casefold() == folded)
            what = "comes twice" if twin == name else f"differs only in case from {plain(twin)!r}"
            raise DataError(
                "LM311",
                f"column {plain(name)!r} {what};",
                where=where,
                cure="rename or leave out one of them (`table import --leave-out COLUMN`):"
                " Delta tables do not tell names apart by case.",
            )
        seen.add(folded)


def _converted(column: pa.Array, wanted: pa.DataType) -> pa.Array:
    if isinstance(column, pa.ExtensionArray):
        column = column.storage
    if pa.types.is_run_end_encoded(column.type):
        column = pc.run_end_decode(column)
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_timestamp(column.type) and column.type.unit == "ns":
        # In UTC first: where clocks go back, what is floored in local time is ambiguous.
        column = pc.floor_temporal(
            column.cast(pa.timestamp("ns", column.type.tz and "UTC")), unit="microsecond"
        )
    if pa.types.is_integer(column.type) and pa.types.is_decimal(wanted):
        column = column.cast(pa.decimal128(38, 0))
    return column.cast(wanted)


def readable(schema: pa.Schema) -> pa.Schema:
    """Returns a table's schema as rows are handed out: plain types, timestamps in UTC, no metadata."""
    return pa.schema([pa.field(field.name, _readable(field.type), field.nullable) for field in schema])


def _readable(kind: pa.DataType) -> pa.DataType:
    try:
        return stored_type(kind)
    except NotStorable:
        return kind


def check_columns(wanted: Iterable[str], schema: pa.Schema, where: str) -> None:
    """Looks whether a table has all the columns.

    Raises:
        DataError: LM302 for the first that is missing, with the nearest name.
    """
    known = set(schema.names)
    for column in wanted:
        if column not in known:
            raise DataError(
                "LM302",
                f"column {plain(column)!r} is not there;",
                where=where,
                cure=did_you_mean(column, schema.names),
            )


def narrowest(schema: pa.Schema) -> str:
    """Returns the column that is cheapest to read, for those who only count rows."""

    def bits(field: pa.Field) -> int:
        return field.type.bit_width if pa.types.is_primitive(field.type) else 1 << 16

    return min(schema, key=bits).name


def with_views(schema: pa.Schema, raw: pa.Schema) -> pa.Schema:
    """Returns a schema whose texts are views where they come as such."""

    def kind(field: pa.Field) -> pa.DataType:
        given = raw.field(field.name).type
        return given if pa.types.is_string_view(given) else field.type

    return pa.schema([field.with_type(kind(field)) for field in schema])


def plain_stream(
    raw: pa.RecordBatchReader, schema: pa.Schema, explain: Callable[[BaseException], BaseException]
) -> pa.RecordBatchReader:
    """Streams batches as `schema` has them; what goes wrong underway goes through `explain`.

    A column that is of its type already is handed on as it is.
    """
    places = [raw.schema.get_field_index(name) for name in schema.names]

    def batches() -> Iterator[pa.RecordBatch]:
        try:
            for batch in raw:
                columns = [batch.column(place) for place in places]
                pairs = zip(columns, schema.types, strict=True)
                plain = [column if column.type == kind else column.cast(kind) for column, kind in pairs]
                yield pa.RecordBatch.from_arrays(plain, schema=schema)
        except pa.ArrowException as error:
            raise explain(error) from error

    return pa.RecordBatchReader.from_batches(schema, batches())
