"""What the tables of every backend must do, as tests: subclass `TablesContract` and give it yours.

class TestMyTables(TablesContract):
    @pytest.fixture
    def tables(self, tmp_path):
        return MyTables(tmp_path)
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from lakemon_core.domain.errors import DataError
from lakemon_core.domain.names import TableName
from lakemon_core.ports import Condition, Tables

HOSTILE_COLUMNS = (
    'quo"te',
    "sing'le",
    "back`tick",
    "x; DROP TABLE t",
    "a.b",
    "select",
    "two words",
    "été🙂",
    "tab\there",
    "'; --",
    "${x}",
    "%s",
    "{0}",
    "[0]",
    "\\",
)
"""Names as data may hold them; each is a column like any other."""

WINDOW = pa.struct([pa.field("start", pa.timestamp("us", "UTC")), pa.field("end", pa.timestamp("us", "UTC"))])


def day(number: int) -> datetime:
    """Returns midnight of a day of January 2026, UTC."""
    return datetime(2026, 1, number, tzinfo=UTC)


def window(number: int) -> dict[str, datetime]:
    """Returns the value of a window column for one day."""
    return {"start": day(number), "end": day(number + 1)}


def flights() -> pa.Table:
    """Returns six rows over three days, with a null and a NaN."""
    return pa.table(
        {
            "id": pa.array(["a", "b", "c", "d", "e", "f"]),
            "ts": pa.array([day(1), day(1), day(2), day(2), day(3), None], pa.timestamp("us", "UTC")),
            "window": pa.array([window(1), window(1), window(2), window(2), window(3), None], WINDOW),
            "delay": pa.array([1.0, -2.5, None, float("nan"), float("inf"), 0.0]),
            "seats": pa.array([1, 2, 3, None, 5, 6], pa.int64()),
            "late": pa.array([True, False, None, True, False, True]),
        }
    )


class TablesContract:
    """A suite for one implementation of `Tables`.

    Override the fixture `tables` with empty tables that may be written, and `name` where a catalog or schema
    has to be there before.
    """

    @pytest.fixture
    def tables(self) -> Tables:
        """Empty tables; to be overridden."""
        raise NotImplementedError

    @pytest.fixture
    def name(self) -> TableName:
        """Name of a table that is not there yet."""
        return TableName("lab", "air", "flights")

    def test_a_table_is_there_from_its_first_rows_on(self, tables: Tables, name: TableName) -> None:
        """`exists`, `list` and `info` agree."""
        assert not tables.exists(name)
        result = tables.append(name, flights())
        assert result.inserted == 6
        assert tables.exists(name)
        assert list(tables.list()) == [name]
        info = tables.info(name)
        assert (info.version, info.external) == (result.version, False)
        assert info.schema.names == flights().column_names

    def test_an_unknown_table_is_named_with_its_nearest(self, tables: Tables, name: TableName) -> None:
        """LM301 helps with typing errors."""
        tables.append(name, flights())
        with pytest.raises(DataError, match=r"LM301.*flights") as caught:
            tables.scan(name.sibling(table="flihgts"))
        assert str(name) in caught.value.cure

    def test_an_unknown_column_is_named_with_its_nearest(self, tables: Tables, name: TableName) -> None:
        """LM302 helps with typing errors, in columns as in filters."""
        tables.append(name, flights())
        with pytest.raises(DataError, match=r'LM302.*"delay"'):
            tables.scan(name, columns=["dealy"])
        with pytest.raises(DataError, match=r'LM302.*"seats"'):
            tables.scan(name, where=[Condition("seat", "=", 1)])
        with pytest.raises(DataError, match=r'LM302.*"start"'):
            tables.scan(name, where=[Condition(("window", "strat"), "=", day(1))])

    def test_columns_come_in_the_order_asked_for(self, tables: Tables, name: TableName) -> None:
        """And with the types they were written in."""
        tables.append(name, flights())
        rows = tables.scan(name, columns=["late", "id"]).read_all()
        assert rows.schema.equals(pa.schema({"late": pa.bool_(), "id": pa.string()}))

    @pytest.mark.parametrize(
        ("condition", "expected"),
        [
            (Condition("id", "=", "b"), "b"),
            (Condition("id", "!=", "b"), "acdef"),
            (Condition("id", "in", ("a", "f", "zz")), "af"),
            (Condition("id", "in", ()), ""),
            (Condition("seats", "<", 3), "ab"),
            (Condition("seats", "<=", 3), "abc"),
            (Condition("seats", ">", 2.5), "cef"),
            (Condition("seats", "!=", 1), "bcef"),
            (Condition("seats", "is null"), "d"),
            (Condition("seats", "is not null"), "abcef"),
            (Condition("delay", ">", 0), "ae"),
            (Condition("delay", "<", 0), "b"),
            (Condition("delay", "=", float("inf")), "e"),
            (Condition("delay", "=", float("nan")), ""),
            (Condition("delay", "!=", 0.0), "abe"),
            (Condition("delay", "is null"), "c"),
            (Condition("late", "=", True), "adf"),
            (Condition("ts", ">=", day(2)), "cde"),
            (Condition("ts", "in", (day(1), day(3))), "abe"),
            (Condition(("window", "start"), "=", day(2)), "cd"),
            (Condition(("window", "end"), "<=", day(3)), "abcd"),
            (Condition("window", "is null"), "f"),
            (Condition("window", "is not null"), "abcde"),
        ],
        ids=str,
    )
    def test_a_filter_gives_exactly_the_matching_rows(
        self, tables: Tables, name: TableName, condition: Condition, expected: str
    ) -> None:
        """Neither null nor NaN satisfies a comparison, however the rows lie in files."""
        rows = flights()
        for start in range(0, rows.num_rows, 2):
            tables.append(name, rows.slice(start, 2))
        assert _ids(tables, name, [condition]) == expected
        tables.delete(name, where=[condition])
        assert _ids(tables, name) == "".join(sorted(set("abcdef") - set(expected)))

    @pytest.mark.parametrize(
        ("condition", "expected"),
        [
            (Condition("small", ">", 1), "b"),
            (Condition("small", "<", 3_000_000_000), "ab"),
            (Condition("small", "in", (1, 2.5, 10**20)), "a"),
            (Condition("price", "=", 1.5), "a"),
            (Condition("price", ">", Decimal("1.5")), "b"),
            (Condition("half", "=", 0.1), "a"),
            (Condition("born", "<", date(2026, 1, 2)), "a"),
        ],
        ids=str,
    )
    def test_a_filter_works_on_every_type(
        self, tables: Tables, name: TableName, condition: Condition, expected: str
    ) -> None:
        """Small integers, decimals, floats and dates, also against values out of their range."""
        columns = {
            "id": pa.array(["a", "b", "c"]),
            "small": pa.array([1, 2, None], pa.int8()),
            "price": pa.array([Decimal("1.50"), Decimal("2.25"), None], pa.decimal128(10, 2)),
            "half": pa.array([0.1, 0.2, float("nan")], pa.float32()),
            "born": pa.array([date(2026, 1, 1), date(2026, 1, 2), None]),
        }
        tables.append(name, pa.table(columns))
        assert _ids(tables, name, [condition]) == expected
        tables.delete(name, where=[condition])
        assert _ids(tables, name) == "".join(sorted(set("abc") - set(expected)))

    def test_all_conditions_of_a_filter_must_hold(self, tables: Tables, name: TableName) -> None:
        """A filter is a conjunction."""
        tables.append(name, flights())
        where = [Condition("ts", ">=", day(1)), Condition("ts", "<", day(2)), Condition("seats", ">", 1)]
        assert _ids(tables, name, where) == "b"

    def test_an_old_version_can_be_read_again(self, tables: Tables, name: TableName) -> None:
        """Versions do not move."""
        first = tables.append(name, flights()).version
        tables.delete(name, where=[Condition("id", "=", "a")])
        assert tables.scan(name, version=first).read_all().num_rows == 6
        assert tables.scan(name).read_all().num_rows == 5

    def test_a_batch_that_comes_again_changes_nothing(self, tables: Tables, name: TableName) -> None:
        """The writer may repeat what it does not know to have arrived."""
        for number in (1, 1, 2, 1, 2):
            tables.append(name, flights(), batch=("mover", number))
        assert tables.scan(name).read_all().num_rows == 12
        assert not tables.append(name, flights(), batch=("mover", 2)).changed
        assert tables.append(name, flights(), batch=("another", 1)).inserted == 6

    def test_rows_stream_from_one_table_into_another(self, tables: Tables, name: TableName) -> None:
        """A reader is enough; nobody holds all rows."""
        tables.append(name, flights())
        copy = name.sibling(suffix="_copy")
        assert tables.append(copy, tables.scan(name)).inserted == 6
        assert _ids(tables, copy) == "abcdef"

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
        assert tables.info(name).version == first + 1

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

    @pytest.mark.parametrize(
        "value", ["it's", 'say "x"', "a\\b", "new\nline", "🙂", "", "%", "null", "' OR 1=1 --"]
    )
    def test_a_filter_may_hold_any_text(self, tables: Tables, name: TableName, value: str) -> None:
        """Values mean nothing but themselves."""
        tables.append(name, pa.table({"id": [value, "other"]}))
        assert tables.scan(name, where=[Condition("id", "=", value)]).read_all().num_rows == 1
        assert tables.delete(name, where=[Condition("id", "in", (value,))]).deleted == 1

    @pytest.mark.parametrize(
        "condition",
        [
            Condition("seats", "=", "many"),
            Condition("id", ">", 3),
            Condition("ts", ">", datetime(2026, 1, 1)),  # noqa: DTZ001 - a moment without zone is refused
            Condition("late", "=", 1),
            Condition("id", "like", "a%"),
            Condition("id", "in", "abc"),
            Condition("window", "=", day(1)),
            Condition(("id", "start"), "=", day(1)),
        ],
        ids=str,
    )
    def test_a_filter_that_makes_no_sense_is_refused(
        self, tables: Tables, name: TableName, condition: Condition
    ) -> None:
        """LM312 names the column; nothing is compared after a guess."""
        tables.append(name, flights())
        with pytest.raises(DataError, match="LM312"):
            tables.scan(name, where=[condition])

    def test_replace_changes_the_matching_rows_in_one_version(self, tables: Tables, name: TableName) -> None:
        """Rows outside of the filter stay; the result counts."""
        before = tables.append(name, flights()).version
        rows = pa.table({"id": ["x"], "window": pa.array([window(1)], WINDOW)})
        result = tables.replace(name, rows, where=[Condition(("window", "start"), "in", (day(1), day(9)))])
        assert (result.version, result.inserted, result.deleted) == (before + 1, 1, 2)
        assert _ids(tables, name) == "cdefx"

    def test_replace_without_filter_replaces_all(self, tables: Tables, name: TableName) -> None:
        """And makes the table where there is none."""
        assert tables.replace(name, flights(), where=[]).inserted == 6
        assert tables.replace(name, flights().slice(0, 2), where=[]).deleted == 6
        assert _ids(tables, name) == "ab"

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
        assert _values(tables, name, "seats")["b"] == 20
        assert _values(tables, name, "delay")["b"] == -2.5
        assert _values(tables, name, "delay")["z"] == 99.0

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
        assert _values(tables, name, "label")["a"] == 1
        assert not tables.merge(name, labels, on=["id"], insert=False, update=["label"]).changed

    def test_null_keys_and_doubled_keys_merge_once(self, tables: Tables, name: TableName) -> None:
        """The last of several rows counts, the first where nothing is updated."""
        keys = {"id": pa.array([None, None, "a", "a"], pa.string()), "part": [True, True, False, False]}
        rows = pa.table({**keys, "seats": [1, 2, 3, 4]})
        assert tables.merge(name, rows, on=["id", "part"]).inserted == 2
        assert _values(tables, name, "seats") == {None: 1, "a": 3}
        assert tables.merge(name, rows, on=["id", "part"], update=["seats"]).updated == 2
        assert _values(tables, name, "seats") == {None: 2, "a": 4}

    def test_a_delete_that_matches_nothing_makes_no_version(self, tables: Tables, name: TableName) -> None:
        """Deleting twice is deleting once."""
        tables.append(name, flights())
        assert tables.delete(name, where=[Condition("ts", "<", day(2))]).deleted == 2
        before = tables.info(name).version
        assert not tables.delete(name, where=[Condition("ts", "<", day(2))]).changed
        assert tables.info(name).version == before

    def test_changes_name_every_row_that_came_went_or_became_another(
        self, tables: Tables, name: TableName
    ) -> None:
        """From a version on, up to the newest; after the newest nothing."""
        first = tables.append(name, flights()).version
        tables.append(name, pa.table({"id": ["g"]}))
        second = tables.merge(
            name, pa.table({"id": ["b"], "seats": [20]}), on=["id"], update=["seats"]
        ).version
        tables.delete(name, where=[Condition("id", "=", "c")])
        assert _changed(tables, name, first, "id") == {"g", "b", "c"}
        assert _changed(tables, name, first, "seats") == {None, 2, 20, 3}
        assert _changed(tables, name, second, "id") == {"c"}
        assert _changed(tables, name, tables.info(name).version, "id") == set()

    def test_sql_reads_tables_by_three_level_name(self, tables: Tables, name: TableName) -> None:
        """With fields of structs as Databricks writes them; NaN is a number and null is none."""
        tables.append(name, flights())
        found = tables.query(
            f"SELECT window.start, count(*) AS n FROM {name} WHERE window.start >= '2026-01-02'"  # noqa: S608 - a test
            " GROUP BY window.start ORDER BY 1"
        )
        assert found.to_pylist() == [{"start": day(2), "n": 2}, {"start": day(3), "n": 1}]
        query = f"SELECT count(*) FILTER (NOT isnan(delay)) AS n, max(seats) AS m FROM {name}"  # noqa: S608 - a test
        assert tables.query(query).to_pylist() == [{"n": 4, "m": 6}]

    @pytest.mark.parametrize(
        "sql",
        [
            "DROP TABLE lab.air.flights",
            "INSERT INTO lab.air.flights VALUES ('x')",
            "DELETE FROM lab.air.flights",
            "UPDATE lab.air.flights SET id = 'x'",
            "CREATE TABLE lab.air.copy AS SELECT 1",
            "SELECT 1; SELECT 2",
            "SELEC 1",
            "",
        ],
    )
    def test_sql_that_does_more_than_read_is_refused(self, tables: Tables, name: TableName, sql: str) -> None:
        """LM310, and the table stays as it was."""
        before = tables.append(name, flights()).version
        with pytest.raises(DataError, match="LM310"):
            tables.query(sql)
        assert tables.info(name).version == before


def _ids(tables: Tables, name: TableName, where: list[Condition] | None = None) -> str:
    """Returns the ids of the matching rows, sorted, as one text."""
    return "".join(sorted(tables.scan(name, columns=["id"], where=where or []).read_all()["id"].to_pylist()))


def _values(tables: Tables, name: TableName, column: str) -> dict[Any, Any]:
    rows = tables.scan(name, columns=["id", column]).read_all().to_pylist()
    return {row["id"]: row[column] for row in rows}


def _changed(tables: Tables, name: TableName, since: int, column: str) -> set[Any]:
    """Returns the values of changed rows; tables without a change feed say so with None and are not tried."""
    reader = tables.changes(name, since=since, columns=[column])
    assert reader is not None, "a table of our own tells its changes"
    return set(reader.read_all()[column].to_pylist())
