"""What the report shows of classification: whether probabilities hold, and which classes are mixed up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from lakemon_core.domain.panels import MOST_CLASSES, Dot, Line, LinesPanel, MatrixPanel, PanelSpec
from lakemon_core.ports import Measured

Rows = Sequence[Mapping[str, Any]]

RELIABILITY, CONFUSION = "reliability", "confusion_matrix"


def panels(measured: Measured) -> Iterator[PanelSpec]:
    """Yields the reliability diagram and the confusion matrix of the newest window that has labels."""
    reliable = measured.newest(RELIABILITY)
    if reliable is not None:
        lines = [Line(f"window of {reliable.window}", _bins(reliable.values[RELIABILITY]))]
        if measured.baseline.get(RELIABILITY):
            lines.append(Line("baseline", _bins(measured.baseline[RELIABILITY])))
        yield LinesPanel(
            "classification.reliability",
            "Do probabilities mean what they say?",
            lines,
            x_title="mean predicted probability",
            y_title="share of hits",
            is_square=True,
            order=10,
            note="On the diagonal they do. Ten bins of equal width; whiskers are 95 % intervals.",
        )
    confused = measured.newest(CONFUSION)
    if confused is not None:
        yield _matrix(cast("Rows", confused.values[CONFUSION]), str(confused.window))


def _bins(bins: object) -> tuple[Dot, ...]:
    return tuple(
        Dot(
            one["predicted"],
            one["observed"],
            one["observed_lower"],
            one["observed_upper"],
            one["count"],
            f"probabilities {one['lower']:g} to {one['upper']:g}",
        )
        for one in cast("Rows", bins)
    )


def _matrix(cells: Rows, window: str) -> MatrixPanel:
    """Returns labels by predictions: of many classes those with most rows."""
    rows: dict[str, int] = {}
    for cell in cells:
        for name in (cell["label"], cell["prediction"]):
            rows[name] = rows.get(name, 0) + cell["count"]
    most = sorted(rows, key=lambda name: (-rows[name], name))[:MOST_CLASSES]
    classes = sorted(most)
    counts = {(cell["label"], cell["prediction"]): cell["count"] for cell in cells}
    shown = [[counts.get((label, prediction), 0) for prediction in classes] for label in classes]
    right, total = sum(counts.get((name, name), 0) for name in rows), sum(counts.values())
    left_out = (
        f" {len(rows) - len(classes)} classes with fewer rows are left out."
        if len(rows) > len(classes)
        else ""
    )
    return MatrixPanel(
        "classification.confusion",
        "Which classes are mixed up?",
        classes,
        classes,
        shown,
        row_title="label",
        column_title="prediction",
        is_by_row=True,
        order=20,
        note=f"Window of {window}: {right:,} of {total:,} rows with a label lie on the diagonal.{left_out}",
    )
