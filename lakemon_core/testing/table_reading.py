"""What reading from tables must do, as tests; a part of `TablesContract`."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from threading import Event

import pyarrow as pa
import pytest

from lakemon_core.domain.errors import DataError
from lakemon_core.domain.names import TableName
from lakemon_core.ports import Condition, Tables
from lakemon_core.testing.table_rows import changed, day, flights, ids_of


class TableReadingContract:
    """The reading half of `TablesContract`."""

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

    def test_texts_may_come_as_views_and_read_the_same(self, tables: Tables, name: TableName) -> None:
        """Only the type of text columns may differ."""
        tables.append(name, flights())
        where = [Condition("id", "!=", "b")]
        plain = tables.scan(name, columns=["late", "id"], where=where).read_all()
        viewed = tables.scan(name, columns=["late", "id"], where=where, views=True).read_all()
        assert viewed.cast(plain.schema).sort_by("id").equals(plain.sort_by("id"))

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
        assert ids_of(tables, name, [condition]) == expected
        tables.delete(name, where=[condition])
        assert ids_of(tables, name) == "".join(sorted(set("abcdef") - set(expected)))

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
            (Condition("born", "<", day(2)), "a"),
            (Condition("born", "<", day(1) + timedelta(hours=1)), "a"),
            (Condition("born", "<=", day(1) + timedelta(hours=1)), "a"),
            (Condition("born", ">=", day(1)), "ab"),
            (Condition("born", ">=", day(1) + timedelta(hours=1)), "b"),
            (Condition("born", ">", day(1)), "b"),
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
        assert ids_of(tables, name, [condition]) == expected
        tables.delete(name, where=[condition])
        assert ids_of(tables, name) == "".join(sorted(set("abc") - set(expected)))

    def test_all_conditions_of_a_filter_must_hold(self, tables: Tables, name: TableName) -> None:
        """A filter is a conjunction."""
        tables.append(name, flights())
        where = [Condition("ts", ">=", day(1)), Condition("ts", "<", day(2)), Condition("seats", ">", 1)]
        assert ids_of(tables, name, where) == "b"

    def test_an_old_version_can_be_read_again(self, tables: Tables, name: TableName) -> None:
        """Versions do not move."""
        first = tables.append(name, flights()).version
        tables.delete(name, where=[Condition("id", "=", "a")])
        assert tables.scan(name, version=first).read_all().num_rows == 6
        assert tables.scan(name).read_all().num_rows == 5

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
        assert changed(tables, name, first, "id") == {"g", "b", "c"}
        assert changed(tables, name, first, "seats") == {None, 2, 20, 3}
        assert changed(tables, name, second, "id") == {"c"}
        assert changed(tables, name, tables.info(name).version, "id") == set()

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

    def test_sql_returns_only_as_many_rows_as_are_asked_for(self, tables: Tables, name: TableName) -> None:
        """The first ones, in their order; a statement that nobody stops runs to its end."""
        tables.append(name, flights())
        sql = f"SELECT id FROM {name} ORDER BY id DESC"  # noqa: S608 - a test
        assert tables.query(sql, most=2, stop=Event()).to_pylist() == tables.query(sql).to_pylist()[:2]

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
