"""From the spool to the lake: nothing lost, nothing doubled."""

import json
import sqlite3

import pytest
from lakemon_local.serving.spool import LoggedCall, Mover, Spool, payload_rows, payload_schema
from lakemon_local.tables import DeltaTables

from lakemon_core.domain.errors import WorkspaceError
from lakemon_core.domain.names import TableName

ONE = TableName("dev", "flights", "one_payload")
TWO = TableName("dev", "flights", "two_payload")


def call(number: int, **changes: object) -> LoggedCall:
    fields: dict[str, object] = {
        "databricks_request_id": f"r{number}",
        "client_request_id": None,
        "request_time": 1_700_000_000_000_000 + number,
        "status_code": 200,
        "execution_duration_ms": 3,
        "request": '{"inputs": [1]}',
        "response": '{"predictions": [1]}',
        "logging_error_codes": "[]",
        "served_entity_id": "e1",
    }
    return LoggedCall(**{**fields, **changes})


@pytest.fixture
def tables(tmp_path):
    return DeltaTables(tmp_path / "tables")


@pytest.fixture
def spool(tmp_path):
    spool = Spool(tmp_path / "spool.db", patience=0.2)
    yield spool
    spool.close()


def put(spool: Spool, numbers: range, payload: TableName = ONE) -> None:
    for future in [spool.put(payload, call(number)) for number in numbers]:
        future.result(timeout=120)


def ids(tables: DeltaTables, payload: TableName = ONE) -> list[str]:
    return sorted(tables.scan(payload, columns=["databricks_request_id"]).read_all()[0].to_pylist())


def test_a_row_whose_future_is_done_is_seen_by_another_process(spool):
    put(spool, range(50))
    with sqlite3.connect(spool.path) as other:
        assert other.execute("SELECT count(*) FROM requests").fetchone() == (50,)


def test_rows_move_to_their_tables_and_leave_the_spool(spool, tables):
    put(spool, range(5), ONE)
    put(spool, range(5, 8), TWO)
    mover = Mover(spool, tables)
    mover.flush()
    assert ids(tables, ONE) == ["r0", "r1", "r2", "r3", "r4"]
    assert ids(tables, TWO) == ["r5", "r6", "r7"]
    assert (spool.waiting(), mover.moved) == (0, 8)


def test_an_empty_spool_makes_no_version(spool, tables):
    put(spool, range(1))
    mover = Mover(spool, tables)
    mover.flush()
    version = tables.info(ONE).version
    mover.flush()
    assert tables.info(ONE).version == version


def test_a_batch_that_was_written_but_not_forgotten_is_not_written_again(tmp_path, tables):
    spool = Spool(tmp_path / "spool.db")
    put(spool, range(4))
    batch = spool.next_batch()
    assert batch is not None
    tables.append(batch.payload, payload_rows(batch.calls), batch=(batch.writer, batch.number))
    put(spool, range(4, 6))
    spool.close()  # as if the process had died here

    again = Spool(tmp_path / "spool.db")
    Mover(again, tables).flush()
    assert ids(tables) == ["r0", "r1", "r2", "r3", "r4", "r5"]
    assert again.waiting() == 0
    again.close()


def test_a_batch_that_was_begun_but_not_written_is_written_later(tmp_path, tables):
    spool = Spool(tmp_path / "spool.db")
    put(spool, range(3))
    begun = spool.next_batch()
    spool.close()
    again = Spool(tmp_path / "spool.db")
    put(again, range(3, 5))
    resumed = again.next_batch()
    assert (resumed.number, [row.databricks_request_id for row in resumed.calls]) == (
        begun.number, ["r0", "r1", "r2"],
    )  # fmt: skip
    Mover(again, tables).flush()
    assert ids(tables) == ["r0", "r1", "r2", "r3", "r4"]
    again.close()


def test_a_new_spool_beside_an_old_table_does_not_pass_for_written(tmp_path, tables):
    for name in ("first.db", "second.db"):
        spool = Spool(tmp_path / name)
        put(spool, range(3))
        Mover(spool, tables).flush()
        spool.close()
    assert ids(tables) == ["r0", "r0", "r1", "r1", "r2", "r2"]


def test_rows_wait_while_the_table_cannot_be_written(spool, tmp_path):
    put(spool, range(3))
    (tmp_path / "tables").write_text("in the way")
    mover = Mover(spool, DeltaTables(tmp_path / "tables"))
    mover.start()
    mover.stop()
    assert spool.waiting() == 3
    assert mover.failures > 0
    assert mover.last_error
    (tmp_path / "tables").unlink()
    mover.flush()
    assert (spool.waiting(), ids(DeltaTables(tmp_path / "tables"))) == (0, ["r0", "r1", "r2"])


def test_large_rows_go_in_several_batches(spool):
    big = "x" * (1024 * 1024)
    for number in range(140):
        future = spool.put(ONE, call(number, request=big))
    future.result(timeout=120)
    sizes = []
    while batch := spool.next_batch():
        sizes.append(len(batch.calls))
        spool.forget(batch)
    assert sum(sizes) == 140
    assert max(sizes) < 70


def test_rows_keep_what_the_payload_table_of_databricks_holds(spool, tables):
    odd = call(1, client_request_id="ü'\"\n", status_code=400, request=None, served_entity_id=None,
               logging_error_codes=json.dumps(["MAX_REQUEST_SIZE_EXCEEDED"]))  # fmt: skip
    spool.put(ONE, odd).result(timeout=120)
    Mover(spool, tables).flush()
    rows = tables.scan(ONE).read_all()
    assert rows.schema.names == payload_schema().names
    row = rows.to_pylist()[0]
    assert row["request_time"].isoformat() == "2023-11-14T22:13:20.000001+00:00"
    assert row["request_date"].isoformat() == "2023-11-14"
    assert row["logging_error_codes"] == ["MAX_REQUEST_SIZE_EXCEEDED"]
    assert (row["client_request_id"], row["request"], row["status_code"]) == ("ü'\"\n", None, 400)
    assert (row["sampling_fraction"], row["requester"], row["served_entity_id"]) == (1.0, None, None)


def test_a_row_that_cannot_be_written_fails_its_future(spool):
    with sqlite3.connect(spool.path) as other:
        other.execute("ALTER TABLE requests RENAME TO elsewhere")
    with pytest.raises(sqlite3.Error):
        spool.put(ONE, call(1)).result(timeout=120)


def test_a_spool_that_another_process_locks_for_good_fails_the_future(spool):
    other = sqlite3.connect(spool.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        spool.put(ONE, call(1)).result(timeout=120)
    other.execute("ROLLBACK")
    spool.put(ONE, call(2)).result(timeout=120)
    other.close()


@pytest.mark.parametrize("content", [b"no database at all" * 100, b"SQLite format 3\x00" + b"\xff" * 5000])
def test_a_file_that_is_no_spool_is_named(tmp_path, content):
    (tmp_path / "spool.db").write_bytes(content)
    with pytest.raises(WorkspaceError, match=r"LM610 .*spool\.db"):
        Spool(tmp_path / "spool.db")


def test_a_spool_of_a_newer_lakemon_is_left_alone(tmp_path):
    with sqlite3.connect(tmp_path / "spool.db") as newer:
        newer.execute("PRAGMA user_version = 99")
    with pytest.raises(WorkspaceError, match=r"LM610 .*newer lakemon"):
        Spool(tmp_path / "spool.db")
