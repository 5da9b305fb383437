"""Every state of an incident with every verdict of the next window: the whole table, cell by cell."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from lakemon_core.alerting.incidents import step
from lakemon_core.domain.figures import Kind
from lakemon_core.domain.rule import Rule, Signal, Status, Verdict
from lakemon_core.domain.run import Severity
from lakemon_core.domain.window import Window

START = datetime(2026, 1, 5, tzinfo=UTC)
NOW = datetime(2027, 1, 4, tzinfo=UTC)
RULE = Rule("null_rate", 0.3, for_windows=(2, 2))
VERDICTS = {
    "critical": (Status.BREACHED, Severity.CRITICAL, False, Kind.BREACH),
    "warning": (Status.BREACHED, Severity.WARNING, False, Kind.BREACH),
    "recovered": (Status.OK, Severity.CRITICAL, True, Kind.BREACH),
    "between": (Status.OK, Severity.CRITICAL, False, Kind.BREACH),
    "no data": (Status.UNKNOWN, Severity.CRITICAL, False, Kind.NO_DATA),
    "error": (Status.UNKNOWN, Severity.CRITICAL, False, Kind.ERROR),
    "awaited": (Status.UNKNOWN, Severity.CRITICAL, False, Kind.BREACH),
}
UNKNOWN = ("no data", "error", "awaited")
TABLE = {
    ("new", "critical"): ("pending", None),
    ("new", "warning"): ("pending", None),
    ("new", "recovered"): ("ok", None),
    ("new", "between"): ("ok", None),
    ("ok", "critical"): ("pending", None),
    ("ok", "warning"): ("pending", None),
    ("ok", "recovered"): ("ok", None),
    ("ok", "between"): ("ok", None),
    ("pending", "critical"): ("open", "opened"),
    ("pending", "warning"): ("open", "opened"),
    ("pending", "recovered"): ("ok", None),
    ("pending", "between"): ("ok", None),
    ("warned", "critical"): ("open", "escalated"),
    ("warned", "warning"): ("open", None),
    ("warned", "recovered"): ("resolved", "resolved"),
    ("warned", "between"): ("open", None),
    ("open", "critical"): ("open", None),
    ("open", "warning"): ("open", None),
    ("open", "recovered"): ("resolved", "resolved"),
    ("open", "between"): ("open", None),
    ("acknowledged warning", "critical"): ("open", "escalated"),
    ("acknowledged warning", "warning"): ("acknowledged", None),
    ("acknowledged warning", "recovered"): ("resolved", "resolved"),
    ("acknowledged warning", "between"): ("acknowledged", None),
    ("acknowledged", "critical"): ("acknowledged", None),
    ("acknowledged", "warning"): ("acknowledged", None),
    ("acknowledged", "recovered"): ("resolved", "resolved"),
    ("acknowledged", "between"): ("acknowledged", None),
    ("resolved", "critical"): ("pending", None),
    ("resolved", "warning"): ("pending", None),
    ("resolved", "recovered"): ("resolved", None),
    ("resolved", "between"): ("resolved", None),
    ("pending again", "critical"): ("open", "reopened"),
    ("pending again", "warning"): ("open", "reopened"),
    ("pending again", "recovered"): ("resolved", None),
    ("pending again", "between"): ("resolved", None),
}
WAYS = {
    "new": (),
    "ok": ("recovered",),
    "pending": ("critical",),
    "warned": ("warning", "warning"),
    "open": ("critical", "critical"),
    "acknowledged warning": ("warning", "warning", "ack"),
    "acknowledged": ("critical", "critical", "ack"),
    "resolved": ("critical", "critical", "recovered"),
    "pending again": ("critical", "critical", "recovered", "critical"),
}
"""How an incident comes into each state, by `2 of 2` windows."""


def verdict_of(name, week):
    window = Window(START + timedelta(weeks=week), START + timedelta(weeks=week + 1))
    status, severity, recovered, kind = VERDICTS[name]
    signal = Signal(window, "1 week", "*", None, None, "temp", "null_rate", "null_rate", None, 0.4, 99, "t:1")
    return Verdict(RULE, "f", status, severity, window, signal, 0.3, recovered, kind=kind)


def brought_to(state_name):
    state = None
    for week, name in enumerate(WAYS[state_name]):
        if name == "ack":
            state = replace(state, status="acknowledged")
        else:
            state, _ = step(state, verdict_of(name, week), run_id="r", now=NOW)
    return state, len(WAYS[state_name])


def test_the_table_has_a_cell_for_every_state_and_every_verdict():
    cells = set(TABLE) | {(state, name) for state in WAYS for name in UNKNOWN}
    assert cells == set(product(WAYS, VERDICTS))


@pytest.mark.parametrize(("state_name", "verdict"), TABLE)
def test_a_window_that_could_be_judged_moves_the_incident_as_the_table_says(state_name, verdict):
    status, transition = TABLE[state_name, verdict]
    state, week = brought_to(state_name)
    after, events = step(state, verdict_of(verdict, week), run_id="r", now=NOW)
    assert after.status == status
    assert [event.transition.value for event in events] == ([transition] if transition else [])


@pytest.mark.parametrize(("state_name", "verdict"), list(product(WAYS, UNKNOWN)))
def test_a_window_that_could_not_be_judged_moves_nothing(state_name, verdict):
    state, week = brought_to(state_name)
    after, events = step(state, verdict_of(verdict, week), run_id="r", now=NOW)
    assert after is state
    assert events == ()


@pytest.mark.parametrize(
    ("state_name", "verdict"), list(product([name for name in WAYS if name != "new"], VERDICTS))
)
def test_an_old_window_moves_nothing(state_name, verdict):
    state, _ = brought_to(state_name)
    assert step(state, verdict_of(verdict, 0), run_id="r", now=NOW) == (state, ())
