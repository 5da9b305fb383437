"""Panels of plugins on the page: every kind is drawn, a broken one says so, and none can hurt the others."""

from dataclasses import replace

import pytest
from fakes.report_facts import NOW, drifting, monitor
from fakes.report_panels import DAYS, panels

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
    problem_of,
)
from lakemon_core.report.facts import Facts
from lakemon_core.report.page import Page
from lakemon_core.report.panels import Contribution

HOSTILE = "</p><script>document.title = 'taken'</script><img src=https://evil.example/x onerror=alert(1)>"
DASH = "\N{EN DASH}"


def page_of(*contributions: Contribution) -> str:
    return Page.of(replace(drifting(["amount"]), contributions=contributions)).html()


def test_every_kind_of_panel_is_drawn(read):
    reader = read(page_of(Contribution("lakemon.plugins:it", panels())))
    page = reader.page
    cards = page.locator("#panels .panel")
    assert cards.count() == 8
    assert page.locator("#panels .broken").count() == 0
    assert cards.nth(0).locator(".figure").inner_text() == "1,234 a name"
    assert "beyond its limit" in cards.nth(0).inner_text()
    assert cards.nth(1).locator(".figure").inner_text() == "not known"
    assert cards.nth(3).locator("td").all_inner_texts() == ["a name", "1.5", DASH, "yes", "2026-03-02", "-3"]
    assert cards.nth(4).locator("svg[role=img] .line").count() == 3
    assert cards.nth(4).locator("svg .limit").count() == 1
    assert cards.nth(5).locator("svg .baseline").count() == 1
    assert cards.nth(6).locator("rect.bar").count() == 2
    assert [cell.get_attribute("class") for cell in cards.nth(7).locator("td[class]").all()] == [
        "shade5", "shade1", "shade0", "shade3",
    ]  # fmt: skip
    assert all("from lakemon.plugins:it" in card.inner_text() for card in cards.all())
    assert reader.complaints == []


def test_texts_from_data_stay_text(read):
    reader = read(page_of(Contribution("lakemon.plugins:it", panels(HOSTILE))))
    assert reader.page.locator("#panels .broken").count() == 0
    assert reader.page.locator("#panels .panel .panel-title").first.inner_text().startswith("</p><script>")
    assert reader.page.locator("img").count() == 0
    assert reader.page.locator("script").count() == 2
    assert (reader.complaints, reader.asked) == ([], [])


class Strange(PanelSpec):
    """A kind that no page knows."""


BROKEN = {
    "not text": (TextPanel("a", "t", "one text"), "not a list of texts"),
    "no title": (TextPanel("a", "", []), "no id or no title"),
    "a title that is none": (TextPanel("a", 7, []), "id, title or note is not text"),
    "rows of other lengths": (TablePanel("a", "t", ["x"], [[1, 2]]), "row 0 has not one cell"),
    "a cell that is a list": (TablePanel("a", "t", ["x"], [[[1]]]), "row 0 holds a list"),
    "rows that are none": (TablePanel("a", "t", ["x"], 7), "do not fit a TablePanel"),
    "infinite": (NumberPanel("a", "t", float("inf")), "leave out what cannot be drawn"),
    "too far": (NumberPanel("a", "t", 1e200), "leave out what cannot be drawn"),
    "a number that is text": (NumberPanel("a", "t", "many"), "not a number"),
    "too many rows": (TablePanel("a", "t", ["x"], [[1]] * 501), "501 rows"),
    "too many bars": (BarsPanel("a", "t", [Bar("x", 1.0)] * 61), "61 bars"),
    "too long": (TextPanel("a", "t", ["x" * 2001]), "2,001 characters"),
    "numbers and moments": (
        LinesPanel("a", "t", [Line("x", [Dot(1, 1), Dot(DAYS[0], 1)])]),
        "some at numbers",
    ),
    "no time zone": (
        LinesPanel("a", "t", [Line("x", [Dot(DAYS[0].replace(tzinfo=None), 1)])]),
        "no time zone",
    ),
    "a matrix with holes": (MatrixPanel("a", "t", ["x"], ["y"], [[]]), "one cell for each pair"),
    "a kind of its own": (Strange("a", "t"), "no kind of panel"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_cannot_be_drawn_says_why(case):
    panel, why = BROKEN[case]
    assert why in problem_of(panel)


def test_broken_panels_stand_beside_whole_ones(read):
    whole = TextPanel("it.text", "Whole", ["all is well"])
    reader = read(page_of(
        Contribution("lakemon.plugins:bad", [panel for panel, _ in BROKEN.values()]),
        Contribution("lakemon.plugins:it", [whole, whole]),
        Contribution("lakemon.plugins:late", error="no answer within 30 s"),
        Contribution("lakemon.plugins:many", [replace(whole, id=str(place)) for place in range(21)]),
    ))  # fmt: skip
    page = reader.page
    broken = page.locator("#panels .broken").all_inner_texts()
    assert len(broken) == len(BROKEN) + 3
    assert "This panel is broken: no answer within 30 s." in broken
    assert "This panel is broken: its id 'it.text' is taken already." in broken
    assert "This panel is broken: it has 21 panels, the first 20 are shown." in broken
    assert page.get_by_text("all is well").count() == 21
    assert page.locator(".findings > li").count() == 1
    assert reader.complaints == []


def test_panels_of_the_model_type_follow_the_windows(read):
    source, days, years = (
        "lakemon.model_types:it",
        TextPanel("it.a", "Of days", []),
        TextPanel("it.a", "No", []),
    )
    facts = Facts(monitor(), NOW, contributions=[
        Contribution(source, [days], granularity="1 day"),
        Contribution(source, error="KeyError: x", granularity="1 day"),
        Contribution(source, [years], granularity="1 year"),
    ])  # fmt: skip
    page = read(Page.of(facts).html()).page
    assert page.locator("#quality .panel .panel-title").all_inner_texts() == ["Panels", "Of days"]
    assert page.locator("#panels").count() == 0
