"""The page in a real Chromium: everything is drawn, nothing leaves the machine, names from data stay text."""

import pytest
from fakes.report_facts import NOW, ROC_AUC, drift, drifting, monitor, quality, verdict, window

from lakemon_core.domain.rule import Rule, Status
from lakemon_core.report.facts import Facts, Shape, Shapes
from lakemon_core.report.page import Page

HOSTILE = [
    "</script><script>alert(1)</script>",
    "<img src=https://evil.example/x onerror=alert(1)>",
    "'\"><svg onload=alert(1)>",
    "{{ 7 * 7 }}",
    "javascript:alert(1)",
]
SEEN = "document.documentElement.scrollWidth <= window.innerWidth"
INK = """() => {
  const canvas = document.getElementById("canvas");
  const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  const seen = new Set();
  for (let i = 0; i < data.length; i += 4) seen.add(data.slice(i, i + 3).join());
  return seen.size;
}"""


@pytest.fixture(scope="module")
def html() -> str:
    return Page.of(drifting(["amount", "age", "city"])).html()


def test_everything_is_drawn_without_a_complaint_or_a_request(html, read):
    reader = read(html)
    page = reader.page
    assert page.title() == "incident: main.shop.churn (dev)"
    assert page.locator(".headline").inner_text().startswith("INCIDENT 3 critical incidents open.")
    assert page.locator("#changed li").count() == 3
    assert page.locator(".findings > li").count() == 3
    assert page.evaluate(INK) > 5
    for chart in page.locator("svg:visible").all():
        assert chart.locator("path, rect, circle").count() > 3
    assert page.locator("#trend-1-day-roc_auc .dot").count() == 5
    assert page.locator("#trend-1-day-roc_auc .unknown").count() == 1
    assert reader.complaints == []
    assert reader.asked == []


def test_a_finding_leads_to_its_distribution(html, read):
    page = read(html).page
    page.locator(".findings button").nth(1).click()
    assert page.locator("#cell").inner_text() == ("PSI of age, 2026-03-07: 0.5, limit 0.2, beyond its limit.")
    assert page.locator("#now .bar").count() == 16
    assert page.locator("#now .outline").count() == 1
    assert "n 900, table version 7" in page.locator("#how").text_content()


def test_the_keyboard_moves_through_the_heat_map(html, read):
    page = read(html).page
    page.locator("#heat").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowLeft")
    assert page.locator("#cell").inner_text().startswith("PSI of amount, 2026-03-06: 0.05")


def test_a_filter_leaves_columns_with_that_part_in_their_name(html, read):
    page = read(html).page
    page.locator("#filter").fill("IT")
    assert page.locator("#column option").all_inner_texts() == ["city"]
    page.locator("#filter").fill("nothing has this")
    assert page.locator("#none").is_visible()


def test_names_from_data_stay_text(read):
    reader = read(Page.of(drifting(HOSTILE)).html())
    page = reader.page
    for place in range(len(HOSTILE)):
        page.locator(".findings button").nth(place).click()
    assert sorted(page.locator("#column option").all_inner_texts()) == sorted(HOSTILE)
    assert page.locator("img").count() == 0
    assert page.locator("script").count() == 2
    assert reader.complaints == []
    assert reader.asked == []


def test_the_policy_of_the_page_forbids_scripts_that_are_not_its_own(html, read):
    reader = read(html.replace("</main>", "<script>document.title = 'taken'</script></main>"))
    assert reader.page.title() == "incident: main.shop.churn (dev)"
    assert any("Content Security Policy" in one for one in reader.complaints)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_all_of_it_without_scrolling_sideways(html, read, scheme):
    page = read(html, viewport={"width": 360, "height": 740}, color_scheme=scheme).page
    assert page.evaluate(SEEN)
    for details in page.locator("details > summary:visible").all():
        details.click()
    assert page.evaluate(SEEN)


CORNER = """() => {
  const pen = document.getElementById("canvas").getContext("2d");
  return [...pen.getImageData(2, 2, 1, 1).data].slice(0, 3);
}"""

DRAWN = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


def test_paper_is_white_and_has_the_evidence_but_no_tables_of_figures(html, read):
    page = read(html, color_scheme="dark").page
    assert max(page.evaluate(CORNER)) < 60
    page.emulate_media(media="print", color_scheme="dark")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    page.evaluate(DRAWN)
    assert page.evaluate(CORNER) == [255, 255, 255]
    assert page.locator(".findings dl:visible").count() == 3
    assert page.get_by_role("region", name="Figures").count() == 0
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert page.locator(".findings dl:visible").count() == 0


def test_of_very_many_changes_the_first_are_seen_and_the_others_unfold(read):
    facts = drifting([f"column_{number:02}" for number in range(30)])
    page = read(Page.of(facts).html()).page
    assert page.locator("#changed > ul > li").count() == 12
    page.locator("#changed summary").click()
    assert page.locator("#changed li:visible").count() == 30


def test_without_a_script_findings_and_charts_are_there(html, browser, tmp_path):
    (tmp_path / "report.html").write_text(html, encoding="utf-8")
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((tmp_path / "report.html").as_uri())
    assert page.locator(".findings > li").count() == 3
    assert page.locator("#trend-1-day-roc_auc .line").count() == 2
    assert page.get_by_text("The same as a table: 1 day").is_visible()
    assert not page.locator("#explorer").is_visible()
    context.close()


def test_a_page_of_nothing_says_so(read):
    reader = read(Page.of(Facts(monitor(), NOW)).html())
    assert "NOT KNOWN Nothing has been measured yet." in reader.page.locator(".headline").inner_text()
    assert reader.page.get_by_text("There has been no run yet.").is_visible()
    assert reader.page.locator("#none").is_visible()
    assert reader.complaints == []


def test_numbers_that_are_infinite_or_none_are_said_and_not_drawn(read):
    inf, nan = float("inf"), float("nan")
    scores = [quality(0, inf), quality(1, 0.8), quality(2, nan)]
    drifts = [drift("amount", 0, inf), drift("amount", 1, None, reason="all values are null")]
    usual = Rule("feature_drift", nan)
    shapes = Shapes({"amount": Shape(9, (-inf, 1.0, inf))}, {})
    facts = Facts(
        monitor(), NOW, signals=[*drifts, *scores], rules=[usual], metrics=[ROC_AUC],
        shapes={"1 day": shapes},
        verdicts=[verdict(one, Status.UNKNOWN, usual) for one in drifts],
    )  # fmt: skip
    reader = read(Page.of(facts).html())
    assert reader.page.locator("#trend-1-day-roc_auc .unknown").count() == 2
    assert reader.page.locator("#trend-1-day-roc_auc .dot").count() == 1
    assert "not known (all values are null)" in reader.page.locator("#cell").inner_text()
    svg = reader.page.locator("svg").evaluate_all("all => all.map((one) => one.outerHTML).join()")
    assert "NaN" not in svg
    assert "inf" not in svg
    assert reader.complaints == []


def test_a_column_that_was_text_and_is_numbers_shows_no_shares_that_nobody_counted(read):
    shapes = Shapes(
        {"amount": Shape(9, items=(("low", 6), ("high", 3)))},
        {("amount", window(0).start): Shape(9, tuple(float(q) for q in range(21)))},
    )
    facts = Facts(monitor(), NOW, signals=[drift("amount", 0, 0.4)], shapes={"1 day": shapes})
    page = read(Page.of(facts).html()).page
    assert page.locator("#now .outline").count() == 2
    assert page.locator("#now .bar").count() == 0
