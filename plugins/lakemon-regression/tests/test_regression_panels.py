"""The panels of regression: spread of predictions against labels, and what predicted quantiles hold."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from lakemon_regression import Regression

from lakemon_core.domain.panels import problem_of
from lakemon_core.domain.window import Window
from lakemon_core.ports import Distribution, Measured, MeasuredWindow

FIRST = datetime(2026, 3, 2, tzinfo=UTC)
WINDOW = Window(FIRST, FIRST + timedelta(days=1))


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(5)
    label = rng.normal(10, 3, 900)
    prediction = 10 + (label - 10) * 0.5
    return pa.table({
        "label": label, "prediction": prediction, "lo": prediction - 1, "hi": prediction + 1,
    })  # fmt: skip


@pytest.fixture(scope="module")
def panels(rows):
    model = Regression(Regression.Config(label_col="label", quantile_cols={0.1: "lo", 0.9: "hi"}))
    spread = {
        name: Distribution(900, np.quantile(rows[name], np.linspace(0, 1, 21)).tolist())
        for name in ("label", "prediction")
    }
    # A map comes out of Arrow as pairs.
    stored = {
        name: list(value.items()) if isinstance(value, dict) else value
        for name, value in model.quality(rows).values.items()
    }
    measured = Measured("1 day", [MeasuredWindow(WINDOW, stored)], {}, (), spread)
    found = {panel.id: panel for panel in model.panels(measured)}
    assert [problem_of(panel) for panel in found.values()] == ["", ""]
    return found


def test_predictions_that_miss_extremes_lie_flatter_than_the_diagonal(panels, rows):
    dots = panels["regression.quantiles_of_both"].lines[0].points
    assert len(dots) == 19
    np.testing.assert_allclose([dot.x for dot in dots][9], np.median(rows["label"]))
    slope = np.polyfit([dot.x for dot in dots], [dot.y for dot in dots], 1)[0]
    np.testing.assert_allclose(slope, 0.5)


def test_predicted_quantiles_are_shown_with_the_share_of_labels_below(panels, rows):
    dots = panels["regression.quantiles"].lines[0].points
    label = np.asarray(rows["label"])
    wanted = [np.mean(label <= np.asarray(rows[name])) for name in ("lo", "hi")]
    np.testing.assert_allclose([dot.y for dot in dots], wanted)
    assert [dot.x for dot in dots] == [0.1, 0.9]
