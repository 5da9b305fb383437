"""500 columns in 365 windows: below 3 MB, drawn, and quick to hand."""

from fakes.report_year import page_of_a_year

NEWEST_IN_SIGHT = "heat.scrollLeft > 0 && heat.scrollLeft + heat.clientWidth >= heat.scrollWidth - 1"


def test_a_year_of_500_columns_stays_below_3_mb_and_answers(read):
    html = page_of_a_year()
    assert len(html.encode()) < 3_000_000
    reader = read(html)
    page = reader.page
    assert page.evaluate(NEWEST_IN_SIGHT)
    page.locator("#filter").fill("_499")
    assert page.locator("#column option").count() == 1
    page.locator("#filter").fill("")
    page.locator("#heat").focus()
    page.keyboard.press("Home")
    page.keyboard.press("PageDown")
    assert "2026-03-02" in page.locator("#cell").inner_text()
    assert page.locator("#now .bar").count() == 16
    assert page.evaluate("document.getElementById('canvas').width") <= 1280
    assert reader.complaints == []
