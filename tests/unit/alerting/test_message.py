import shlex
from dataclasses import replace
from pathlib import Path

import pytest
from lakemon_email import EmailSink

from lakemon_core.alerting.console import ConsoleSink
from lakemon_core.alerting.file import FileSink
from lakemon_core.alerting.incidents import advance
from lakemon_core.alerting.messages.compose import compose
from lakemon_core.alerting.routing import Router
from lakemon_core.domain.monitor import InferenceTableSpec, ModelSpec, Monitor, MonitoringSpec
from lakemon_core.domain.names import TableName
from lakemon_core.domain.rule import Quorum, Rule
from lakemon_core.domain.run import Severity
from lakemon_core.domain.window import Granularity
from lakemon_core.testing.sinks import HOSTILE, open_sink

ANN, BOB = "ann@example.com", "bob@example.com"


@pytest.fixture
def monitor():
    table = TableName("mlops_dev", "flights", "logs")
    return Monitor(
        environment="dev",
        backend="local",
        catalog="mlops_dev",
        schema="flights",
        model=ModelSpec("flight_delays", "classification"),
        serving=None,
        inference_table=InferenceTableSpec(table, table.sibling(suffix="_payload")),
        monitoring=MonitoringSpec("monitoring", (Granularity("1 week"),)),
        source=Path("monitoring_config.yml"),
    )


@pytest.fixture
def router(tmp_path):
    sinks = {
        "console": open_sink(ConsoleSink, {}, tmp_path),
        "file": open_sink(FileSink, {}, tmp_path),
        "email": open_sink(EmailSink, {"host": "localhost", "from": ANN, "to": ANN}, tmp_path),
    }
    return Router(sinks, ("email",))


@pytest.fixture
def messages(judged, monitor, router, week):
    """Runs rules over weeks of signals, one run a list of signals, and returns the messages of the last."""

    def run(rules, *batches):
        states, items, so_far = {}, [], []
        for number, batch in enumerate(batches):
            so_far += batch
            verdicts = judged(rules, so_far)
            changed, events = advance(states, verdicts, f"run-{number}", week(50).start)
            states |= {state.fingerprint: state for state in changed}
            items = compose(events, rules=rules, router=router, monitor=monitor, now=week(50).start)
        return items

    return run


@pytest.fixture
def temp(make_signal):
    def of(value, week_number=0, column="temp"):
        return make_signal(
            "feature_drift:psi", value, week_number=week_number, column=column, n=5812, chance_level=0.012
        )

    return of


DRIFT = Rule("feature_drift", 0.2, owner="ML team", runbook="https://wiki.example.com/drift")


def test_the_title_is_enough_on_a_phone(messages, temp):
    (item,) = messages([DRIFT], [temp(0.1)], [temp(3.2, 1)])
    note = item.notification
    assert (
        f"[{note.state}] {note.title}"
        == "[critical] flight_delays dev: PSI of temp 3.2 > 0.2 since 2026-01-12"
    )


def test_a_message_carries_the_whole_evidence(messages, temp):
    (item,) = messages([DRIFT], [temp(3.0), temp(3.2, 1)])
    note = item.notification
    assert note.lines == (
        "PSI of temp is 3.2, the limit is 0.2.",
        "Window 2026-01-12 to 2026-01-19 UTC, 5,812 rows.",
        "It is beyond its limit since 2026-01-05, in 2 windows.",
        "Chance alone gives up to 0.012 at these row counts.",
    )
    assert note.facts["Model"] == "mlops_dev.flights.flight_delays"
    assert note.facts["Rule"] == "feature_drift"
    assert (note.owner, note.runbook) == ("ML team", "https://wiki.example.com/drift")


def test_a_quality_breach_names_baseline_interval_and_drifted_features(messages, make_signal, temp):
    auc = make_signal("roc_auc", 0.653, baseline=0.758, lower=0.64, upper=0.667)
    (item,) = messages([Rule("roc_auc", 0.7)], [auc, temp(3.2), temp(1.1, column="dewp")])
    assert item.notification.lines == (
        "ROC AUC is 0.653, the limit is 0.7; on the baseline it was 0.758.",
        "Window 2026-01-05 to 2026-01-12 UTC, 1,000 rows.",
        "It is beyond its limit since 2026-01-05, in 1 window.",
        "The 95 % interval is 0.64 to 0.667.",
        "Features that drifted most: temp (PSI 3.2), dewp (PSI 1.1).",
    )


def test_a_message_says_how_to_see_it_again(messages, temp):
    (item,) = messages([DRIFT], [temp(3.2)])
    explain, ack, query = item.notification.command.splitlines()
    name, where = item.notification.incidents[0][:8], ["-c", "monitoring_config.yml", "-e", "dev"]
    assert shlex.split(explain) == ["lakemon", "explain", name, *where]
    assert shlex.split(ack) == ["lakemon", "alert", "ack", name, *where]
    assert shlex.split(query)[:2] == ["lakemon", "query"]
    assert shlex.split(query)[2] == (
        'SELECT "window"."start", value, n FROM mlops_dev.monitoring.logs_signals'
        " WHERE \"model_id\" = '*' AND signal = 'feature_drift' AND statistic = 'psi' AND \"column\" = 'temp'"
        " AND granularity = '1 week' AND compare = 'baseline' ORDER BY 1"
    )


@pytest.mark.parametrize("column", ["o'clock", "$(touch x)", "`id`", "a\\b", 'say "hi"', "!!"])
def test_a_command_keeps_a_strange_name_as_one_argument(messages, temp, column):
    (item,) = messages([DRIFT], [temp(3.2, column=column)])
    words = shlex.split(item.notification.command.splitlines()[2])
    assert len(words) == 7
    assert f"\"column\" = '{column.replace(chr(39), chr(39) * 2)}'" in words[2]


def test_a_name_that_cannot_be_shown_as_it_is_stands_in_no_command(messages, temp):
    (item,) = messages([DRIFT], [temp(3.2, column="evil\nrm -rf /")])
    assert "evil" not in item.notification.command
    assert "lakemon query" not in item.notification.command


def test_resolved_says_where_it_came_back_to(messages, temp):
    (item,) = messages([DRIFT], [temp(3.2)], [temp(0.05, 1)])
    note = item.notification
    assert note.state == "resolved"
    assert note.title == (
        "flight_delays dev: PSI of temp is back to 0.05, limit 0.2, after 1 window since 2026-01-05"
    )
    assert "It was beyond its limit since 2026-01-05, in 1 window." in note.lines


def test_opening_and_resolution_stand_in_one_thread_in_order(messages, temp):
    (opened,) = messages([DRIFT], [temp(3.2)])
    (resolved,) = messages([DRIFT], [temp(3.2)], [temp(0.05, 1)])
    assert opened.notification.thread == resolved.notification.thread
    assert opened.order == resolved.order
    assert opened.key != resolved.key


def test_reopened_and_escalated_say_so(messages, temp):
    reopened = messages([DRIFT], [temp(3.2)], [temp(0.1, 1)], [temp(2.0, 2)])[0].notification
    assert "It was open before; this is episode 2." in reopened.lines
    rule = replace(DRIFT, warn=0.1)
    escalated = messages([rule], [temp(0.15)], [temp(0.5, 1)])[0].notification
    assert "It was open already; now it is critical." in escalated.lines


def test_one_run_makes_one_message_for_an_audience_worst_first(messages, temp):
    rule = replace(DRIFT, warn=0.1)
    (item,) = messages(
        [rule], [temp(0.15, column="mild"), temp(3.0, column="worst"), temp(0.5, column="bad")]
    )
    note = item.notification
    assert note.title == ("flight_delays dev: 3 incidents: PSI of worst 3 > 0.2 since 2026-01-05 and 2 more")
    assert [line.split(" 2026")[0] for line in note.lines] == [
        "critical: PSI of worst 3 > 0.2 since",
        "critical: PSI of bad 0.5 > 0.2 since",
        "warning: PSI of mild 0.15 > 0.1 since",
    ]
    assert note.severity is Severity.CRITICAL


def test_ten_thousand_breaches_are_one_message_of_ten_and_the_rest_counted(messages, temp):
    (item,) = messages([DRIFT], [temp(3.0, column=f"f{number}") for number in range(10_000)])
    assert len(item.notification.lines) == 11
    assert item.notification.lines[-1] == "and 9990 more; `lakemon alert list` shows all of them."


def test_opened_and_resolved_are_two_messages_resolved_first(messages, temp):
    first = [temp(3.0, column="a"), temp(0.1, column="b")]
    second = [temp(0.1, 1, column="a"), temp(3.0, 1, column="b")]
    assert [item.notification.state for item in messages([DRIFT], first, second)] == ["resolved", "critical"]


def test_each_audience_gets_what_it_asked_for(messages, temp, make_signal):
    rules = [
        replace(DRIFT, recipients=(ANN, BOB)),
        Rule("row_count", 100, recipients=(BOB, ANN)),
        Rule("null_rate", 0.5, recipients=(BOB,)),
    ]
    signals = [temp(3.0), make_signal("row_count", 1.0), make_signal("null_rate", 0.9, column="wind")]
    items = messages(rules, signals)
    assert {item.notification.targets: len(item.notification.lines) > 0 for item in items} == {
        (ANN, BOB): True,
        (BOB,): True,
    }
    both = next(item for item in items if len(item.notification.targets) == 2)
    assert "2 incidents" in both.notification.title


def test_keys_depend_on_the_events_and_the_audience_only(judged, monitor, router, week, temp):
    def keys(signals, rules, now):
        _, events = advance({}, judged(rules, signals), f"run at {now}", now)
        return [item.key for item in compose(events, rules=rules, router=router, monitor=monitor, now=now)]

    signals = [temp(3.0, column="a"), temp(2.0, column="b")]
    first = keys(signals, [DRIFT], week(50).start)
    assert keys(signals[::-1], [replace(DRIFT, owner="others")], week(51).start) == first
    assert keys(signals, [replace(DRIFT, recipients=(BOB,))], week(50).start) != first
    assert keys(signals[:1], [DRIFT], week(50).start) != first


def test_events_that_are_only_recorded_make_no_message(messages, temp):
    assert messages([DRIFT], [temp(3.0), temp(0.1, 1)]) == []


def test_owners_and_runbooks_of_all_rules_are_named(messages, temp, make_signal):
    other = Rule("row_count", 100, owner="Data team", runbook="https://wiki.example.com/volume")
    (item,) = messages([DRIFT, other], [temp(3.0), make_signal("row_count", 1.0)])
    note = item.notification
    assert set(note.owner.split(", ")) == {"ML team", "Data team"}
    assert {note.runbook, *note.links.values()} == {DRIFT.runbook, other.runbook}


def test_a_config_made_in_python_has_no_command(messages, temp, monitor, judged, router, week):
    _, events = advance({}, judged([DRIFT], [temp(3.0)]), "run", week(50).start)
    silent = replace(monitor, source=None)
    (item,) = compose(events, rules=[DRIFT], router=router, monitor=silent, now=week(50).start)
    assert item.notification.command == ""


def test_hostile_names_stand_in_messages_as_mere_text(messages, temp):
    for name in HOSTILE:
        (item,) = messages([DRIFT], [temp(3.0, column=name)])
        note = item.notification
        assert all(text.isprintable() for text in (note.title, *note.lines))
        assert len(note.title) < 250


def test_what_is_counted_over_columns_is_shown_again_by_all_of_them(messages, temp):
    rule = Rule("feature_drift", 0.2, at_least=Quorum(count=2))
    (item,) = messages([rule], [temp(3.2), temp(0.9, column="wind"), temp(0.1, column="gust")])
    note = item.notification
    assert "feature drift beyond its limit in 2 of 3 columns" in note.title
    assert "statistic" not in note.command
    assert "Features that drifted most: temp (PSI 3.2), wind (PSI 0.9)." in note.lines


def test_a_signal_of_the_present_moment_has_no_query(messages, make_signal):
    (item,) = messages([Rule("freshness", 24.0)], [make_signal("freshness", 90.0, window=None)])
    assert "lakemon query" not in item.notification.command


def test_what_is_over_need_not_be_taken_on(messages, temp):
    assert "alert ack" not in messages([DRIFT], [temp(3.2)], [temp(0.05, 1)])[-1].notification.command


def test_incidents_that_differ_in_what_a_rule_groups_by_are_messages_of_their_own(messages, temp):
    drifted = [temp(3.2), temp(0.9, column="wind")]
    assert len(messages([DRIFT], drifted)) == 1
    assert len(messages([replace(DRIFT, group_by=("model", "column"))], drifted)) == 2
