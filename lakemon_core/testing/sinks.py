"""What every alert sink must do, as tests: subclass `AlertSinkContract` and give it your sink.

class TestPagerSink(AlertSinkContract):
    @pytest.fixture
    def sink(self, tmp_path, pager):
        return open_sink(PagerSink, {"url": pager.url}, tmp_path)

    @pytest.fixture
    def received(self, pager):
        return lambda: [message.text for message in pager.messages]
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from lakemon_core.domain.incident import (
    Attempt,
    Contributor,
    DeliveryResult,
    DeliveryStatus,
    Evidence,
    Kind,
    Notification,
    Transition,
)
from lakemon_core.domain.run import Severity
from lakemon_core.ports import API_VERSION, AlertSink, SinkCheck, SinkSetup

HOSTILE = (
    "=?utf-8?q?drift=0ABcc:_evil=40example.org?=",
    "=?utf-8?b?eApCY2M6IGV2aWxAZXhhbXBsZS5vcmc=?=",
    "=?utf-8?q?a=0D=0A=0D=0A<b>forged_body</b>?=",
    "temp\r\nBcc: evil@example.org",
    "temp\n.\nMAIL FROM:<evil@example.org>",
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "<!channel> <@U123> <at>Ann</at> [click](https://evil.example.org)",
    "\x1b[31mred\x1b]0;title\x07\x9b2J",
    "\u202eevil\u2066\u200f",
    "[red]markup[/red] [link=https://evil.example.org]here[/link]",
    "{{ 7 * 7 }} ${secret:smtp/password} %s {0}",
    "'; DROP TABLE incidents; --",
    "$(touch /tmp/owned) `id`",
    "\udce4\ud800",
    "\0null",
    "Ünïcödé 温度 🌡️",
    "x" * 10_000,
)
"""Names as hostile data may hold them; each must reach people as mere text."""

_ARRIVED = frozenset({DeliveryStatus.DELIVERED, DeliveryStatus.ACCEPTED})


@dataclass(slots=True)
class FixedClock:
    """A clock that stands still until it is set."""

    moment: datetime = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

    def now(self) -> datetime:
        """Returns the set moment."""
        return self.moment


@dataclass(frozen=True, slots=True)
class GivenSecrets:
    """Secrets from a mapping, reference → value."""

    values: Mapping[str, str] = field(default_factory=dict[str, str])

    def reveal(self, text: str) -> str:
        """Replaces every known reference."""
        for reference, value in self.values.items():
            text = text.replace(reference, value)
        return text

    def redact(self, text: str) -> str:
        """Hides every value."""
        for value in self.values.values():
            text = text.replace(value, "***")
        return text


def open_sink(
    sink_class: type[AlertSink],
    settings: Mapping[str, Any],
    workspace: Path,
    *,
    secrets: Mapping[str, str] | None = None,
) -> AlertSink:
    """Opens a sink as lakemon does, with the settings that its entry under `sinks:` would have."""
    config = sink_class.Config.model_validate(dict(settings))
    given = GivenSecrets(secrets or {})
    return sink_class(SinkSetup(sink_class.type, config, given, FixedClock(), workspace))


def sample_evidence(**changes: Any) -> Evidence:
    """Returns the figures of one incident with everything filled in, with the given fields changed."""
    whole = Evidence(
        incident="a1b2c3d4e5f60718.1",
        transition=Transition.OPENED,
        kind=Kind.BREACH,
        severity=Severity.CRITICAL,
        title="PSI of temp 3.24 > 0.2",
        what="PSI of temp",
        rule="feature_drift",
        column="temp",
        value=3.24,
        limit=0.2,
        lower=3.1,
        upper=3.4,
        baseline=0.02,
        chance_level=0.01,
        n=5812,
        window_start=datetime(2013, 4, 22, tzinfo=UTC),
        window_end=datetime(2013, 4, 29, tzinfo=UTC),
        since=datetime(2013, 4, 1, tzinfo=UTC),
        windows=4,
        contributors=(Contributor("temp", "psi", 3.24), Contributor("dest", "psi", 0.4)),
        owner="ML team",
        runbook="https://wiki.example.com/drift?model=1&x=2",
    )
    return replace(whole, **changes)


def sample_notification(**changes: Any) -> Notification:
    """Returns a notification as rules make it, with the given fields changed."""
    whole = Notification(
        key="5f0c3a1be2d94c7788aa0b1c2d3e4f50",
        thread="a1b2c3d4e5f60718.1",
        transition=Transition.OPENED,
        severity=Severity.CRITICAL,
        title="flight_delays dev: PSI of temp 3.24 > 0.2 since 2013-04-01",
        lines=(
            "PSI of temp is 3.24, the limit is 0.2.",
            "Window 2013-04-22 to 2013-04-29, 5,812 rows.",
            "It is beyond its limit since 2013-04-01, in 4 windows.",
        ),
        facts={"Model": "mlops_dev.flights.flight_delays", "Rule": "feature_drift"},
        model="mlops_dev.flights.flight_delays",
        environment="dev",
        targets=(),
        owner="ML team",
        runbook="https://wiki.example.com/drift?model=1&x=2",
        command="lakemon run monitoring_config.yml -e dev",
        links={},
        created_at=datetime(2013, 4, 29, 6, 0, tzinfo=UTC),
        evidence=(sample_evidence(),),
        report="https://lakemon.example.com/report?model=1&x=2",
        run_id="20130429T060000-4f2a",
    )
    return replace(whole, **changes)


def hostile_notification(name: str) -> Notification:
    """Returns a notification in which every text that may come from data is `name`."""
    return sample_notification(
        title=f"{name}: PSI of {name} 3.24 > 0.2",
        lines=(name, f"PSI of {name} is 3.24."),
        facts={name: name},
        model=f"a.b.{name}",
        environment=name,
        owner=name,
        runbook=name,
        command=name,
        links={name: name},
        evidence=(hostile_evidence(name),),
        report=name,
    )


def hostile_evidence(name: str) -> Evidence:
    """Returns figures in which every text that may come from data is `name`."""
    return sample_evidence(
        title=f"PSI of {name} 3.24 > 0.2",
        what=f"PSI of {name}",
        rule=name,
        column=name,
        slice=f"{name}={name}",
        model_id=name,
        contributors=(Contributor(name, "psi", 3.24),),
        owner=name,
        runbook=name,
        reason=name,
    )


def sample_attempt(**changes: Any) -> Attempt:
    """Returns a first attempt, with the given fields changed."""
    first = Attempt(key="9d8c7b6a5f4e3d2c1b0a99887766554f", number=1, deadline_seconds=10.0, targets=())
    return replace(first, **changes)


class AlertSinkContract:
    """What every sink must do. A subclass has two fixtures.

    `sink`: the sink, opened against a receiver on this machine, so that a message without targets reaches
    somebody. `received`: a function that returns the messages that arrived so far, as people read them.
    """

    def test_its_type_is_the_name_of_its_entry_point(self, sink: AlertSink) -> None:
        """The config finds the sink by this name."""
        found = {point.name: point for point in entry_points(group="lakemon.alert_sinks")}
        assert found[sink.type].load() is type(sink)

    def test_it_was_written_for_this_version_of_the_interface(self, sink: AlertSink) -> None:
        """A sink of another version is not loaded."""
        assert sink.lakemon_api == API_VERSION

    def test_its_settings_refuse_unknown_keys(self, sink: AlertSink) -> None:
        """A misspelt key is an error, not a surprise."""
        assert sink.Config.model_config.get("extra") == "forbid"
        assert sink.Config.model_config.get("hide_input_in_errors") is True

    def test_rendering_is_pure(self, sink: AlertSink) -> None:
        """The same notification always gives the same message."""
        assert sink.render(sample_notification()) == sink.render(sample_notification())

    def test_it_shows_a_chart_if_it_says_so(self, sink: AlertSink) -> None:
        """A chart is drawn for those sinks only whose message is another with it."""
        chart = b"\x89PNG\r\n\x1a\n" + bytes(16)
        with_chart = sink.render(sample_notification(chart=chart))
        assert (with_chart != sink.render(sample_notification())) == sink.shows_charts

    def test_a_message_arrives_once_with_its_figures(
        self, sink: AlertSink, received: Callable[[], Sequence[str]]
    ) -> None:
        """One attempt, one message; value, limit and model are in it."""
        result = _delivered(sink, sample_notification())
        assert result.status in _ARRIVED
        (message,) = received()
        for figure in ("flight_delays", "3.24", "0.2", "2013-04-22"):
            assert figure in message

    def test_every_transition_can_be_told(
        self, sink: AlertSink, received: Callable[[], Sequence[str]]
    ) -> None:
        """Opened, escalated, reopened, reminded, acknowledged, resolved and test."""
        for number, transition in enumerate(Transition):
            note = sample_notification(key=f"{number:032x}", transition=transition)
            result = _delivered(sink, note, key=f"{number:032x}")
            assert result.status in _ARRIVED
        assert len(received()) == len(Transition)

    def test_hostile_names_arrive_as_mere_text(
        self, sink: AlertSink, received: Callable[[], Sequence[str]]
    ) -> None:
        """Each name makes one message without control characters in it; nothing else happens."""
        for number, name in enumerate(HOSTILE):
            result = _delivered(sink, hostile_notification(name), key=f"{number:032x}")
            assert result.status in _ARRIVED, name
        messages = received()
        assert len(messages) == len(HOSTILE)
        for message in messages:
            assert not [mark for mark in message if not mark.isprintable() and mark not in "\r\n\t\u200b"]

    def test_looking_whether_it_could_deliver_sends_nothing(
        self, sink: AlertSink, received: Callable[[], Sequence[str]]
    ) -> None:
        """`check` is for `lakemon plugins check`."""
        check = sink.check()
        assert isinstance(check, SinkCheck)
        assert check.ok, check.detail
        assert not received()


class UnreachableSinkContract:
    """What a sink must do while its channel is down; the fixture `unreachable` is such a sink."""

    def test_a_channel_that_is_down_is_a_result_and_stays_due(self, unreachable: AlertSink) -> None:
        """Errors of the channel are no exceptions, and never count as sent."""
        result = _delivered(unreachable, sample_notification())
        assert result.status in {DeliveryStatus.RETRY, DeliveryStatus.UNKNOWN}
        assert 0 < len(result.detail) <= 500

    def test_a_channel_that_is_down_is_seen_by_the_check(self, unreachable: AlertSink) -> None:
        """`check` says so in one sentence."""
        check = unreachable.check()
        assert not check.ok
        assert check.detail


def _delivered(sink: AlertSink, notification: Notification, **changes: Any) -> DeliveryResult:
    attempt = sample_attempt(targets=notification.targets, **changes)
    return sink.deliver(sink.render(notification), attempt)
