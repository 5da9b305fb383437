"""The incident state machine against a reference that is small enough to be believed."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from lakemon_core.alerting.incidents import Watch, advance
from lakemon_core.domain.incident import IncidentStatus
from lakemon_core.domain.rule import Rule, Signal, Status, Verdict
from lakemon_core.domain.run import Severity
from lakemon_core.domain.silence import Silence
from lakemon_core.domain.window import Window

START = datetime(2026, 1, 5, tzinfo=UTC)
NOW = datetime(2027, 1, 4, tzinfo=UTC)
LETTERS = "cwonu"
"""c critical, w warning, o recovered, n below the limit but not recovered, u unknown."""


def verdict_of(letter, week, m, n, column):
    window = Window(START + timedelta(weeks=week), START + timedelta(weeks=week + 1))
    status = {"c": Status.BREACHED, "w": Status.BREACHED, "u": Status.UNKNOWN}.get(letter, Status.OK)
    signal = Signal(window, "1 week", "*", None, None, column, "null_rate", "null_rate", None, 0.4, 99, "t:1")
    return Verdict(
        rule=Rule("null_rate", 0.3, for_windows=(m, n)),
        fingerprint=column,
        status=status,
        severity=Severity.WARNING if letter == "w" else Severity.CRITICAL,
        window=window,
        signal=signal,
        limit=0.3,
        recovered=letter == "o",
        model="a.b.c",
        environment="dev",
    )


@dataclass
class Reference:
    """Thirty lines that say what an incident is."""

    m: int
    n: int
    is_open: bool = False
    episode: int = 0
    worst: str = ""
    letters: str = ""
    events: list = field(default_factory=list)

    def see(self, letter):
        if letter == "u":
            return
        self.letters += letter
        last = self.letters[-self.n :]
        breaches = sum(one in "cw" for one in last)
        breach = letter in "cw"
        if not self.is_open and breach and breaches >= self.m:
            self.is_open, self.episode = True, self.episode + 1
            self.worst = "c" if "c" in self.run_of_breaches() else "w"
            self.events.append("opened" if self.episode == 1 else "reopened")
        elif self.is_open and letter == "c" and self.worst == "w":
            self.worst = "c"
            self.events.append("escalated")
        elif self.is_open and letter == "o" and breaches < self.m:
            self.is_open, self.letters = False, ""
            self.events.append("resolved")

    def run_of_breaches(self):
        """The letters since the first breach that no n healthy windows separate from this one."""
        start = len(self.letters) - 1
        while any(one in "cw" for one in self.letters[max(0, start - self.n + 1) : start]):
            start -= 1
        return self.letters[start:]


@pytest.mark.parametrize(("m", "n"), [(1, 1), (2, 2), (1, 2), (2, 3)])
def test_every_history_of_five_windows_goes_as_the_reference_says(m, n):
    for letters in product(LETTERS, repeat=5):
        reference = Reference(m, n)
        for letter in letters:
            reference.see(letter)
        verdicts = [verdict_of(letter, week, m, n, "temp") for week, letter in enumerate(letters)]
        states, events = advance({}, verdicts, "run", NOW)
        assert [event.transition.value for event in events] == reference.events, letters
        assert any(state.is_open for state in states) == reference.is_open, letters
        assert sum(event.notify for event in events) == reference.is_open, letters


class Incidents(RuleBasedStateMachine):
    """Weeks arrive in any order, some late, some again; runs die before they commit; people silence and
    acknowledge at any time."""

    def __init__(self):
        super().__init__()
        self.states = {}
        self.references = {"temp": Reference(2, 3), "wind": Reference(1, 1)}
        self.heads = {"temp": -1, "wind": -1}
        self.history = {"temp": {}, "wind": {}}
        self.open_threads = set()
        self.keys = set()
        self.silenced = set()

    @rule(column=st.sampled_from(["temp", "wind"]))
    def silence_or_end_it(self, column):
        self.silenced ^= {column}
        self.run(column, 0, "", dies=False)

    @rule(column=st.sampled_from(["temp", "wind"]))
    def acknowledge(self, column):
        state = self.states.get(column)
        if state and state.is_open:
            self.states[column] = replace(state, status=IncidentStatus.ACKNOWLEDGED)

    @rule(
        column=st.sampled_from(["temp", "wind"]),
        first=st.integers(0, 40),
        letters=st.text(LETTERS, min_size=1, max_size=6),
        dies=st.booleans(),
    )
    def run(self, column, first, letters, dies):
        known = self.history[column]
        known |= {first + number: letter for number, letter in enumerate(letters)}
        changed, events = self.advance()
        if dies:
            return
        for name in self.history:
            for week, letter in sorted(self.history[name].items()):
                if week > self.heads[name] and letter != "u":
                    self.references[name].see(letter)
                    self.heads[name] = week
        self.states |= {state.fingerprint: state for state in changed}
        self.hear(events)
        assert self.advance() == ([], [])

    def advance(self):
        verdicts = [
            verdict_of(letter, week, self.references[name].m, self.references[name].n, name)
            for name, weeks in self.history.items()
            for week, letter in weeks.items()
        ]
        silences = [Silence(one, NOW + timedelta(1), "", "", NOW, {"column": one}) for one in self.silenced]
        watch = Watch("a.b.c", "dev", [], silences)
        return advance(self.states, verdicts, "run", NOW, watch)

    def hear(self, events):
        for event in events:
            assert event.key not in self.keys
            self.keys.add(event.key)
            thread = (event.incident.fingerprint, event.incident.episode)
            if not event.notify:
                continue
            if event.transition in {"opened", "reopened"}:
                assert thread not in self.open_threads
                self.open_threads.add(thread)
            else:
                assert thread in self.open_threads
            if event.transition == "resolved":
                self.open_threads.remove(thread)

    @invariant()
    def goes_as_the_reference_says(self):
        for name, reference in self.references.items():
            state = self.states.get(name)
            assert (state.is_open if state else False) == reference.is_open
            assert (state.episode if state else 0) == reference.episode

    @invariant()
    def people_know_exactly_what_is_open_and_not_silenced(self):
        now_open = {(state.fingerprint, state.episode) for state in self.states.values() if state.is_open}
        assert self.open_threads <= now_open
        assert {thread for thread in now_open if thread[0] not in self.silenced} <= self.open_threads


TestIncidents = Incidents.TestCase
TestIncidents.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
