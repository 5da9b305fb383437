"""Rules over many columns, slices, model versions, and over data that does not come."""

from datetime import timedelta

import pytest

from lakemon_core.alerting.wording import title_of
from lakemon_core.domain.figures import Kind
from lakemon_core.domain.rule import Quorum, Rule, Status
from lakemon_core.domain.run import Severity

OK, BREACHED, UNKNOWN = Status.OK, Status.BREACHED, Status.UNKNOWN


@pytest.fixture
def drift(make_signal):
    """PSI of features c0, c1 … in one week."""

    def signals(*values, week_number=0, **more):
        return [
            make_signal(
                "feature_drift:psi",
                value,
                column=f"c{number}",
                week_number=week_number,
                **{"chance_level": 0.01} | more,
            )
            for number, value in enumerate(values)
        ]

    return signals


def test_so_many_columns_breach_together_as_one_incident_of_the_table(judged, drift):
    rule = Rule("feature_drift", 0.2, at_least=Quorum(count=2))
    (verdict,) = judged(rule, drift(0.9, 0.3, 0.1, 0.0))
    assert (verdict.status, verdict.signal.column, verdict.signal.value) == (BREACHED, ":table", 2.0)
    assert [one["column"] for one in verdict.contributors] == ["c0", "c1"]
    assert title_of(verdict) == "feature drift beyond its limit in 2 of 4 columns"


@pytest.mark.parametrize(("values", "status"), [((0.9, 0.1, 0.1, 0.1), OK), ((0.9, 0.9, 0.1, 0.1), BREACHED)])
def test_a_share_of_the_columns_is_of_those_that_could_be_judged(judged, drift, values, status):
    rule = Rule("feature_drift", 0.2, at_least=Quorum(share=0.5))
    unknown = drift(*values, None, None, None, None, None)
    (verdict,) = judged(rule, unknown)
    assert (verdict.status, verdict.signal.value) == (status, sum(value > 0.2 for value in values) / 4)


def test_columns_that_cannot_be_judged_at_all_make_the_verdict_unknown(judged, drift):
    (verdict,) = judged(
        Rule("feature_drift", 0.2, at_least=Quorum(count=1)), drift(None, None, reason="constant")
    )
    assert (verdict.status, verdict.reason, verdict.kind) == (UNKNOWN, "constant", Kind.ERROR)


def test_columns_that_only_warn_make_a_warning(judged, drift):
    rule = Rule("feature_drift", 0.5, warn=0.2, at_least=Quorum(count=2))
    assert judged(rule, drift(0.9, 0.3))[0].severity is Severity.WARNING
    assert judged(rule, drift(0.9, 0.8))[0].severity is Severity.CRITICAL


def test_columns_count_until_they_have_recovered(judged, drift):
    rule = Rule("feature_drift", 0.3, recover=0.1, at_least=Quorum(count=2))
    (verdict,) = judged(rule, drift(0.2, 0.2))
    assert (verdict.status, verdict.recovered) == (OK, False)
    assert judged(rule, drift(0.2, 0.05))[0].recovered


def test_every_window_of_a_quorum_is_one_series(judged, drift, week):
    rule = Rule("feature_drift", 0.2, at_least=Quorum(count=1))
    verdicts = judged(rule, [*drift(0.9, 0.1, week_number=1), *drift(0.1, 0.1)])
    assert [(one.window, one.status) for one in verdicts] == [(week(0), OK), (week(1), BREACHED)]
    assert len({one.fingerprint for one in verdicts}) == 1
    (single, *_) = judged(Rule("feature_drift", 0.2, id=rule.name), drift(0.9))
    assert single.fingerprint != verdicts[0].fingerprint


def test_every_value_of_a_slice_is_a_series_of_its_own(judged, make_signal):
    airports = {"JFK": 5.0, "EWR": 500.0}
    signals = [
        make_signal(),
        *(make_signal(slice_key="origin", slice_value=name, value=rows) for name, rows in airports.items()),
        make_signal(slice_key="carrier", slice_value="UA", value=1.0),
    ]
    verdicts = judged(Rule("row_count", 100, slice="origin=*"), signals)
    assert {(one.signal.slice_value, one.status) for one in verdicts} == {("JFK", BREACHED), ("EWR", OK)}
    assert len({one.fingerprint for one in verdicts}) == 2


@pytest.mark.parametrize(("version", "seen"), [("*", ["*"]), ("3", ["3"]), ("each", ["2", "3"])])
def test_a_rule_looks_at_all_versions_together_at_one_or_at_each(judged, make_signal, version, seen):
    signals = [make_signal(), make_signal(model_id="2"), make_signal(model_id="3")]
    verdicts = judged(Rule("row_count", 100, model_version=version), signals)
    assert [one.signal.model_id for one in verdicts] == seen


@pytest.mark.parametrize(
    ("more", "kind"),
    [
        ({"value": None, "n": 1000, "reason": "a division by zero"}, Kind.ERROR),
        ({"value": float("nan"), "n": 1000}, Kind.ERROR),
        ({"value": None, "n": 0, "reason": "no labels yet"}, Kind.NO_DATA),
        ({"value": 0.5, "n": 29}, Kind.NO_DATA),
    ],
)
def test_missing_data_and_failed_computing_are_told_apart(judged, make_signal, more, kind):
    (verdict,) = judged(Rule("roc_auc", 0.7), [make_signal("roc_auc", **more)])
    assert (verdict.status, verdict.kind) == (UNKNOWN, kind)


def test_data_that_stays_away_is_a_breach_of_its_own(judged, make_signal, week):
    rule = Rule("row_count", 100, expect_every=timedelta(days=8))
    value, presence = judged(rule, [make_signal()], now=week(3).start)
    assert (value.status, value.kind) == (OK, Kind.BREACH)
    assert (presence.status, presence.kind, presence.window) == (BREACHED, Kind.NO_DATA, None)
    assert presence.fingerprint != value.fingerprint
    assert title_of(presence) == "no data for 336 hours, expected every 192"


def test_data_that_comes_as_often_as_expected_is_fine(judged, make_signal, week):
    rule = Rule("row_count", 100, expect_every=timedelta(days=8))
    assert judged(rule, [make_signal()], now=week(2).start)[1].status is OK


def test_windows_without_rows_are_no_data(judged, make_signal, week):
    rule = Rule("row_count", 100, expect_every=timedelta(days=8))
    signals = [make_signal(), make_signal(value=0.0, n=0, week_number=1)]
    assert judged(rule, signals, now=week(3).start)[-1].status is BREACHED


def test_the_hash_of_a_rule_knows_what_it_says_and_not_who_hears_it():
    rule = Rule("row_count", 100)
    assert rule.hash == Rule("row_count", 100, recipients=("a@b.c",), renotify_after=timedelta(1)).hash
    assert rule.hash != Rule("row_count", 101).hash
    assert rule.hash != Rule("row_count", 100, model_version="each").hash
