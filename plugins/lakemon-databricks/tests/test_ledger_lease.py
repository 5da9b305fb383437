"""One run at a time holds an environment; what two write at the same moment is written once."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from fakes.databricks import FakeWorkspace, faults
from lakemon_databricks.ledger import LakeLedger, hold
from lakemon_databricks.statements import Statements

from lakemon_core.domain.errors import WorkspaceBusy, WorkspaceError
from lakemon_core.domain.names import TableName
from lakemon_core.testing.ledger import an_event, an_incident, an_item

TABLE = TableName("lab", "lakemon", "flights_logs_ledger")
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


class HandClock:
    def __init__(self) -> None:
        self.time = NOON

    def now(self) -> datetime:
        return self.time


@pytest.fixture
def ledger(databricks_workspace: FakeWorkspace) -> LakeLedger:
    databricks_workspace.lake.create_catalog("lab")
    statements = Statements(databricks_workspace.client(), databricks_workspace.warehouse_id, 20.0)
    return LakeLedger(statements, TABLE)


def test_the_second_run_is_told_who_holds_the_environment(ledger):
    clock = HandClock()
    with hold(ledger.entries, "run-1", clock):
        with pytest.raises(WorkspaceBusy, match=r"LM601 .*run-1"), hold(ledger.entries, "run-2", clock):
            pass
        clock.time += timedelta(minutes=1)
    with hold(ledger.entries, "run-2", clock):
        pass


def test_the_lease_of_a_dead_run_runs_out(ledger):
    clock = HandClock()
    held = hold(ledger.entries, "dead", clock)
    held.__enter__()
    clock.time += timedelta(minutes=4)
    with pytest.raises(WorkspaceBusy, match="dead"), hold(ledger.entries, "run-2", clock):
        pass
    clock.time += timedelta(minutes=2)
    with hold(ledger.entries, "run-2", clock):
        assert ledger.entries.value("lease", "run")


def test_a_write_that_loses_against_another_is_sent_again(ledger, databricks_workspace):
    ledger.put("mark", "0")
    databricks_workspace.lake.conflict_on(str(TABLE), times=2)
    ledger.put("mark", "1")
    assert ledger.get("mark") == "1"


@pytest.mark.parametrize("nth", range(3))
def test_an_alert_is_kept_and_sent_once_when_answers_are_lost(ledger, databricks_workspace, nth):
    ledger.commit([an_incident()], [an_event()], [])
    lost = faults.loses_the_answer()
    databricks_workspace.faults.on("POST", "/api/2.0/sql/statements", lost, after=nth)
    ledger.commit([], [], [an_item("m1")])
    databricks_workspace.faults.clear()
    assert [item.key for item in ledger.outbox()] == ["m1"]


def test_a_ledger_that_others_write_all_the_time_is_named(ledger, databricks_workspace):
    ledger.put("mark", "0")
    databricks_workspace.lake.conflict_on(str(TABLE), times=99)
    with pytest.raises(WorkspaceError, match=r"LM630.*flights_logs_ledger"):
        ledger.put("mark", "1")


def test_of_two_threads_that_note_at_once_both_are_heard(ledger):
    ledger.put("first", "0")
    threads = [threading.Thread(target=ledger.put, args=(f"mark {n}", str(n))) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [ledger.get(f"mark {n}") for n in range(4)] == ["0", "1", "2", "3"]


def test_something_unreadable_is_named(ledger, databricks_workspace):
    ledger.put("mark", "0")
    databricks_workspace.lake.sql(
        f"INSERT INTO {TABLE} (seq, kind, key, version, status, value) VALUES (9, 'run', 'r', 0, '', 'x')"
    )
    with pytest.raises(WorkspaceError, match="LM631"):
        ledger.runs()
