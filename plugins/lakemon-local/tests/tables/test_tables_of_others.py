"""Delta folders of other programs are read right, in place, and never written."""

import json
from datetime import UTC, date, datetime

import pyarrow as pa
import pytest

from lakemon_core.domain.errors import DataError
from lakemon_core.ports import Condition

DELETION_VECTORS = {
    "minReaderVersion": 3,
    "minWriterVersion": 7,
    "readerFeatures": ["deletionVectors"],
    "writerFeatures": ["deletionVectors"],
}
FEED = {"delta.enableChangeDataFeed": "true"}


@pytest.fixture
def with_deleted_rows(delta_folder, column, deleted_rows, numbers):
    files = [("a.parquet", numbers(0, 10), deleted_rows([1, 7])), ("b.parquet", numbers(10, 12), {})]
    return delta_folder(
        [column("n", "long")],
        files,
        protocol=DELETION_VECTORS,
        configuration={"delta.enableDeletionVectors": "true", **FEED},
    )


@pytest.fixture
def with_mapped_names(delta_folder, column):
    def mapped(name, kind, number):
        physical = {"delta.columnMapping.id": number, "delta.columnMapping.physicalName": f"col-{number}"}
        return column(name, kind, **physical)

    span = {"type": "struct", "fields": [mapped("start", "timestamp", 4)]}
    starts = pa.array([{"col-4": datetime(2026, 1, day, tzinfo=UTC)} for day in (1, 2)])
    rows = pa.table({"col-1": [1, 2], "col-2": ["x", "y"], "col-3": starts})
    return delta_folder(
        [mapped("id", "long", 1), mapped("new name", "string", 2), mapped("window", span, 3)],
        [("a.parquet", rows, {})],
        protocol={"minReaderVersion": 2, "minWriterVersion": 5},
        configuration={"delta.columnMapping.mode": "name", "delta.columnMapping.maxColumnId": "4", **FEED},
    )


def read(tables, name, column="n", where=()):
    ways = [
        tables.scan(name, columns=[column], where=where, views=views).read_all() for views in (False, True)
    ]
    plain, cheapest = (sorted(rows[column].to_pylist()) for rows in ways)
    assert plain == cheapest
    return plain


def test_rows_that_a_deletion_vector_hides_are_left_out(tables, name, with_deleted_rows):
    tables.register(name, with_deleted_rows)
    assert read(tables, name) == [0, 2, 3, 4, 5, 6, 8, 9, 10, 11]
    assert read(tables, name, where=[Condition("n", "in", (1, 2, 11))]) == [2, 11]
    assert tables.query("SELECT count(*) AS c, max(n) AS m FROM lab.air.flights").to_pylist() == [
        {"c": 10, "m": 11}
    ]


def test_columns_with_mapped_names_are_known_by_their_logical_names(tables, name, with_mapped_names):
    info = tables.register(name, with_mapped_names)
    assert info.schema.names == ["id", "new name", "window"]
    second = [Condition(("window", "start"), ">", datetime(2026, 1, 1, tzinfo=UTC))]
    assert read(tables, name, "new name", second) == ["y"]
    assert tables.query('SELECT "new name" AS a FROM lab.air.flights WHERE id = 1').to_pylist() == [
        {"a": "x"}
    ]


@pytest.mark.parametrize("kind", ["with_deleted_rows", "with_mapped_names"])
def test_a_table_whose_changes_cannot_be_told_right_says_so(tables, name, request, kind):
    info = tables.register(name, request.getfixturevalue(kind))
    assert tables.changes(name, since=-1, columns=info.schema.names[:1]) is None


def test_a_table_without_a_change_feed_says_so(tables, name, delta_folder, column, numbers):
    tables.register(name, delta_folder([column("n", "long")], [("a.parquet", numbers(0, 3), {})]))
    assert tables.changes(name, since=-1, columns=["n"]) is None


def test_a_column_that_came_later_is_null_in_older_files(tables, name, delta_folder, column):
    files = [
        ("a.parquet", pa.table({"n": [1]}), {}),
        ("b.parquet", pa.table({"late": ["x"], "n": [2]}), {}),
    ]
    tables.register(name, delta_folder([column("n", "long"), column("late", "string")], files))
    assert read(tables, name, "n", [Condition("late", "is null")]) == [1]
    assert read(tables, name, "late", [Condition("n", "=", 2)]) == ["x"]


def test_partition_columns_have_their_type_and_their_values(tables, name, delta_folder, column, numbers):
    files = [
        (
            "day=2026-01-01/a.parquet",
            numbers(0, 2),
            {"partitionValues": {"day": "2026-01-01", "who": "a b/c"}},
        ),
        ("x/b.parquet", numbers(2, 3), {"partitionValues": {"day": "2026-01-02", "who": None}}),
    ]
    fields = [column("n", "long"), column("day", "date"), column("who", "string")]
    tables.register(name, delta_folder(fields, files, partitions=["day", "who"]))
    assert tables.info(name).schema.field("day").type == pa.date32()
    assert read(tables, name, "n", [Condition("day", "=", date(2026, 1, 1))]) == [0, 1]
    assert read(tables, name, "n", [Condition("who", "=", "a b/c")]) == [0, 1]
    assert read(tables, name, "n", [Condition("who", "is null")]) == [2]


def test_naive_timestamps_are_read_as_utc(tables, name, delta_folder, column):
    moments = pa.array([datetime(2026, 1, 1), datetime(2026, 1, 2)], pa.timestamp("us"))  # noqa: DTZ001 - naive
    feature = {"readerFeatures": ["timestampNtz"], "writerFeatures": ["timestampNtz"]}
    folder = delta_folder(
        [column("t", "timestamp_ntz")],
        [("a.parquet", pa.table({"t": moments}), {})],
        protocol={"minReaderVersion": 3, "minWriterVersion": 7, **feature},
    )
    assert tables.register(name, folder).schema.field("t").type == pa.timestamp("us", "UTC")
    late = [Condition("t", ">", datetime(2026, 1, 1, 12, tzinfo=UTC))]
    assert read(tables, name, "t", late) == [datetime(2026, 1, 2, tzinfo=UTC)]


def test_a_table_that_needs_more_than_we_can_read_is_refused(tables, name, delta_folder, column, numbers):
    feature = {"readerFeatures": ["timeTravelToTomorrow"], "writerFeatures": ["timeTravelToTomorrow"]}
    folder = delta_folder(
        [column("n", "long")],
        [("a.parquet", numbers(0, 2), {})],
        protocol={"minReaderVersion": 3, "minWriterVersion": 7, **feature},
    )
    with pytest.raises(DataError, match=r"LM309.*timeTravelToTomorrow"):
        tables.register(name, folder)
    assert not tables.exists(name)


@pytest.mark.parametrize("feature", ["typeWidening", "vacuumProtocolCheck"])
def test_a_feature_that_only_reading_meets_is_refused_by_name_at_once(
    tables, name, delta_folder, column, numbers, feature
):
    folder = delta_folder(
        [column("n", "long")],
        [("a.parquet", numbers(0, 2), {})],
        protocol={**DELETION_VECTORS, "readerFeatures": [feature], "writerFeatures": [feature]},
    )
    with pytest.raises(DataError, match=rf"LM309.*{feature}") as caught:
        tables.register(name, folder)
    assert "DROP FEATURE" in str(caught.value)
    assert not tables.exists(name)


@pytest.mark.parametrize(
    ("held", "number", "readable"),
    [("col-1", 1, True), ("old name", 1, False), ("col-1", 7, False), ("other", 7, True)],
)
def test_columns_mapped_by_id_are_read_right_or_refused(
    tables, name, delta_folder, column, held, number, readable
):
    fields = [
        column("n", "long", **{"delta.columnMapping.id": 1, "delta.columnMapping.physicalName": "col-1"})
    ]
    known = pa.schema([pa.field(held, pa.int64(), metadata={"PARQUET:field_id": str(number)})])
    folder = delta_folder(
        fields,
        [("a.parquet", pa.table({held: [5]}, schema=known), {})],
        protocol={"minReaderVersion": 2, "minWriterVersion": 5},
        configuration={"delta.columnMapping.mode": "id", "delta.columnMapping.maxColumnId": "7"},
    )
    if readable:
        tables.register(name, folder)
        assert read(tables, name) == [5 if held == "col-1" else None]
    else:
        with pytest.raises(DataError, match=rf"LM309.*a\.parquet.*{held}.*columnMapping"):
            tables.register(name, folder)


def test_a_table_of_somebody_else_is_never_written(tables, name, with_deleted_rows, numbers):
    tables.register(name, with_deleted_rows)
    before = sorted((path, path.stat().st_mtime_ns) for path in with_deleted_rows.rglob("*"))
    writes = [
        lambda: tables.append(name, numbers(0, 1)),
        lambda: tables.replace(name, numbers(0, 1), where=[]),
        lambda: tables.merge(name, numbers(0, 1), on=["n"]),
        lambda: tables.merge(name, numbers(0, 1), on=["n"], insert=False, update=["n"]),
        lambda: tables.delete(name, where=[]),
    ]
    for write in writes:
        with pytest.raises(DataError, match="LM308"):
            write()
    assert before == sorted((path, path.stat().st_mtime_ns) for path in with_deleted_rows.rglob("*"))


def test_a_registered_table_is_listed_as_external_where_it_lies(tables, name, with_deleted_rows):
    tables.register(name, with_deleted_rows)
    info = tables.info(name)
    assert (info.external, info.location) == (True, str(with_deleted_rows))
    assert list(tables.list()) == [name]
    assert tables.register(name, with_deleted_rows).version == 0


def test_a_name_that_is_taken_is_not_registered_again(tables, name, with_deleted_rows, numbers):
    tables.append(name, numbers(0, 1))
    with pytest.raises(DataError, match="LM323"):
        tables.register(name, with_deleted_rows)
    assert not tables.info(name).external


def test_a_registered_folder_that_is_gone_is_named(tables, name, with_deleted_rows):
    tables.register(name, with_deleted_rows)
    moved = with_deleted_rows.rename(with_deleted_rows.with_name("moved"))
    assert not tables.exists(name)
    with pytest.raises(DataError, match=r"LM301.*foreign table"):
        tables.scan(name)
    tables.register(name, moved)
    assert tables.exists(name)


def test_new_commits_of_the_owner_are_seen(tables, name, delta_folder, column, numbers):
    folder = delta_folder([column("n", "long")], [("a.parquet", numbers(0, 2), {})])
    tables.register(name, folder)
    (folder / "_delta_log" / f"{1:020d}.json").write_text(
        json.dumps({"remove": {"path": "a.parquet", "deletionTimestamp": 1, "dataChange": True}})
    )
    assert (tables.info(name).version, read(tables, name)) == (1, [])
