"""The report against axe, which knows the rules of accessibility; everything is unfolded first."""

import pytest
from fakes.report_facts import NOW, drifting, monitor

from lakemon_core.report.facts import Facts
from lakemon_core.report.page import Page

PAGES = {"of drift": drifting(["amount", "age", "city"]), "of nothing": Facts(monitor(), NOW)}


@pytest.fixture(scope="session")
def axe(node_modules):
    return (node_modules / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", PAGES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing(kind, scheme, width, axe, chromium, tmp_path):
    file = tmp_path / "report.html"
    file.write_text(Page.of(PAGES[kind]).html(), encoding="utf-8")
    page = chromium.context.browser.new_page(
        color_scheme=scheme, viewport={"width": width, "height": 900}, bypass_csp=True
    )
    page.goto(file.as_uri())
    page.wait_for_selector("html[data-ready]")
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    page.evaluate(axe)
    found = page.evaluate("axe.run()")
    page.close()
    assert found["passes"]
    assert [(one["id"], one["nodes"][0]["html"]) for one in found["violations"]] == []
