"""What the ledger of every backend must do, as tests: subclass `LedgerContract` and give it yours.

class TestMyLedger(LedgerContract):
    @pytest.fixture
    def ledger(self, tmp_path):
        return MyLedger(tmp_path / "ledger")
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from lakemon_core.domain.errors import WorkspaceError
from lakemon_core.domain.incident import (
    DeliveryResult,
    DeliveryStatus,
    Incident,
    IncidentEvent,
    IncidentStatus,
    Notification,
    OutboxItem,
    TargetResult,
    Transition,
)
from lakemon_core.domain.run import RunRecord, Severity, Stage, StageOutcome, StageStatus
from lakemon_core.domain.window import Window
from lakemon_core.ports import Ledger

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def a_run(run_id: str, hours: float = 0) -> RunRecord:
    """Returns a run that started some hours after noon."""
    return RunRecord(run_id, "dev", "c0ffee", NOON + timedelta(hours=hours))


def an_incident(fingerprint: str = "f1", **fields: object) -> Incident:
    """Returns an open incident with everything filled in."""
    opened = Incident(
        fingerprint=fingerprint,
        status=IncidentStatus.OPEN,
        episode=1,
        rule="feature_drift/psi",
        rule_hash="abc",
        model="dev.air.delays",
        environment="dev",
        column="temp 🌡",
        slice="origin=JFK",
        model_id="*",
        severity=Severity.CRITICAL,
        opened_at=NOON,
        head=NOON + timedelta(days=1),
        recent="oob",
        value=3.25,
        limit=0.2,
        title="PSI of temp is 3.25",
        evidence={"n": 5, "since": "2026-03-02", "top": ["a", "b"], "nested": {"x": None}},
    )
    return replace(opened, **fields)  # pyright: ignore[reportArgumentType] - fields of a test


def an_event(key: str = "f1/1/opened", incident: Incident | None = None) -> IncidentEvent:
    """Returns the opening of an incident."""
    window = Window(NOON, NOON + timedelta(days=1))
    return IncidentEvent(key, Transition.OPENED, incident or an_incident(), window, "run-1", NOON)


def an_item(key: str, *, thread: str = "f1", sink: str = "mail", minutes: float = 0) -> OutboxItem:
    """Returns a message that is due some minutes after noon."""
    notification = Notification(
        key=key,
        thread=thread,
        transition=Transition.OPENED,
        severity=Severity.WARNING,
        title="drift",
        lines=("one", "two"),
        facts={"psi": "3.25"},
        model="dev.air.delays",
        environment="dev",
        targets=("a@example.com",),
        owner="",
        runbook="",
        command="lakemon run",
        links={},
        created_at=NOON,
        chart=b"\x89PNG\x00\xff",
    )
    due = NOON + timedelta(minutes=minutes)
    return OutboxItem(key, sink, notification, thread, "due", 0, due, NOON)


class LedgerContract:
    """A suite for one implementation of `Ledger`; override the fixture `ledger` with an empty one."""

    @pytest.fixture
    def ledger(self) -> Ledger:
        """An empty ledger; to be overridden."""
        raise NotImplementedError

    def test_a_run_is_read_as_it_was_written(self, ledger: Ledger) -> None:
        """Every field, also nested ones."""
        stage = StageOutcome(Stage.MONITOR, StageStatus.DONE, 1.5, {"rows": 7, "tables": ["a"], "none": None})
        ledger.start_run(a_run("r1"))
        done = replace(a_run("r1"), finished_at=NOON + timedelta(seconds=3), status="done", stages=(stage,))
        ledger.save_run(done)
        assert list(ledger.runs()) == [done]

    def test_runs_come_newest_first_and_not_more_than_asked(self, ledger: Ledger) -> None:
        """By their start."""
        for number in (2, 3, 1):
            ledger.save_run(a_run(f"r{number}", hours=number))
        assert [run.run_id for run in ledger.runs(limit=2)] == ["r3", "r2"]

    def test_a_new_run_marks_a_dead_one_as_interrupted(self, ledger: Ledger) -> None:
        """Only those that were still running."""
        ledger.start_run(a_run("r1"))
        ledger.save_run(replace(a_run("r1"), status="done"))
        ledger.start_run(a_run("r2", hours=1))
        ledger.start_run(a_run("r3", hours=2))
        assert [run.status for run in ledger.runs()] == ["running", "interrupted", "done"]

    def test_a_note_is_the_last_text_put_under_its_key(self, ledger: Ledger) -> None:
        """And None before."""
        assert ledger.get("mark") is None
        ledger.put("mark", "1")
        ledger.put("mark", "it's 🙂")
        ledger.put("other", "")
        assert (ledger.get("mark"), ledger.get("other")) == ("it's 🙂", "")

    def test_states_events_and_messages_are_read_as_they_were_written(self, ledger: Ledger) -> None:
        """A state counts its writes."""
        item = an_item("m1")
        assert ledger.commit([an_incident()], [an_event()], [item]) == 1
        assert ledger.incidents() == {"f1": an_incident(version=1)}
        assert list(ledger.events()) == [an_event()]
        assert list(ledger.outbox()) == [item]

    def test_the_same_commit_again_changes_nothing(self, ledger: Ledger) -> None:
        """A run that is done twice tells once; a message that was sent is not made due again."""
        ledger.commit([an_incident()], [an_event()], [an_item("m1")])
        sent = replace(an_item("m1"), status="delivered", attempts=1)
        ledger.record(sent, DeliveryResult(DeliveryStatus.DELIVERED), NOON)
        assert ledger.commit([an_incident()], [an_event()], [an_item("m1")]) == 0
        assert ledger.incidents()["f1"].version == 1
        assert len(ledger.events()) == 1
        assert list(ledger.outbox()) == [sent]

    def test_the_newest_state_counts(self, ledger: Ledger) -> None:
        """Others are left alone."""
        ledger.commit([an_incident("f1"), an_incident("f2")], [], [])
        read = ledger.incidents()["f1"]
        ledger.commit([replace(read, status=IncidentStatus.RESOLVED)], [], [])
        states = ledger.incidents()
        assert (states["f1"].status, states["f1"].version) == (IncidentStatus.RESOLVED, 2)
        assert states["f2"].status is IncidentStatus.OPEN

    def test_a_state_that_somebody_else_changed_meanwhile_is_refused_with_all_that_comes_with_it(
        self, ledger: Ledger
    ) -> None:
        """LM606; no event and no message of that commit stays."""
        ledger.commit([an_incident()], [], [])
        mine = ledger.incidents()["f1"]
        ledger.commit([replace(mine, recent="oobb")], [], [])
        with pytest.raises(WorkspaceError, match="LM606"):
            ledger.commit([replace(mine, recent="oobo")], [an_event()], [an_item("m1")])
        assert ledger.incidents()["f1"].recent == "oobb"
        assert not ledger.events()
        assert not ledger.outbox()

    def test_events_come_newest_first(self, ledger: Ledger) -> None:
        """Not more than asked."""
        ledger.commit([], [an_event("k1"), an_event("k2")], [])
        ledger.commit([], [an_event("k3")], [])
        assert [event.key for event in ledger.events(limit=2)] == ["k3", "k2"]

    def test_a_message_is_due_from_its_time_on(self, ledger: Ledger) -> None:
        """Oldest first, and no longer once it is delivered."""
        ledger.commit(
            [], [], [an_item("m1"), an_item("m2", thread="f2", minutes=5), an_item("m3", thread="f3")]
        )
        assert [item.key for item in ledger.due(NOON)] == ["m1", "m3"]
        assert [item.key for item in ledger.due(NOON + timedelta(minutes=5))] == ["m1", "m2", "m3"]
        done = replace(an_item("m1"), status="delivered", attempts=1)
        ledger.record(done, DeliveryResult(DeliveryStatus.DELIVERED), NOON)
        assert [item.key for item in ledger.due(NOON)] == ["m3"]

    def test_a_message_waits_for_the_one_before_it_in_its_thread(self, ledger: Ledger) -> None:
        """At the same sink; other sinks and threads go on."""
        waiting = an_item("m1", minutes=10)
        others = [an_item("m2"), an_item("m3", sink="chat"), an_item("m4", thread="f2")]
        ledger.commit([], [], [waiting, *others])
        assert [item.key for item in ledger.due(NOON)] == ["m3", "m4"]
        later = NOON + timedelta(minutes=10)
        assert [item.key for item in ledger.due(later)] == ["m1", "m2", "m3", "m4"]

    def test_every_attempt_is_kept(self, ledger: Ledger) -> None:
        """Newest first, with what the channel said; the message keeps its newest state."""
        item = an_item("m1")
        ledger.commit([], [], [item])
        failed = DeliveryResult(DeliveryStatus.RETRY, code="451", detail="busy", retry_after=60.0)
        after = replace(item, attempts=1, next_at=NOON + timedelta(minutes=1), detail="busy")
        ledger.record(after, failed, NOON)
        assert list(ledger.outbox("due")) == [after]
        told = DeliveryResult(
            DeliveryStatus.DELIVERED,
            code="250",
            receipt={"ts": "1"},
            targets=(TargetResult("a@example.com", DeliveryStatus.DELIVERED, "250"),),
        )
        sent = replace(after, attempts=2, status="delivered", receipt={"ts": "1"})
        ledger.record(sent, told, NOON + timedelta(minutes=1))
        assert list(ledger.outbox("delivered")) == [sent]
        assert [dict(attempt) for attempt in ledger.deliveries()] == [
            {
                "key": "m1",
                "sink": "mail",
                "attempt": 2,
                "status": "delivered",
                "code": "250",
                "detail": "",
                "at": NOON + timedelta(minutes=1),
            },
            {
                "key": "m1",
                "sink": "mail",
                "attempt": 1,
                "status": "retry",
                "code": "451",
                "detail": "busy",
                "at": NOON,
            },
        ]
        assert len(ledger.deliveries(limit=1)) == 1

    def test_a_message_is_revised_only_by_whoever_saw_its_newest_state(self, ledger: Ledger) -> None:
        """Two that want to send the same message: one gets it. No attempt is noted."""
        item = an_item("m1")
        ledger.commit([], [], [item])
        held = replace(item, held_by="run-1", held_until=NOON + timedelta(minutes=1))
        assert ledger.revise(item, held)
        assert not ledger.revise(item, replace(item, held_by="run-2"))
        assert list(ledger.outbox()) == [held]
        assert not ledger.deliveries()

    def test_a_message_that_is_not_there_is_not_revised(self, ledger: Ledger) -> None:
        """Nor made."""
        item = an_item("m1")
        assert not ledger.revise(item, replace(item, status="dead"))
        assert not ledger.outbox()

    def test_a_revised_message_is_due_as_its_new_state_says(self, ledger: Ledger) -> None:
        """A dead one may become due again, later too."""
        dead = replace(an_item("m1"), status="dead", attempts=3)
        ledger.commit([], [], [dead])
        assert not ledger.due(NOON)
        assert ledger.revise(dead, replace(dead, status="due", next_at=NOON + timedelta(minutes=5)))
        assert not ledger.due(NOON)
        assert [item.key for item in ledger.due(NOON + timedelta(minutes=5))] == ["m1"]

    def test_moments_of_any_zone_are_compared_as_moments(self, ledger: Ledger) -> None:
        """And read back as the same moment."""
        local = NOON.astimezone(timezone(timedelta(hours=1)))
        item = replace(an_item("m1"), next_at=local, created_at=local)
        ledger.commit([], [], [item])
        assert [one.next_at for one in ledger.due(NOON)] == [NOON]
        assert not ledger.due(NOON - timedelta(seconds=1))
