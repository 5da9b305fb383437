"""One panel of each kind."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np

from lakemon_core.domain.panels import (
    Bar,
    BarsPanel,
    Dot,
    Line,
    LinesPanel,
    MatrixPanel,
    NumberPanel,
    PanelSpec,
    TablePanel,
    TextPanel,
)

DAYS = [datetime(2026, 3, 2, tzinfo=UTC) + timedelta(days=day) for day in range(4)]
VALUES = dict(zip(DAYS, [0.2, None, 0.5, 0.6], strict=True))


def panels(name: str = "a name") -> list[PanelSpec]:
    """One of each kind; every text is `name`."""
    return [
        NumberPanel(
            "it.number", f"{name} number", np.int64(1234), unit=name, limit=1000, baseline=9.5, is_bad=True,
            order=1,
        ),
        NumberPanel("it.unknown", f"{name} unknown", None, reason=name, order=2),
        TextPanel("it.text", f"{name} text", [name, "second"], order=3),
        TablePanel(
            "it.table", f"{name} table", [name, "b"], [[name, 1.5], [None, True], [DAYS[0], -3]], order=4
        ),
        LinesPanel(
            "it.lines", f"{name} lines",
            [Line(name, [Dot(day, value, 0.1, 0.9, 70, name) for day, value in VALUES.items()]),
             Line("other", [Dot(day, 0.4) for day in DAYS])],
            x_title=name, y_title=name, limit=0.55, order=5,
        ),
        LinesPanel(
            "it.square", f"{name} square", [Line(name, [Dot(0.1, 0.2), Dot(0.9, 0.7)])], is_square=True,
            order=6,
        ),
        BarsPanel(
            "it.bars", f"{name} bars",
            [Bar(name, 3.0, 2.0, 4.0, 9), Bar("below", -1.0), Bar("unknown", None)],
            value_title=name, whole=1.0, limit=2.5, order=7,
        ),
        MatrixPanel(
            "it.matrix", f"{name} matrix", [name, "b"], ["c", name], [[8, 2], [None, 5]], unit=name, order=8
        ),
    ]  # fmt: skip
