from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from lakemon_core.alerting.rules import judge
from lakemon_core.domain.rule import Compare, Rule, Signal
from lakemon_core.domain.window import Window
from lakemon_core.ports import QualityMetric

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
