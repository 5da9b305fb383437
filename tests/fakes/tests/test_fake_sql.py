"""Databricks SQL on the fake lake: what it does, and how it fails."""

from datetime import UTC, datetime

import pyarrow as pa
import pytest
from fakes.databricks import FakeWorkspace, SqlFailure
from fakes.databricks.lake.lake import Session

TABLE = """
CREATE TABLE IF NOT EXISTS `main`.`s`.`t` (
  `a` BIGINT NOT NULL COMMENT 'key', `w` STRUCT<`start`: TIMESTAMP, `end`: TIMESTAMP>, `m` MAP<STRING, DOUBLE>
) USING DELTA CLUSTER BY (a) TBLPROPERTIES ('delta.enableChangeDataFeed' = 'true')
"""
INSERT = """
INSERT INTO main.s.t (a, w)
SELECT CAST(r.a AS BIGINT), named_struct('start', CAST(r.w.start AS TIMESTAMP), 'end', NULL)
FROM (SELECT explode(from_json(:rows, 'ARRAY<STRUCT<`a`: STRING, `w`: STRUCT<`start`: STRING>>>')) AS r)
"""
ROWS = '[{"a": "1", "w": {"start": "2026-01-01T00:00:00Z"}, "more": 1}, {"a": "2"}]'
MERGE = """
MERGE INTO main.s.t USING (SELECT 1 AS a, map('x', 1.5D) AS m UNION ALL SELECT 7, NULL) s ON t.a <=> s.a
WHEN MATCHED THEN UPDATE SET t.m = s.m
WHEN NOT MATCHED THEN INSERT (a, m) VALUES (s.a, s.m)
WHEN NOT MATCHED BY SOURCE THEN DELETE
"""


@pytest.fixture
def table(fake: FakeWorkspace) -> FakeWorkspace:
    """A table with two rows, at version 1."""
    fake.lake.sql("CREATE SCHEMA main.s")
    fake.lake.sql(TABLE)
    fake.lake.sql(INSERT, rows=ROWS)
    return fake


def test_rows_come_in_as_one_json_parameter(table):
    rows = table.lake.rows("main.s.t")

    assert [row["a"] for row in rows] == [1, 2]
    assert rows[0]["w"]["start"] == datetime(2026, 1, 1, tzinfo=UTC)


def test_a_merge_counts_what_it_did_and_its_changes_are_told(table):
    counts = table.lake.sql(MERGE).to_pylist()[0]
    changes = table.lake.sql("SELECT a, _change_type FROM table_changes('main.s.t', 2)").to_pylist()

    assert list(counts.values()) == [3, 1, 1, 1]
    assert sorted((row["a"], row["_change_type"]) for row in changes) == [
        (1, "update_postimage"), (1, "update_preimage"), (2, "delete"), (7, "insert"),
    ]  # fmt: skip


def test_every_version_can_be_read_again(table):
    table.lake.sql(MERGE)
    history = table.lake.sql("DESCRIBE HISTORY main.s.t LIMIT 2").to_pylist()

    assert table.lake.sql("SELECT a FROM main.s.t VERSION AS OF 1 ORDER BY a")["a"].to_pylist() == [1, 2]
    assert [(row["version"], row["operation"]) for row in history] == [(2, "MERGE"), (1, "WRITE")]


def test_replace_where_replaces_in_one_commit_and_reads_its_own_table(table):
    table.lake.sql("INSERT INTO main.s.t REPLACE WHERE a > 1 SELECT a + 10, w, m FROM main.s.t")

    assert sorted(row["a"] for row in table.lake.rows("main.s.t")) == [1, 11, 12]
    assert table.lake.sql("DESCRIBE HISTORY main.s.t").num_rows == 3


def test_an_optimize_changes_no_row_and_is_done_once(table):
    table.lake.sql("INSERT INTO main.s.t (a) VALUES (3)")
    for _ in range(2):
        table.lake.sql("OPTIMIZE main.s.t")

    assert table.lake.sql("DESCRIBE DETAIL main.s.t")["numFiles"].to_pylist() == [1]
    assert table.lake.sql("SELECT * FROM table_changes('main.s.t', 3)").num_rows == 0
    assert table.lake.sql("DESCRIBE HISTORY main.s.t").num_rows == 4


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("get_json_object('{\"a\": [{\"b\": 2}]}', '$.a[0].b')", "2"),
        ("get_json_object('no json', '$.a')", None),
        ("percentile(x, array(0.5))", [1.5]),
        ("count_if(x > 5)", 0),
        ("transform(array(5, 6), (e, i) -> e * i)", [0, 6]),
        ("timestamp_micros(1500000)", datetime(1970, 1, 1, 0, 0, 1, 500000, tzinfo=UTC)),
        ("forall(array(1, 2), e -> e > 1)", False),
        ("exists(array(1, 2), e -> e > 1)", True),
        ("array_position(array('a'), 'b')", 0),
        ("size(map('a', 1, 'b', 2))", 2),
        ("to_json(named_struct('a', 1))", '{"a":1}'),
        ("from_json('{\"a\": 1, \"z\": 2}', 'a INT, b STRING')", {"a": 1, "b": None}),
        ("to_json(from_json('[1, 2]', 'ARRAY<DOUBLE>'))", "[1.0,2.0]"),
        ("array_position(array(element_at(from_json('[1]', 'ARRAY<INT>'), 1)), size(map('a', 1)))", 1),
        ("sum(x)", 3),
        ("element_at(map_from_arrays(array('k'), array(9)), 'k')", 9),
    ],
)
def test_a_function_means_what_it_means_on_databricks(fake, expression, value):
    result = fake.lake.sql(f"SELECT {expression} AS v FROM VALUES (1), (2) AS t(x)")

    assert result.to_pylist()[0]["v"] == value


@pytest.mark.parametrize(
    ("statement", "condition"),
    [
        ("SELECT * FROM nope.s.t", "NO_SUCH_CATALOG_EXCEPTION"),
        ("SELECT * FROM main.nope.t", "SCHEMA_NOT_FOUND"),
        ("SELECT * FROM main.s.nope", "TABLE_OR_VIEW_NOT_FOUND"),
        ("SELECT nope FROM main.s.t", "UNRESOLVED_COLUMN.WITHOUT_SUGGESTION"),
        ("SELECT 1 +", "PARSE_SYNTAX_ERROR"),
        ("SELECT 1; SELECT 2", "PARSE_SYNTAX_ERROR"),
        ("SELECT :absent", "UNBOUND_SQL_PARAMETER"),
        ("SELECT CAST('x' AS DOUBLE)", "CAST_INVALID_INPUT"),
        ("CREATE SCHEMA main.s", "SCHEMA_ALREADY_EXISTS"),
        ("CREATE TABLE main.s.t (a INT)", "TABLE_OR_VIEW_ALREADY_EXISTS"),
        ("DROP TABLE main.s.nope", "TABLE_OR_VIEW_NOT_FOUND"),
        ("DROP SCHEMA main.s", "SCHEMA_NOT_EMPTY"),
        ("ALTER TABLE main.s.t ADD COLUMNS (a INT)", "FIELD_ALREADY_EXISTS"),
        ("INSERT INTO main.s.t (a) VALUES (NULL)", "DELTA_NOT_NULL_CONSTRAINT_VIOLATED"),
        ("INSERT INTO main.s.t REPLACE WHERE a > 5 SELECT 1, NULL, NULL", "DELTA_REPLACE_WHERE_MISMATCH"),
        ("SELECT * FROM main.s.t VERSION AS OF 9", "DELTA_VERSION_NOT_FOUND"),
        ("SELECT * FROM table_changes('main.s.t', 9)", "DELTA_INVALID_CDC_RANGE"),
        ("SELECT * FROM table_changes('main.s.plain', 0)", "DELTA_MISSING_CHANGE_DATA"),
        ("VACUUM main.s.t RETAIN 1 HOURS", "DELTA_VACUUM_RETENTION_PERIOD_TOO_SHORT"),
        (
            "MERGE INTO main.s.t USING VALUES (1), (1) AS s(a) ON t.a = 1 WHEN MATCHED THEN UPDATE SET a = 2",
            "DELTA_MULTIPLE_SOURCE_ROW_MATCHING_TARGET_ROW_IN_MERGE",
        ),
    ],
)
def test_a_statement_fails_in_the_words_of_databricks(table, statement, condition):
    table.lake.sql("CREATE TABLE main.s.plain (a INT)")

    with pytest.raises(SqlFailure) as caught:
        table.lake.sql(statement)

    assert caught.value.condition == condition
    assert str(caught.value).startswith(f"[{condition}]")


def test_a_failed_replace_leaves_the_table_as_it_was(table):
    with pytest.raises(SqlFailure):
        table.lake.sql("INSERT INTO main.s.t REPLACE WHERE a > 1 SELECT 1, NULL, NULL")

    assert sorted(row["a"] for row in table.lake.rows("main.s.t")) == [1, 2]
    assert table.lake.sql("DESCRIBE HISTORY main.s.t").num_rows == 2


def test_a_scripted_conflict_hits_once_and_changes_nothing(table):
    table.lake.conflict_on("main.s.t", "DELTA_CONCURRENT_WRITE")
    with pytest.raises(SqlFailure, match="DELTA_CONCURRENT_WRITE"):
        table.lake.sql("DELETE FROM main.s.t")

    assert table.lake.sql("DELETE FROM main.s.t").to_pylist() == [{"num_affected_rows": 2}]


def test_another_writer_comes_in_between(table):
    def once(name: str) -> None:
        table.lake.before_write = None
        table.lake.sql("INSERT INTO main.s.t (a) VALUES (100)")

    table.lake.before_write = once
    table.lake.sql("DELETE FROM main.s.t WHERE a = 1")

    assert sorted(row["a"] for row in table.lake.rows("main.s.t")) == [2, 100]


def test_what_the_fake_cannot_do_fails_the_test_at_its_end(fake):
    with pytest.raises(SqlFailure, match="FAKE_UNSUPPORTED"):
        fake.lake.sql("SELECT no_such_function(1)")
    with pytest.raises(AssertionError, match="no_such_function"):
        fake.check()

    fake.lake.unsupported.clear()


@pytest.mark.parametrize(
    ("granted", "lacking"),
    [
        ((), "USE CATALOG on Catalog 'theirs'"),
        (("USE CATALOG",), "USE SCHEMA on Schema 'theirs.s'"),
        (("USE CATALOG", "USE SCHEMA"), "SELECT on Table 'theirs.s.t'"),
    ],
)
def test_a_missing_privilege_is_named_from_the_catalog_down(fake, granted, lacking):
    fake.lake.create_schema("theirs.s", owner="somebody@example.com")
    fake.lake.write("theirs.s.t", pa.table({"a": [1]})).owner = "somebody@example.com"
    fake.lake.metastore.grant("theirs", fake.user, *granted)

    with pytest.raises(SqlFailure, match="INSUFFICIENT_PERMISSIONS") as caught:
        fake.lake.run("SELECT * FROM theirs.s.t", Session(fake.user))

    assert lacking in str(caught.value)


def test_privileges_of_a_group_and_of_the_catalog_count(fake):
    fake.lake.create_schema("theirs.s", owner="somebody@example.com")
    fake.lake.write("theirs.s.t", pa.table({"a": [1]})).owner = "somebody@example.com"
    fake.lake.metastore.groups["team"] = {"bob@example.com"}
    fake.lake.metastore.grant("theirs", "team", "USE CATALOG", "USE SCHEMA", "SELECT")

    assert fake.lake.sql("SELECT * FROM theirs.s.t", user="bob@example.com").num_rows == 1
    with pytest.raises(SqlFailure, match="MODIFY"):
        fake.lake.sql("DELETE FROM theirs.s.t", user="bob@example.com")


def test_grants_can_be_given_and_shown_in_sql(table):
    table.lake.sql("GRANT SELECT ON TABLE main.s.t TO `bob@example.com`")
    shown = table.lake.sql("SHOW GRANTS ON TABLE main.s.t").to_pylist()

    assert shown == [
        {
            "Principal": "bob@example.com",
            "ActionType": "SELECT",
            "ObjectType": "TABLE",
            "ObjectKey": "main.s.t",
        }
    ]
