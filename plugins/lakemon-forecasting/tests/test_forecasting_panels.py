"""The panels of forecasts: error and coverage along the horizon, error by series and window."""

import pytest

from lakemon_core.domain.panels import problem_of
from lakemon_core.domain.rule import Signal
from lakemon_core.domain.window import Window
from lakemon_core.ports import Measured


@pytest.fixture
def signal(day):
    """Makes the signal of a metric of one slice in one window."""

    def make(name, key, value, number, at, n=100):
        window = Window(day(number), day(number + 1))
        return Signal(
            window, "1 day", "*", key, value, ":table", name, name, None, at, n, "m:1",
            lower=at and at - 0.1, upper=at and at + 0.1,
        )  # fmt: skip

    return make


@pytest.fixture
def panels(forecasting, signal):
    model = forecasting(quantile_cols={0.1: "lo", 0.9: "hi"})
    signals = [
        signal("mase", "h", "10", 0, 2.0, n=300),
        signal("mase", "h", "2", 0, 1.0),
        signal("mase", "h", "10", 1, 4.0, n=100),
        signal("mase", "h", "10", 2, 3.0),
        signal("mase", "h", "2", 2, 1.5),
        signal("mase", "h", "none", 2, 1.5),
        signal("wape", "h", "2", 2, 9.0),
        signal("coverage", "h", "2", 2, 0.7),
        signal("mase", "`series`", "calm", 1, 0.5),
        signal("mase", "`series`", "wild", 2, 5.0),
        signal("mase", "`series`", "calm", 2, 0.6),
        signal("mase", "`series`", "empty", 2, None),
    ]
    found = {panel.id: panel for panel in model.panels(Measured("1 day", signals=signals))}
    assert {problem_of(panel) for panel in found.values()} == {""}
    return found


def test_the_error_grows_along_the_horizon_now_and_before(panels):
    now, before = panels["forecasting.mase_by_horizon"].lines
    assert [(dot.x, dot.y, dot.n) for dot in now.points] == [(2, 1.5, 100), (10, 3.0, 100)]
    assert [(dot.x, dot.y, dot.n) for dot in before.points] == [(2, 1.0, 100), (10, 2.5, 400)]
    assert (now.name, before.name) == ("window of 2026-01-03", "2 windows before")


def test_coverage_is_held_against_what_the_quantiles_promise(panels):
    panel = panels["forecasting.coverage_by_horizon"]
    assert panel.limit == 0.8
    assert [(dot.x, dot.y) for dot in panel.lines[0].points] == [(2, 0.7)]


def test_series_stand_with_the_greatest_error_first(panels):
    panel = panels["forecasting.mase_by_series"]
    assert list(panel.rows) == ["wild", "calm"]
    assert list(panel.columns) == ["2026-01-02", "2026-01-03"]
    assert panel.cells == [[None, 5.0], [0.5, 0.6]]


def test_nothing_measured_shows_nothing(forecasting):
    assert forecasting().panels(Measured("1 day")) == ()
