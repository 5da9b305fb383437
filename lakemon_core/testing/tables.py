"""What the tables of every backend must do, as tests: subclass `TablesContract` and give it yours.

class TestMyTables(TablesContract):
    @pytest.fixture
    def tables(self, tmp_path):
        return MyTables(tmp_path)
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar

import pyarrow as pa
import pytest

from lakemon_core.domain.errors import DataError
from lakemon_core.domain.names import TableName
from lakemon_core.ports import Condition, Tables
from lakemon_core.testing.table_reading import TableReadingContract
from lakemon_core.testing.table_rows import HOSTILE_COLUMNS, WINDOW, day, flights, ids_of, values_of, window


class TablesContract(TableReadingContract):
    """A suite for one implementation of `Tables`.

    Override the fixture `tables` with empty tables that may be written, and `name` where a catalog or schema
    has to be there before.

    Attributes:
        versions_of_a_new_column: commits that a write needs which also brings a column.
    """

    versions_of_a_new_column: ClassVar[int] = 1

    def test_a_batch_that_comes_again_changes_nothing(self, tables: Tables, name: TableName) -> None:
        """The writer may repeat what it does not know to have arrived."""
        for number in (1, 1, 2, 1, 2):
            tables.append(name, flights(), batch=("mover", number))
        assert tables.scan(name).read_all().num_rows == 12
        assert not tables.append(name, flights(), batch=("mover", 2)).changed
        assert tables.append(name, flights(), batch=("another", 1)).inserted == 6

    def test_optimizing_changes_no_row_and_is_no_change(self, tables: Tables, name: TableName) -> None:
        """A watermark of before sees nothing new; the second time there is nothing to do."""
        for number in range(40):
            tables.append(name, pa.table({"number": [number]}))
        before = tables.info(name).version
        tables.optimize(name)
        after = tables.info(name).version
        assert sorted(tables.scan(name).read_all()["number"].to_pylist()) == list(range(40))
        for since, expected in ((before, 0), (before - 2, 2)):
            changes = tables.changes(name, since=since, columns=["number"])
            assert changes is None or changes.read_all().num_rows == expected
        assert not tables.optimize(name)
        assert tables.info(name).version == after

    def test_rows_stream_from_one_table_into_another(self, tables: Tables, name: TableName) -> None:
        """A reader is enough; nobody holds all rows."""
        tables.append(name, flights())
        copy = name.sibling(suffix="_copy")
        assert tables.append(copy, tables.scan(name)).inserted == 6
        assert ids_of(tables, copy) == "abcdef"

    def test_a_stream_that_breaks_leaves_the_table_as_it_was(self, tables: Tables, name: TableName) -> None:
        """All rows of a write or none."""
        before = tables.append(name, flights()).version

        def broken() -> Iterator[pa.RecordBatch]:
            yield from flights().to_batches()
            raise RuntimeError("the source broke")

        with pytest.raises(RuntimeError, match="the source broke"):
            tables.append(name, pa.RecordBatchReader.from_batches(flights().schema, broken()))
        assert tables.info(name).version == before

    def test_a_new_column_is_added_and_null_before(self, tables: Tables, name: TableName) -> None:
        """Also a missing one is null."""
        tables.append(name, pa.table({"id": ["a"]}))
        tables.append(name, pa.table({"gate": ["B7"], "id": ["b"]}))
        tables.append(name, pa.table({"id": ["c"]}))
        rows = tables.scan(name, columns=["id", "gate"]).read_all().sort_by("id").to_pylist()
        assert rows == [{"id": "a", "gate": None}, {"id": "b", "gate": "B7"}, {"id": "c", "gate": None}]

    @pytest.mark.parametrize(
        ("column", "values"),
        [
            ("seats", pa.array([1.5])),
            ("seats", pa.array([1.0])),
            ("seats", pa.array(["7"])),
            ("seats", pa.array([True])),
            ("seats", pa.array([2**63], pa.uint64())),
            ("id", pa.array([7])),
            ("late", pa.array([1])),
            ("delay", pa.array([2**60 + 1])),
            ("ts", pa.array(["2026-01-01"])),
            ("other", pa.array([1], pa.duration("s"))),
        ],
        ids=str,
    )
    def test_nothing_is_cast_with_loss(
        self, tables: Tables, name: TableName, column: str, values: pa.Array
    ) -> None:
        """LM303 names the column, and the table stays as it was."""
        before = tables.append(name, flights()).version
        with pytest.raises(DataError, match=f"LM303.*'{column}'"):
            tables.append(name, pa.table({column: values}))
        assert tables.info(name).version == before

    @pytest.mark.parametrize(
        ("column", "values", "read"),
        [
            ("seats", pa.array([7], pa.int8()), 7),
            ("seats", pa.array([7], pa.uint64()), 7),
            ("delay", pa.array([7]), 7.0),
            ("delay", pa.array([0.5], pa.float32()), 0.5),
            ("ts", pa.array([datetime(2026, 1, 9)]), day(9)),  # noqa: DTZ001 - naive is read as UTC
            ("ts", pa.array([day(9)], pa.timestamp("ms", "Europe/Berlin")), day(9)),
            ("ts", pa.array([date(2026, 1, 9)]), day(9)),
            ("id", pa.array(["z"]).dictionary_encode(), "z"),
            ("id", pa.array(["z"], pa.large_string()), "z"),
            ("late", pa.nulls(1), None),
            ("price", pa.array([Decimal("1.50")]), Decimal("1.50")),
            ("born", pa.array([date(2026, 1, 9)]), date(2026, 1, 9)),
        ],
        ids=str,
    )
    def test_what_fits_without_loss_is_taken(
        self, tables: Tables, name: TableName, column: str, values: pa.Array, read: object
    ) -> None:
        """Wider numbers, naive and foreign time zones, dictionaries, columns of only nulls."""
        first = tables.append(name, flights()).version
        tables.append(name, pa.table({column: values}))
        values_read = tables.scan(name, columns=[column]).read_all().column(0).to_pylist()
        before = flights()
        earlier = before[column].to_pylist() if column in before.column_names else [None] * 6
        assert sorted(map(str, values_read)) == sorted(map(str, [*earlier, read]))
        commits = 1 if column in before.column_names else self.versions_of_a_new_column
        assert tables.info(name).version == first + commits

    def test_names_that_differ_only_in_case_are_refused(self, tables: Tables, name: TableName) -> None:
        """LM311, also against the table's columns."""
        tables.append(name, pa.table({"id": ["a"]}))
        for rows in (pa.table({"Id": ["b"]}), pa.table({"x": [1], "X": [2]})):
            with pytest.raises(DataError, match="LM311"):
                tables.append(name, rows)

    @pytest.mark.parametrize("column", HOSTILE_COLUMNS)
    def test_a_column_may_have_any_name(self, tables: Tables, name: TableName, column: str) -> None:
        """Names are quoted everywhere and mean nothing."""
        key = f"key {column}"
        rows = pa.table({key: ["a", "b"], column: pa.array([1, 2])})
        tables.append(name, rows)
        tables.merge(name, pa.table({key: ["b", "c"], column: [3, 4]}), on=[key], update=[column])
        tables.replace(name, pa.table({key: ["a"], column: [9]}), where=[Condition(column, "=", 9)])
        tables.delete(name, where=[Condition(column, "=", 4)])
        found = tables.scan(name, columns=[column], where=[Condition(key, "in", ("a", "b"))]).read_all()
        assert sorted(found.column(column).to_pylist()) == [1, 3, 9]
        changes = tables.changes(name, since=0, columns=[column])
        assert changes is None or column in changes.schema.names

    def test_replace_changes_the_matching_rows_in_one_version(self, tables: Tables, name: TableName) -> None:
        """Rows outside of the filter stay; the result counts."""
        before = tables.append(name, flights()).version
        rows = pa.table({"id": ["x"], "window": pa.array([window(1)], WINDOW)})
        result = tables.replace(name, rows, where=[Condition(("window", "start"), "in", (day(1), day(9)))])
        assert (result.version, result.inserted, result.deleted) == (before + 1, 1, 2)
        assert ids_of(tables, name) == "cdefx"

    def test_replace_without_filter_replaces_all(self, tables: Tables, name: TableName) -> None:
        """And makes the table where there is none."""
        assert tables.replace(name, flights(), where=[]).inserted == 6
        assert tables.replace(name, flights().slice(0, 2), where=[]).deleted == 6
        assert ids_of(tables, name) == "ab"

    def test_replacing_rows_by_themselves_makes_no_version(self, tables: Tables, name: TableName) -> None:
        """The same step twice changes nothing, in whatever order the rows come."""
        before = tables.append(name, flights()).version
        again = flights().take(pa.array([1, 0]))
        assert not tables.replace(name, again, where=[Condition("ts", "=", day(1))]).changed
        assert not tables.replace(name, flights(), where=[]).changed
        assert not tables.replace(name, flights().slice(0, 0), where=[Condition("id", "=", "zz")]).changed
        assert tables.info(name).version == before

    def test_new_rows_outside_of_the_filter_are_refused(self, tables: Tables, name: TableName) -> None:
        """LM313: else a second replace would double them."""
        before = tables.append(name, flights()).version
        with pytest.raises(DataError, match="LM313"):
            tables.replace(name, flights(), where=[Condition("id", "=", "a")])
        assert tables.info(name).version == before

    def test_merge_inserts_new_keys_and_updates_what_differs(self, tables: Tables, name: TableName) -> None:
        """Only the columns of `update` change in rows that were there."""
        tables.append(name, flights())
        rows = pa.table({"id": ["a", "b", "z"], "seats": [1, 20, 26], "delay": [99.0, 99.0, 99.0]})
        result = tables.merge(name, rows, on=["id"], update=["seats"])
        assert (result.inserted, result.updated) == (1, 1)
        assert values_of(tables, name, "seats")["b"] == 20
        assert values_of(tables, name, "delay")["b"] == -2.5
        assert values_of(tables, name, "delay")["z"] == 99.0

    def test_a_merge_that_changes_nothing_makes_no_version(self, tables: Tables, name: TableName) -> None:
        """Null equals null and NaN equals NaN."""
        before = tables.append(name, flights()).version
        update = ["delay", "seats", "late", "ts", "window"]
        assert not tables.merge(name, flights(), on=["id"], update=update).changed
        assert not tables.merge(name, flights().slice(0, 3), on=["id"]).changed
        assert not tables.merge(name, flights().slice(0, 0), on=["id"], update=update).changed
        assert tables.info(name).version == before

    def test_merge_without_insert_only_updates(self, tables: Tables, name: TableName) -> None:
        """Labels for rows that are not there wait; a label column may be new."""
        tables.append(name, flights().select(["id"]))
        labels = pa.table({"id": ["a", "zz"], "label": [1, 0]})
        result = tables.merge(name, labels, on=["id"], insert=False, update=["label"])
        assert (result.inserted, result.updated) == (0, 1)
        assert values_of(tables, name, "label")["a"] == 1
        assert not tables.merge(name, labels, on=["id"], insert=False, update=["label"]).changed

    def test_null_keys_and_doubled_keys_merge_once(self, tables: Tables, name: TableName) -> None:
        """The last of several rows counts, the first where nothing is updated."""
        keys = {"id": pa.array([None, None, "a", "a"], pa.string()), "part": [True, True, False, False]}
        rows = pa.table({**keys, "seats": [1, 2, 3, 4]})
        assert tables.merge(name, rows, on=["id", "part"]).inserted == 2
        assert values_of(tables, name, "seats") == {None: 1, "a": 3}
        assert tables.merge(name, rows, on=["id", "part"], update=["seats"]).updated == 2
        assert values_of(tables, name, "seats") == {None: 2, "a": 4}

    def test_a_delete_that_matches_nothing_makes_no_version(self, tables: Tables, name: TableName) -> None:
        """Deleting twice is deleting once."""
        tables.append(name, flights())
        assert tables.delete(name, where=[Condition("ts", "<", day(2))]).deleted == 2
        before = tables.info(name).version
        assert not tables.delete(name, where=[Condition("ts", "<", day(2))]).changed
        assert tables.info(name).version == before
