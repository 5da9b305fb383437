"""`lakemon ui` in a real browser: each page shows what tables and ledger say."""

import re

import pytest
from playwright.sync_api import expect

PATHS = [
    "", "models/dev", "models/prod", "models/dev/config", "models/prod/config", "incidents?state=all",
    "runs", "tables", "query", "plugins",
]  # fmt: skip
FITS = "document.documentElement.scrollWidth <= innerWidth"


def test_every_environment_stands_in_its_honest_state(dashboard, visit):
    page = visit()
    still_open = [one for one in dashboard.shop.first["incidents"] if one["status"] == "open"]
    dev = page.locator("#card-dev")
    expect(dev.locator(".badge")).to_have_text("incident")
    expect(dev.locator(".state")).to_contain_text(f"{len(still_open)} critical incidents open.")
    expect(dev.locator("h2")).to_have_text("churn dev")
    expect(dev.locator(".strip")).to_contain_text("2026-03-07")
    expect(dev.locator(".facts")).to_contain_text("done")
    prod = page.locator("#card-prod")
    expect(prod.locator(".badge")).to_have_text("not known")
    expect(prod).to_contain_text("No run yet")
    broken = page.locator("#card-broken")
    expect(broken.locator(".problem")).to_contain_text("LM131")
    expect(broken.locator(".cure")).to_be_visible()


def test_the_report_is_the_one_of_the_command(dashboard, visit):
    told = dashboard.shop.json("report", "-e", "dev", "--output-file", "beside.html")
    page = visit("models/dev")
    page.wait_for_selector("html[data-ready]")
    assert page.locator("#state").inner_text() == f"{told['state'].upper()} {told['sentence']}"
    assert page.locator(".findings > li").count() == len(dashboard.shop.first["findings"])
    page.locator(".findings button").first.click()
    expect(page.locator("#cell")).to_contain_text("limit")
    page.select_option("[name=model]", "2")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.locator("header")).to_contain_text("version 2")


def test_incidents_are_those_of_the_ledger_and_filters_leave_what_fits(dashboard, visit):
    listed = dashboard.shop.json("alert", "list", "-e", "dev")["incidents"]
    page = visit("incidents?state=all")
    assert page.locator(".incidents > li").count() == len(listed)
    for one in listed:
        expect(page.locator(f"#i-{one['id']} h2")).to_contain_text(one["title"])
    page.fill("[name=text]", "AMOUNT")
    fitting = [one for one in listed if "amount" in one["title"]]
    expect(page.locator(".incidents > li")).to_have_count(len(fitting))
    assert "text=AMOUNT" in page.url
    page.fill("[name=text]", "no incident is called this")
    expect(page.locator("#incidents")).to_contain_text("No incident fits.")


def test_a_run_shows_its_stages_and_what_they_did(dashboard, visit):
    first = dashboard.shop.first
    page = visit("runs")
    line = page.locator(f"#r-{first['run_id']}")
    expect(line.locator(".badge")).to_have_text(first["status"])
    line.locator("summary").click()
    assert line.locator("tbody th").all_inner_texts() == [one["name"] for one in first["stages"]]
    measured = next(one for one in first["stages"] if one["name"] == "monitor")["detail"]["windows"]
    expect(line.locator("tbody tr", has_text="monitor")).to_contain_text(f"windows {measured}")


def test_tables_show_their_parts_and_newest_rows(dashboard, visit):
    page = visit("tables")
    rows = page.locator("tbody tr")
    assert rows.count() == len(dashboard.shop.json("table", "list", "-e", "dev")["tables"])
    expect(rows.filter(has_text="shop.inference_logs")).to_contain_text("inference table")
    page.get_by_role("link", name="mlops_dev.shop.inference_logs").click()
    expect(page.locator("#rows tbody tr")).to_have_count(20)
    newest = max(dashboard.shop.table("mlops_dev.shop.inference_logs").column("at").to_pylist())
    expect(page.locator("#rows tbody tr").first).to_contain_text(f"{newest:%Y-%m-%d %H:%M:%S}")
    assert "city" in page.locator(".narrow").inner_text()


def test_the_config_and_every_other_page_hide_secrets(dashboard, visit):
    page = visit("models/prod/config")
    yaml = page.locator("pre").inner_text()
    assert yaml.strip() == dashboard.shop.lakemon("config", "show", "-e", "prod").strip()
    assert "********" in yaml
    for path in PATHS:
        page.goto(dashboard.url + path)
        assert not [secret for secret in dashboard.secrets if secret in page.content()]


def test_plugins_are_those_of_the_command(dashboard, visit):
    page = visit("plugins")
    listed = dashboard.shop.json("plugins", "list")["plugins"]
    assert page.locator("tbody th").all_inner_texts() == [one["name"] for one in listed]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_every_page_without_scrolling_sideways(visit, dashboard, scheme):
    page = visit("", viewport={"width": 360, "height": 740}, color_scheme=scheme)
    for path in PATHS:
        page.goto(dashboard.url + path)
        for details in page.locator("main details:not([open]) > summary:visible").all()[:3]:
            details.click()
        assert page.evaluate(FITS), path


def test_what_is_not_there_is_said_with_code_and_cure(visit):
    page = visit("models/staging", complains="404")
    assert re.search(r"LM191.*staging", page.locator(".problem").inner_text())
    expect(page.locator(".cure")).to_be_visible()


def test_without_a_script_pages_and_filters_work(visit, dashboard):
    page = visit("incidents?state=all&text=amount", java_script_enabled=False)
    assert 0 < page.locator(".incidents > li").count() < len(dashboard.shop.first["incidents"])
    page.goto(dashboard.url + "models/dev")
    assert page.locator(".findings > li").count() == len(dashboard.shop.first["findings"])
