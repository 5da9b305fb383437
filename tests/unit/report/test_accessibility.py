"""The report against axe, which knows the rules of accessibility; everything is unfolded first."""

from dataclasses import replace

import pytest
from fakes.report_facts import NOW, drifting, monitor
from fakes.report_panels import panels

from lakemon_core.report.facts import Facts
from lakemon_core.report.page import Page
from lakemon_core.report.panels import Contribution

CONTRIBUTIONS = (
    Contribution("lakemon.plugins:it", panels()),
    Contribution("lakemon.plugins:bad", error="KeyError: 'x'"),
    Contribution("lakemon.model_types:it", panels("another name"), granularity="1 day"),
)
PAGES = {
    "of drift": replace(drifting(["amount", "age", "city"]), contributions=CONTRIBUTIONS),
    "of nothing": Facts(monitor(), NOW),
}


@pytest.mark.parametrize(
    ("kind", "scheme", "width"),
    [("of drift", "light", 1280), ("of drift", "dark", 390)],
)
def test_axe_finds_nothing(kind, scheme, width, axe, read):
    reader = read(
        Page.of(PAGES[kind]).html(),
        color_scheme=scheme, viewport={"width": width, "height": 900}, bypass_csp=True,
    )  # fmt: skip
    page = reader.page
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert axe(page) == []
    assert reader.asked == []


def test_axe_is_not_asleep(axe, read):
    page = read(Page.of(PAGES["of nothing"]).html(), bypass_csp=True).page
    poor = '<img src="data:,"><p style="color:#eee">hard to read</p>'
    page.evaluate("html => document.body.insertAdjacentHTML('beforeend', html)", poor)
    assert {"image-alt", "color-contrast"} <= {rule for rule, _ in axe(page)}
