"""The figures of every incident go with its message, for channels that hold one alert each."""

from lakemon_core.alerting.messages.figures import evidence_of
from lakemon_core.domain.incident import Contributor, Kind, Transition
from lakemon_core.domain.rule import Rule
from lakemon_core.domain.run import Severity

DRIFT = Rule("feature_drift", 0.2, owner="ML team", runbook="https://wiki.example.com/drift")
QUALITY = Rule("roc_auc", 0.7)


def test_an_event_gives_every_figure_that_is_known(make_signal, judged, story, week):
    auc = make_signal("roc_auc", 0.653, baseline=0.758, lower=0.64, upper=0.667)
    drift = make_signal("feature_drift:psi", 3.2, column="temp", chance_level=0.012)
    (event,) = story.run(judged(QUALITY, [auc, drift]))[1]
    figures = evidence_of(event, QUALITY)
    assert figures.incident == f"{event.incident.fingerprint}.1"
    assert (figures.transition, figures.kind, figures.severity) == (
        Transition.OPENED,
        Kind.BREACH,
        Severity.CRITICAL,
    )
    assert (figures.value, figures.limit, figures.lower, figures.upper) == (0.653, 0.7, 0.64, 0.667)
    assert (figures.baseline, figures.chance_level, figures.n) == (0.758, None, 1000)
    assert (figures.window_start, figures.window_end) == (week(0).start, week(0).end)
    assert (figures.since, figures.windows) == (week(0).start, 1)
    assert figures.contributors == (Contributor("temp", "psi", 3.2),)
    assert (figures.what, figures.title) == ("ROC AUC", "ROC AUC 0.653 < 0.7")


def test_owner_and_runbook_come_from_the_rule_and_are_empty_without_it(make_signal, judged, story):
    drift = make_signal("feature_drift:psi", 3.2, column="temp", chance_level=0.012)
    (event,) = story.run(judged(DRIFT, [drift]))[1]
    assert evidence_of(event, DRIFT).owner == "ML team"
    assert evidence_of(event, DRIFT).runbook == "https://wiki.example.com/drift"
    assert evidence_of(event, None).owner == ""


def test_a_signal_without_a_window_has_no_window_in_its_figures(make_signal, judged, story):
    late = make_signal("freshness", 90000.0, window=None)
    (event,) = story.run(judged(Rule("freshness", 3600.0), [late]))[1]
    assert (evidence_of(event, None).window_start, evidence_of(event, None).window_end) == (None, None)
