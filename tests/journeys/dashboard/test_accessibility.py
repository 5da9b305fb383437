"""Every page of the dashboard against axe, the rules of accessibility; everything is unfolded first."""

import pytest

PAGES = ["", "models/dev", "incidents?state=all", "tables/dev/mlops_dev.shop.training", "query"]
PLAIN = (
    pytest.param(path, marks=pytest.mark.slow) for path in ("models/dev/config", "runs", "tables", "plugins")
)
PHONE = {"color_scheme": "dark", "viewport": {"width": 390, "height": 900}}
DESK = {"color_scheme": "light", "viewport": {"width": 1280, "height": 900}}
UNFOLD = "document.querySelectorAll('details').forEach((one) => { one.open = true; })"


def findings(page, axe):
    page.wait_for_selector("main:not(:has([aria-busy] .waiting))")
    page.evaluate(UNFOLD)
    return axe(page)


@pytest.mark.parametrize("path", [*PAGES, *PLAIN])
def test_axe_finds_nothing_on_a_phone_in_the_dark(path, visit, axe):
    assert findings(visit(path, bypass_csp=True, **PHONE), axe) == []


@pytest.mark.parametrize("path", ["", "incidents?state=all"])
def test_axe_finds_nothing_on_a_desk(path, visit, axe):
    assert findings(visit(path, bypass_csp=True, **DESK), axe) == []


def test_axe_finds_nothing_on_a_page_that_is_not_there(visit, axe):
    page = visit("nowhere", complains="404", bypass_csp=True, **DESK)
    assert findings(page, axe) == []
