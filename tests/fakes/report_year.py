"""A report of 500 columns in 365 windows."""

from __future__ import annotations

import numpy as np
from fakes.report_facts import DRIFT_RULE, NOW, monitor, run, window

from lakemon_core.domain.rule import Status
from lakemon_core.report.facts import Facts, Shape, Shapes
from lakemon_core.report.headline import headline
from lakemon_core.report.heat import Cell, HeatMap, Row
from lakemon_core.report.page import Page, View
from lakemon_core.report.payload import view_document
from lakemon_core.report.reading import COARSE, FINE

COLUMNS, DAYS = 500, 365


def year() -> View:
    """Every figure another: what cannot be compressed is there in full."""
    rng = np.random.default_rng(6)
    days = [window(day) for day in range(DAYS)]
    drift = rng.lognormal(-3, 1, (COLUMNS, DAYS))
    rows = rng.integers(800, 1000, DAYS)
    ends = np.sort(rng.normal(50, 20, (COLUMNS, DAYS, COARSE)), axis=2)
    names = [f"a_feature_with_a_long_name_{place:03}" for place in range(COLUMNS)]
    heat_rows = [
        Row(name, "feature_drift", "psi", "psi:quantile10:add_half:1", True, {
            day: Cell(value, 0.2, int(n), 0.02, Status.BREACHED if value > 0.2 else Status.OK, "", number)
            for number, (day, value, n) in enumerate(zip(days, values.tolist(), rows, strict=True))
        })
        for name, values in zip(names, drift, strict=True)
    ]  # fmt: skip
    shapes = Shapes(
        {name: Shape(900, tuple(np.linspace(0, 100, FINE).tolist())) for name in names},
        {
            (name, day.start): Shape(900, tuple(ends[place, number].tolist()))
            for place, name in enumerate(names)
            for number, day in enumerate(days)
        },
    )
    heat = HeatMap("1 day", tuple(days), tuple(heat_rows))
    return View("1 day", (), (), (), (), (), (), None, (), heat, view_document(heat, shapes))


def page_of_a_year() -> str:
    """Returns its HTML."""
    facts = Facts(monitor(), NOW, rules=[DRIFT_RULE], runs=[run()])
    return Page(facts, headline(facts), (), [year()]).html()
