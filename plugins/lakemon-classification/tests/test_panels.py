"""The panels of classification say what scikit-learn says of the same rows."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from lakemon_classification import Classification
from lakemon_classification.panels import CONFUSION
from sklearn.calibration import calibration_curve
from sklearn.metrics import confusion_matrix

from lakemon_core.domain.panels import MOST_CLASSES, problem_of
from lakemon_core.domain.window import Window
from lakemon_core.ports import Measured, MeasuredWindow

FIRST, DAY = datetime(2026, 3, 2, tzinfo=UTC), timedelta(days=1)


def day(number: int) -> Window:
    return Window(FIRST + number * DAY, FIRST + (number + 1) * DAY)


@pytest.fixture(scope="module")
def model():
    return Classification(
        Classification.Config(label_col="label", prediction_proba_col="proba", classes=("no", "yes"))
    )


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(5)
    proba = rng.random(800)
    label = rng.random(800) < proba**2
    return pa.table({
        "prediction": np.where(proba > 0.5, "yes", "no"),
        "proba": proba,
        "label": np.where(label, "yes", "no"),
    })  # fmt: skip


@pytest.fixture(scope="module")
def panels(model, rows):
    values = model.quality(rows).values
    without_labels = model.quality(rows.drop_columns(["label"])).values
    windows = [MeasuredWindow(day(0), values), MeasuredWindow(day(1), without_labels)]
    return {panel.id: panel for panel in model.panels(Measured("1 day", windows, values))}


def test_the_reliability_diagram_is_scikit_learns(panels, rows):
    panel = panels["classification.reliability"]
    truth = np.asarray(rows["label"]) == "yes"
    observed, predicted = calibration_curve(truth, np.asarray(rows["proba"]), n_bins=10)
    dots = panel.lines[0].points
    np.testing.assert_allclose([dot.x for dot in dots], predicted)
    np.testing.assert_allclose([dot.y for dot in dots], observed)
    assert sum(dot.n for dot in dots) == 800
    assert [line.name for line in panel.lines] == ["window of 2026-03-02", "baseline"]


def test_the_confusion_matrix_is_scikit_learns(panels, rows):
    panel = panels["classification.confusion"]
    wanted = confusion_matrix(rows["label"].to_pylist(), rows["prediction"].to_pylist(), labels=["no", "yes"])
    assert (list(panel.rows), list(panel.columns)) == (["no", "yes"], ["no", "yes"])
    assert panel.cells == wanted.tolist()


def test_of_very_many_classes_those_with_most_rows_are_shown(model):
    cells = [{"label": f"c{at:02}", "prediction": f"c{at:02}", "count": at + 1} for at in range(40)]
    measured = Measured("1 day", [MeasuredWindow(day(0), {CONFUSION: cells})])
    (panel,) = model.panels(measured)
    assert problem_of(panel) == ""
    assert len(panel.rows) == MOST_CLASSES
    assert panel.rows[0] == "c10"
    assert "10 classes with fewer rows are left out" in panel.note


def test_nothing_measured_shows_nothing(model):
    assert model.panels(Measured("1 day")) == ()
