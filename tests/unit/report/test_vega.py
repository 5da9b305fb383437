"""The charts as Vega-Lite: the figures of the page in documents that need nothing else."""

import json
import xml.etree.ElementTree as ET

import pytest
from fakes.report_facts import drift, drifting, incident, quality, verdict

from lakemon_core.domain import charts
from lakemon_core.domain.incident import IncidentStatus
from lakemon_core.domain.rule import Rule, Status
from lakemon_core.report.page import Page
from lakemon_core.report.pictures import Pictures
from lakemon_core.report.rendering import svg
from lakemon_core.report.vega import drift_document, trend_document

HOSTILE = "</text><script>alert(1)</script> \" + datum.x {'signal': 'width'} ="


@pytest.fixture(scope="module")
def view():
    (view,) = Page.of(drifting(["amount", HOSTILE])).views
    return view


def texts(picture: str) -> list[str]:
    return [one.text or "" for one in ET.fromstring(picture).iter("{http://www.w3.org/2000/svg}text")]


def test_a_trend_is_drawn_with_the_figures_of_the_page(view):
    (trend,) = view.quality
    document = trend_document(trend)
    rows = document["datasets"]["trend"]
    assert [(row["value"], row["limit"]) for row in rows] == [(one.value, one.limit) for one in trend.points]
    assert [row["window"] for row in rows] == [one.window.start.isoformat() for one in trend.points]
    picture = svg(document)
    assert {"ROC AUC", "baseline 0.8"} <= set(texts(picture))
    assert "NaN" not in picture


def test_names_from_data_are_text_in_a_picture_of_drift(view):
    document = drift_document(view.heat)
    amount = next(row for row in view.heat.rows if row.column == "amount")
    wanted = [cell.value / cell.limit for _, cell in sorted(amount.cells.items()) if cell.value is not None]
    shown = [row["part"] for row in document["datasets"]["drift"] if row["column"] == "amount"]
    assert shown == pytest.approx(wanted)
    picture = svg(document)
    assert any(text.startswith("</text><script>") for text in texts(picture))
    assert "<script" not in picture


DEFINITIONS = [
    charts.trend("t"), charts.trend("t", is_two_sided=True), charts.drift_map("t"), charts.drift_lines("t"),
    charts.split("t"),
]  # fmt: skip


@pytest.mark.parametrize("chart", DEFINITIONS, ids=lambda chart: chart.name)
def test_a_definition_without_rows_is_drawn_too(chart):
    assert "t" in texts(svg(chart.spec([])))


@pytest.mark.parametrize("chart", DEFINITIONS, ids=lambda chart: chart.name)
def test_no_definition_names_an_address(chart):
    assert json.dumps(chart.spec([])).replace(charts.SCHEMA, "").count("://") == 0


def test_a_picture_shows_the_series_that_breached():
    rule = Rule("roc_auc", 0.75)
    signals = [quality(day, value) for day, value in enumerate([0.8, 0.81, 0.7])]
    verdicts = [verdict(one, Status.OK if one.value > 0.75 else Status.BREACHED, rule) for one in signals]
    others = [verdict(drift("amount", day, 0.5), Status.BREACHED) for day in range(3)]
    state = incident(signals[-1], IncidentStatus.OPEN)
    pictures = Pictures(())
    assert pictures.missing == ""
    picture = pictures.of(state, [*others, *verdicts])
    assert picture is not None
    assert picture is pictures.of(state, [])
    assert pictures.of(incident(drift("age", 0, 0.1), IncidentStatus.OPEN), verdicts) is None
