"""The ledger's file: made whole, checked, upgraded whole, shared by threads and processes."""

import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import pytest
from lakemon_local.ledger import Batch, Deployment, SqliteLedger, database

from lakemon_core.domain.errors import WorkspaceError
from lakemon_core.testing.ledger import NOON, a_run, an_event, an_incident, an_item
from lakemon_core.testing.sinks import FixedClock


@pytest.fixture
def path(tmp_path):
    return tmp_path / "workspace" / "ledger.db"


@pytest.fixture
def ledger(path):
    ledger = SqliteLedger(path, FixedClock(NOON))
    yield ledger
    ledger.close()


def opened_again(path):
    return SqliteLedger(path, FixedClock(NOON))


def test_what_was_written_is_there_in_another_process(path, ledger):
    ledger.put("mark", "7")
    code = (
        "import sys; from pathlib import Path; from lakemon_local.ledger import SqliteLedger;"
        "print(SqliteLedger(Path(sys.argv[1]), None).get('mark'))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "7"


def test_every_commit_waits_for_the_disk_and_readers_do_not_wait_for_writers(path, ledger):
    ledger.put("mark", "1")
    with closing(sqlite3.connect(path)) as other:
        assert other.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        other.execute("BEGIN IMMEDIATE")
        assert ledger.get("mark") == "1"
    assert ledger._connection.execute("PRAGMA synchronous").fetchone() == (2,)


def test_a_ledger_of_a_newer_lakemon_is_refused_politely_and_left_alone(path, ledger):
    ledger.put("mark", "1")
    ledger.close()
    with closing(sqlite3.connect(path)) as newer:
        newer.execute("PRAGMA user_version = 99")
    with pytest.raises(WorkspaceError, match=r"LM602.*newer lakemon.*upgrade"):
        opened_again(path).get("mark")
    with closing(sqlite3.connect(path)) as newer:
        assert newer.execute("PRAGMA user_version").fetchone() == (99,)


def empty(path):
    path.write_bytes(b"")


def garbage(path):
    path.write_bytes(b"this is not a database" * 100)


def cut(path):
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2 + 100])


def zeroed_page(path):
    data = bytearray(path.read_bytes())
    data[4096 * 2 : 4096 * 3] = bytes(4096)
    path.write_bytes(data)


def foreign(path):
    path.unlink()
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE songs (title)")


@pytest.mark.parametrize("damage", [empty, garbage, cut, zeroed_page, foreign])
def test_a_damaged_ledger_is_named_with_the_way_back_and_left_alone(path, ledger, damage):
    ledger.commit([an_incident(f"f{n}") for n in range(50)], [an_event(f"k{n}") for n in range(50)], [])
    ledger.close()
    damage(path)
    before = path.read_bytes()
    with pytest.raises(WorkspaceError, match="LM603") as caught:
        opened_again(path).incidents()
    assert caught.value.where == str(path)
    assert "move" in caught.value.cure
    assert path.read_bytes() == before


def test_a_killed_creation_leaves_no_ledger_and_the_next_one_makes_it(path):
    """The file is linked into its place when it is whole; a draft of a dead process does not matter."""
    path.parent.mkdir()
    (path.parent / f".{path.name}.99999").write_bytes(b"half a draft")
    assert not path.exists()
    assert opened_again(path).get("mark") is None


def test_many_processes_may_make_it_at_once(path):
    code = (
        "import sys; from pathlib import Path; from lakemon_local.ledger import SqliteLedger;"
        "SqliteLedger(Path(sys.argv[1]), None).put(sys.argv[2], 'x')"
    )
    writers = [subprocess.Popen([sys.executable, "-c", code, str(path), f"k{n}"]) for n in range(4)]
    assert [writer.wait() for writer in writers] == [0] * 4
    assert [opened_again(path).get(f"k{n}") for n in range(4)] == ["x"] * 4
    assert not list(path.parent.glob(".*"))


def test_an_older_file_is_upgraded_whole_or_not_at_all(path, ledger, monkeypatch):
    """A second version whose last statement fails, then one that works."""
    ledger.put("mark", "old")
    ledger.close()
    first = database._MIGRATIONS
    for second, works in (("CREATE TABLE more (x); SELECT nope", False), ("CREATE TABLE more (x)", True)):
        monkeypatch.setattr(database, "_MIGRATIONS", (*first, second))
        monkeypatch.setattr(database, "SCHEMA_VERSION", 2)
        if works:
            assert opened_again(path).get("mark") == "old"
        else:
            with pytest.raises(WorkspaceError):
                opened_again(path).get("mark")
        with closing(sqlite3.connect(path)) as file:
            assert file.execute("PRAGMA user_version").fetchone() == (2 if works else 1,)
            assert file.execute("SELECT count(*) FROM sqlite_master WHERE name = 'more'").fetchone() == (
                works,
            )


def test_a_locked_ledger_is_waited_for_and_then_named(path, ledger, monkeypatch):
    ledger.put("mark", "1")
    ledger.close()
    monkeypatch.setattr(database, "_BUSY_SECONDS", 0.2)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(WorkspaceError, match="LM604"):
            opened_again(path).put("mark", "2")
        other.execute("ROLLBACK")
    assert opened_again(path).get("mark") == "1"


def test_a_place_where_nothing_can_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(WorkspaceError, match="LM605") as caught:
        opened_again(tmp_path / "file" / "ledger.db").put("mark", "1")
    assert caught.value.where.endswith("ledger.db")


def test_threads_share_one_ledger(ledger):
    def work(number):
        for step in range(20):
            ledger.put(f"k{number}", str(step))
            ledger.commit([], [an_event(f"{number}/{step}")], [an_item(f"{number}/{step}")])

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ledger.events(limit=1000)) == 80
    assert len(ledger.outbox()) == 80


def test_a_commit_that_fails_leaves_nothing_behind(ledger):
    with pytest.raises(TypeError):
        ledger.commit([an_incident()], [an_event()], [replace(an_item("m"), detail={1, 2})])
    assert not ledger.incidents()
    assert not ledger.events()
    ledger.put("still", "usable")


def test_incident_states_are_only_appended(path, ledger):
    ledger.commit([an_incident()], [], [])
    ledger.commit([replace(ledger.incidents()["f1"], recent="o")], [], [])
    with closing(sqlite3.connect(path)) as file:
        assert file.execute("SELECT fingerprint, version FROM incident_states").fetchall() == [
            ("f1", 1),
            ("f1", 2),
        ]


def test_deployments_are_kept_in_order_for_each_endpoint(ledger):
    later = NOON + timedelta(hours=1)
    ledger.record_deployment("e", "1", "e-1", NOON)
    ledger.record_deployment("other", "9", "o-9", NOON)
    ledger.record_deployment("e", "2", "e-2", later)
    assert list(ledger.deployments("e")) == [
        Deployment("e", "1", "e-1", NOON),
        Deployment("e", "2", "e-2", later),
    ]
    assert not ledger.deployments("nobody")


def test_a_batch_is_noted_once(ledger):
    ledger.record_batch("mover", 2, 5, "beef")
    ledger.record_batch("mover", 1, 3, "cafe")
    ledger.record_batch("mover", 1, 99, "dead")
    assert list(ledger.batches("mover")) == [
        Batch("mover", 1, 3, "cafe", NOON),
        Batch("mover", 2, 5, "beef", NOON),
    ]


def test_runs_survive_closing(path, ledger):
    ledger.start_run(a_run("r1"))
    ledger.close()
    assert [run.run_id for run in ledger.runs()] == ["r1"]
