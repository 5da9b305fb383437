from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest
from lakemon_local.ledger import SqliteLedger

from lakemon_core.alerting.incidents import Watch, advance
from lakemon_core.alerting.outbox import Ways, drain
from lakemon_core.alerting.rules import judge
from lakemon_core.alerting.sending.pace import Tools
from lakemon_core.domain.figures import Kind
from lakemon_core.domain.incident import DeliveryResult, DeliveryStatus, OutboxItem, Rendered
from lakemon_core.domain.rule import Compare, Rule, Signal, Status, Verdict
from lakemon_core.domain.run import Severity
from lakemon_core.domain.window import Window
from lakemon_core.ports import AlertSink, QualityMetric, SinkCheck
from lakemon_core.testing.sinks import FixedClock, open_sink, sample_notification

START = datetime(2026, 1, 5, tzinfo=UTC)
QUALITY = (
    QualityMetric("roc_auc", higher_is_better=True, column="roc_auc_score"),
    QualityMetric("log_loss", higher_is_better=False, column="log_loss"),
    QualityMetric("bias", higher_is_better=False, column="bias", two_sided=True),
)


@pytest.fixture
def week():
    """Week 0 starts on 2026-01-05."""

    def of(number):
        return Window(START + timedelta(weeks=number), START + timedelta(weeks=number + 1))

    return of


@pytest.fixture
def make_signal(week):
    """A signal of a week; drift signals are named with their statistic, `feature_drift:psi`."""

    def make(name="row_count", value=1000.0, *, week_number=0, column=":table", n=1000, **more):
        name, _, statistic = name.partition(":")
        signal = Signal(
            window=week(week_number),
            granularity="1 week",
            model_id="*",
            slice_key=None,
            slice_value=None,
            column=column,
            name=name,
            statistic=statistic or name,
            compare=Compare.BASELINE if statistic else None,
            value=value,
            n=n,
            method="test:1",
        )
        return replace(signal, **more)

    return make


@pytest.fixture
def judged(week):
    """Judges rules in the fiftieth week."""

    def run(rules, signals, *, now=None, granularity="1 week"):
        return judge(
            [rules] if isinstance(rules, Rule) else rules,
            signals,
            now=now or week(50).start,
            model="a.b.flights",
            environment="dev",
            metrics=QUALITY,
            granularity=granularity,
        )

    return run


RULE = Rule("null_rate", 0.3, id="nulls")
LETTERS = {
    "c": (Status.BREACHED, Severity.CRITICAL, False),
    "w": (Status.BREACHED, Severity.WARNING, False),
    "o": (Status.OK, Severity.CRITICAL, True),
    "n": (Status.OK, Severity.CRITICAL, False),
    "u": (Status.UNKNOWN, Severity.CRITICAL, False),
    "e": (Status.UNKNOWN, Severity.CRITICAL, False),
    "l": (Status.UNKNOWN, Severity.CRITICAL, False),
}
"""c critical, w warning, o recovered, n below the limit but not recovered, u no data, e error, l labels are
awaited."""
KINDS = {"u": Kind.NO_DATA, "e": Kind.ERROR}


@pytest.fixture
def verdict(make_signal):
    def make(letter, number, rule=RULE, column="temp"):
        status, severity, recovered = LETTERS[letter]
        signal = make_signal("null_rate", 0.4, column=column, week_number=number)
        return Verdict(
            rule=rule,
            fingerprint=f"print-of-{column}",
            status=status,
            severity=severity,
            window=signal.window,
            signal=signal,
            limit=0.3,
            recovered=recovered,
            reason="no labels yet" if letter in "uel" else "",
            kind=KINDS.get(letter, Kind.BREACH),
            model="a.b.flights",
            environment="dev",
        )

    return make


@pytest.fixture
def series(verdict):
    """Verdicts of successive weeks, one letter each."""
    return lambda letters, first=0, **more: [
        verdict(letter, first + number, **more) for number, letter in enumerate(letters)
    ]


@pytest.fixture
def story(week):
    """Runs batches of verdicts one after the other, each as one run."""

    class Story:
        def __init__(self):
            self.states = {}
            self.events = []

        def run(self, verdicts, *, now=None, rules=(RULE,), silences=()):
            number = len(self.events) + 1
            watch = Watch("a.b.flights", "dev", rules, silences)
            states, events = advance(self.states, verdicts, f"run-{number}", now or week(50).start, watch)
            self.states |= {state.fingerprint: state for state in states}
            self.events += events
            return states, events

        def weekly(self, verdicts):
            return [event for one in verdicts for event in self.run([one])[1]]

        @property
        def incident(self):
            (state,) = self.states.values()
            return state

    return Story()


TAKEN = {DeliveryStatus.DELIVERED, DeliveryStatus.ACCEPTED}


class ScriptedSink(AlertSink):
    """A channel that answers as it was told; what it took stands in `got`."""

    type = "scripted"

    def __init__(self, setup):
        super().__init__(setup)
        self.script = []
        self.got = []
        self.attempts = []

    def render(self, notification):
        if notification.title == "unspeakable":
            raise ValueError("cannot be rendered")
        return Rendered(notification.key, "text/plain")

    def deliver(self, rendered, attempt):
        self.attempts.append(attempt)
        answer = self.script.pop(0) if self.script else DeliveryStatus.DELIVERED
        if isinstance(answer, DeliveryStatus):
            answer = DeliveryResult(answer)
        if callable(answer):
            answer = answer()
        if isinstance(answer, DeliveryResult) and answer.status in {
            DeliveryStatus.DELIVERED,
            DeliveryStatus.ACCEPTED,
        }:
            self.got.append(rendered.body)
        return answer

    def check(self):
        return SinkCheck(ok=True, detail="")


@dataclass
class World:
    """A ledger, sinks and a clock that moves when somebody waits."""

    ledger: SqliteLedger
    clock: FixedClock
    sinks: dict
    waits: list = field(default_factory=list)
    luck: float = 1.0
    secret: str = ""

    def put(self, key="k1", sink="one", *, order="t", targets=(), **more):
        note = sample_notification(key=key, targets=targets, **more)
        now = self.clock.now()
        item = OutboxItem(key, sink, note, order, "due", 0, now, now)
        self.ledger.commit([], [], [item])
        return item

    def drain(self, *, pace=None, at_once=False, owner="drain", elsewhere=lambda item: ()):
        tools = Tools(
            wait=self.wait,
            elapsed=lambda: self.clock.now().timestamp(),
            draw=lambda: self.luck,
            redact=self.redact,
        )
        ways = Ways(owner, elsewhere, at_once)
        return drain(self.ledger, self.sinks, self.clock, pace=pace, tools=tools, ways=ways)

    def wait(self, seconds):
        self.waits.append(seconds)
        self.clock.moment += timedelta(seconds=seconds)

    def redact(self, text):
        return text.replace(self.secret, "***") if self.secret else text

    def later(self, **span):
        self.clock.moment += timedelta(**span)

    def state(self, key="k1"):
        return next(item for item in self.ledger.outbox() if item.key == key)


@pytest.fixture(scope="session")
def make_world():
    """Makes a world in a folder, with scripted sinks of these names."""

    def make(folder, *names):
        clock = FixedClock(datetime(2026, 3, 2, 9, 0, tzinfo=UTC))
        sinks = {name: open_sink(ScriptedSink, {}, folder) for name in names}
        return World(SqliteLedger(folder / "ledger.db", clock), clock, sinks)

    return make


@pytest.fixture
def world(tmp_path, make_world):
    world = make_world(tmp_path, "one", "two", "three")
    yield world
    world.ledger.close()
