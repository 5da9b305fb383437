"""The headline is honest: what could not be judged is never called healthy."""

from dataclasses import replace

import pytest
from fakes.report_facts import NOW, drift, incident, monitor, opening, run, verdict

from lakemon_core.domain.incident import IncidentStatus
from lakemon_core.domain.rule import Status
from lakemon_core.domain.run import Severity, Stage, StageOutcome, StageStatus
from lakemon_core.report.facts import Facts
from lakemon_core.report.headline import State, changes, headline

AMOUNT, AGE = drift("amount", 0, 0.05), drift("age", 0, None, reason="no rows")
FINE = Facts(monitor(), NOW, signals=[AMOUNT], verdicts=[verdict(AMOUNT, Status.OK)], runs=[run()])
OPEN = incident(AMOUNT, IncidentStatus.OPEN)

STATES = {
    "all judged and fine": (FINE, State.HEALTHY, "All 1 judged number within the limits."),
    "nothing measured": (Facts(monitor(), NOW), State.UNKNOWN, "Nothing has been measured yet."),
    "no rule": (
        replace(FINE, verdicts=()),
        State.UNKNOWN, "No rule judges any of the numbers that were measured.",
    ),
    "nothing judged": (
        replace(FINE, verdicts=[verdict(AGE, Status.UNKNOWN)]),
        State.UNKNOWN, "None of 1 number could be judged in its newest window.",
    ),
    "one of two unknown": (
        replace(FINE, verdicts=[*FINE.verdicts, verdict(AGE, Status.UNKNOWN)]),
        State.ATTENTION, "1 of 2 numbers could not be judged.",
    ),
    "a run that failed": (
        replace(FINE, runs=[run("incomplete")]),
        State.ATTENTION, "The last run, 20260501T080000-4f2a, ended incomplete.",
    ),
    "a breach without incident": (
        replace(FINE, verdicts=[verdict(AMOUNT, Status.BREACHED)]),
        State.ATTENTION, "1 number beyond the limit, no incident open yet.",
    ),
    "a warning": (
        replace(FINE, incidents=[replace(OPEN, severity=Severity.WARNING)]),
        State.ATTENTION, "1 incident open.",
    ),
    "a critical incident": (replace(FINE, incidents=[OPEN]), State.INCIDENT, "1 critical incident open."),
    "an acknowledged one": (
        replace(FINE, incidents=[replace(OPEN, status=IncidentStatus.ACKNOWLEDGED)]),
        State.INCIDENT, "1 critical incident open.",
    ),
    "a critical one and nothing judged": (
        Facts(monitor(), NOW, incidents=[OPEN]), State.INCIDENT, "1 critical incident open.",
    ),
    "one that is over": (
        replace(FINE, incidents=[replace(OPEN, status=IncidentStatus.RESOLVED)]),
        State.HEALTHY, "All 1 judged number within the limits.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", STATES)
def test_the_headline_says_how_the_model_stands(case):
    facts, state, sentence = STATES[case]
    told = headline(facts)
    assert (told.state, told.sentence) == (state, sentence)


def test_only_what_the_newest_run_moved_has_changed():
    facts = replace(FINE, events=[opening(OPEN, run().run_id), opening(OPEN, "an earlier run")])
    assert [(one.what, one.title) for one in changes(facts)] == [("opened", OPEN.title)]


def test_what_the_newest_run_measured_is_told():
    measured = StageOutcome(Stage.MONITOR, StageStatus.DONE, 1.0, {"windows": 12})
    failed = StageOutcome(Stage.ANALYZE, StageStatus.FAILED, 1.0, {"error": "LM310 no"})
    facts = replace(FINE, runs=[replace(run("incomplete"), stages=(measured, failed))])
    told = [(one.what, one.title) for one in changes(facts)]
    assert told == [("analyze failed", "LM310 no"), ("measured", "12 windows")]
