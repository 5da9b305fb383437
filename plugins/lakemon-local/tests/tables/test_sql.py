"""SQL over the tables of a workspace: reads what it should, and nothing else."""

from datetime import UTC, datetime
from decimal import Decimal
from threading import Event, Timer

import pyarrow as pa
import pytest
from lakemon_local.tables import DeltaTables

from lakemon_core.domain.errors import DataError
from lakemon_core.domain.names import TableName

NAN = float("nan")


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    tables = DeltaTables(tmp_path_factory.mktemp("sql") / "tables")
    window = pa.struct({"start": pa.timestamp("us", "UTC"), "end": pa.timestamp("us", "UTC")})
    days = [
        {"start": datetime(2026, 1, day, tzinfo=UTC), "end": datetime(2026, 1, day + 1, tzinfo=UTC)}
        for day in (1, 2)
    ]
    metrics = {"window": pa.array(days, window), "column": ["temp", "wind"], "Value": [0.5, NAN], "n": [3, 4]}
    tables.append(TableName("main", "monitoring", "metrics"), pa.table(metrics))
    tables.append(
        TableName("lab", "air", "Flights"), pa.table({"id": [1, 2, 3], "column": ["temp", "temp", "rain"]})
    )
    tables.append(TableName("lab", "two words", 'q"t'), pa.table({"x": pa.array([1, 2, 3, NAN])}))
    return tables


def rows(tables, sql):
    return tables.query(sql).to_pylist()


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT n FROM main.monitoring.metrics ORDER BY n", [{"n": 3}, {"n": 4}]),
        ("SELECT n FROM \"main\".monitoring.metrics m WHERE m.window.start > '2026-01-01'", [{"n": 4}]),
        ("SELECT day(window.end) AS d FROM main.monitoring.metrics ORDER BY 1", [{"d": 2}, {"d": 3}]),
        ("SELECT max(window.start)::DATE::TEXT AS d FROM main.monitoring.metrics", [{"d": "2026-01-02"}]),
        ("SELECT column FROM main.monitoring.metrics WHERE column = 'wind'", [{"column": "wind"}]),
        ("-- window\nSELECT 'window' AS w, 1 AS \"column\" /* window */", [{"w": "window", "column": 1}]),
        (
            (
                "SELECT n, rank() OVER w AS r FROM main.monitoring.metrics"
                " WINDOW w AS (ORDER BY window.start DESC) ORDER BY n"
            ),
            [{"n": 3, "r": 2}, {"n": 4, "r": 1}],
        ),
        (
            (
                "WITH a AS (SELECT * FROM lab.air.flights)"
                " SELECT count(*) AS c FROM a JOIN main.monitoring.metrics USING (column)"
            ),
            [{"c": 2}],
        ),
        ("SELECT count(*) AS c FROM lab.air.flights NATURAL JOIN main.monitoring.metrics", [{"c": 2}]),
        ("SELECT sum(id) AS s FROM LAB.AIR.FLIGHTS", [{"s": 6}]),
        ("SELECT f FROM lab.air.flights f WHERE id = 1", [{"f": {"id": 1, "column": "temp"}}]),
        ("SELECT a FROM lab.air.flights AS f(a, b) WHERE b = 'rain'", [{"a": 3}]),
        ("SELECT count(*) AS c FROM lab.air.flights x, lab.air.flights y", [{"c": 9}]),
        ("FROM lab.air.flights SELECT id LIMIT 1", [{"id": 1}]),
        ("SELECT 1 AS one UNION ALL SELECT id FROM lab.air.flights WHERE id = 2", [{"one": 1}, {"one": 2}]),
        (
            "SELECT count(*) AS c FROM lab.air.flights WHERE id IN (SELECT n FROM main.monitoring.metrics)",
            [{"c": 1}],
        ),
        ("SELECT now() > '2020-01-01' AS later", [{"later": True}]),
        ("SELECT 2::DECIMAL(38,0) * 100000000000000000000 AS big", [{"big": Decimal(2 * 10**20)}]),
    ],
)
def test_a_query_answers(tables, sql, expected):
    assert rows(tables, sql) == expected


@pytest.mark.parametrize("form", ["isnan(x)", "x > 2.5", "NOT (x < 3)", "x = 'nan'::DOUBLE"])
def test_nan_is_found_in_every_form(tables, form):
    """Parquet statistics leave NaN out; an engine that believes them loses it."""
    found = rows(tables, f'SELECT count(*) FILTER ({form} AND isnan(x)) AS c FROM lab."two words"."q""t"')
    assert found == [{"c": 1}]


def test_nan_is_not_counted_where_it_is_left_out(tables):
    sql = (
        'SELECT count(*) FILTER (NOT isnan(x)) AS c, max(nullif(x, \'nan\')) AS m FROM lab."two words"."q""t"'
    )
    assert rows(tables, sql) == [{"c": 3, "m": 3.0}]


def test_describe_and_summarize_tell_of_a_table(tables):
    described = tables.query("DESCRIBE lab.air.flights").column("column_name").to_pylist()
    assert described == ["id", "column"]
    assert tables.query("SUMMARIZE main.monitoring.metrics").column("count").to_pylist() == [2, 2, 2, 2]


def test_moments_come_in_utc(tables):
    found = tables.query("SELECT window.start AS t FROM main.monitoring.metrics")
    assert found.schema.field("t").type == pa.timestamp("us", "UTC")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_text('/etc/hostname')",
        "SELECT * FROM glob('/etc/*')",
        "SELECT * FROM parquet_scan('x.parquet')",
        "SELECT * FROM delta_scan('/tmp/x')",  # an extension that DuckDB would fetch and install by itself
        "SELECT * FROM sqlite_scan('/tmp/x.db', 'runs')",
        "SET enable_external_access = true",
        "PRAGMA database_list",
        "CALL pragma_version()",
        "ATTACH '/tmp/x.db'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "COPY (SELECT 1) TO '/tmp/lakemon-must-not-be.csv'",
        "EXPORT DATABASE '/tmp/lakemon-must-not-be'",
        "USE lab",
        "EXPLAIN ANALYZE SELECT 1",
        "WITH x AS (INSERT INTO lab.air.flights VALUES (9) RETURNING 1) SELECT * FROM x",
        "SELECT * FROM lab.air.flights; DROP TABLE lab.air.flights",
        "SELECT nope FROM lab.air.flights",
        "SELECT id FROM lab.air.flights WHERE",
        "SELECT 'open",
        "-- nothing",
        "SELECT CAST('x' AS INTEGER)",
    ],
)
def test_what_is_more_than_reading_tables_or_makes_no_sense_is_refused(tables, sql):
    with pytest.raises(DataError, match="LM310"):
        tables.query(sql)
    assert rows(tables, "SELECT count(*) AS c FROM lab.air.flights") == [{"c": 3}]


@pytest.mark.parametrize("source", ["'/etc/hostname'", "flights", "air.flights", "information_schema.tables"])
def test_a_table_without_all_three_levels_is_refused(tables, source):
    with pytest.raises(DataError, match=r"LM301.*catalog\.schema\.table"):
        tables.query(f"SELECT * FROM {source}")


def test_an_unknown_table_is_named_with_its_nearest(tables):
    with pytest.raises(DataError, match=r"LM301.*lab\.air\.Flights"):
        tables.query("SELECT * FROM lab.air.flihgts")


def test_a_metric_table_that_is_not_there_yet_is_made_by_a_run(tables):
    with pytest.raises(DataError, match="`lakemon run` makes it") as caught:
        tables.query("SELECT * FROM lab.monitoring.flights_drift_metrics")
    assert "import" not in str(caught.value)


def test_an_unknown_column_is_named_with_its_nearest(tables):
    with pytest.raises(DataError, match=r'LM310.*"nn".*"n"'):
        tables.query("SELECT nn FROM main.monitoring.metrics")


def test_variables_of_the_program_are_no_tables(tables):
    secrets = pa.table({"x": [1]})
    with pytest.raises(DataError, match="LM301"):
        tables.query("SELECT * FROM secrets")
    assert secrets.num_rows == 1


def test_a_message_shows_no_inner_names(tables):
    with pytest.raises(DataError) as caught:
        tables.query("SELECT nope.x FROM main.monitoring.metrics")
    assert "lakemon" not in str(caught.value)


def test_a_query_ends_when_it_is_stopped(tables):
    stop = Event()
    Timer(0.2, stop.set).start()
    with pytest.raises(DataError, match="LM317"):
        tables.query("SELECT count(*) FROM range(10000000000000)", stop=stop)
    assert tables.query("SELECT 1 AS one", stop=Event()).to_pylist() == [{"one": 1}]
