"""The dashboard renews itself: runs that begin and end, configs that come, models of others."""

import pyarrow as pa
import pyarrow.parquet as pq
from playwright.sync_api import expect


def test_a_second_run_is_seen_by_every_page_that_is_open(dashboard, visit):
    shop = dashboard.shop
    pages = {path: visit(path) for path in ("", "runs", "models/dev", "incidents")}
    pages["models/dev"].wait_for_selector("html[data-ready]")
    pages["models/dev"].locator("#filter").fill("amount")
    expect(pages["incidents"].locator("#incidents")).to_have_attribute(
        "data-mark", pages["incidents"].locator("#incidents").get_attribute("data-mark")
    )
    mark = pages[""].locator("#card-dev").get_attribute("data-mark")
    logs = pq.read_table(shop.folder / "logs.parquet")
    late = logs.slice(0, 400)
    late = late.set_column(
        0, "at", pa.compute.add(late["at"], pa.scalar(7 * 86_400_000_000, pa.duration("us")))
    )
    pq.write_table(late, shop.folder / "late.parquet")
    shop.lakemon("table", "import", "mlops_dev.shop.inference_logs", "late.parquet", "-e", "dev")
    again = shop.json("run", "-e", "dev")
    expect(pages["runs"].locator(f"#r-{again['run_id']}")).to_be_visible()
    expect(pages[""].locator("#card-dev")).not_to_have_attribute("data-mark", mark)
    expect(pages[""].locator("#card-dev .strip")).to_contain_text("2026-03-09")
    expect(pages["models/dev"].locator("header")).to_contain_text(again["run_id"])
    expect(pages["models/dev"].locator("#filter")).to_have_value("amount")
    shown = pages["incidents"].locator(".incidents > li")
    still_open = [
        one
        for one in shop.json("alert", "list", "-e", "dev")["incidents"]
        if one["status"].startswith("open")
    ]
    expect(shown).to_have_count(len(still_open))


def test_a_run_that_is_going_on_shows_its_stage(dashboard, visit):
    from lakemon_local.ledger import SqliteLedger

    from lakemon_core.domain.run import RunRecord, Stage, StageOutcome, StageStatus
    from lakemon_core.pipeline.session import SystemClock

    clock = SystemClock()
    ledger = SqliteLedger(dashboard.shop.folder / ".lakemon" / "ledger.db", clock)
    done = tuple(StageOutcome(stage, StageStatus.DONE, 1.5) for stage in (Stage.DEPLOY, Stage.VALIDATE))
    record = RunRecord("20990101T000000-test", "dev", "0" * 12, clock.now(), stages=done)
    page, runs = visit(""), visit("runs")
    expect(page.locator("#card-dev .badge")).to_be_visible()
    ledger.start_run(record)
    try:
        said = "Run going on: monitor, stage 3 of 5"
        expect(page.locator("#card-dev .progress")).to_contain_text(said)
        expect(runs.locator(f"#r-{record.run_id} .progress")).to_contain_text(said)
    finally:
        dashboard.shop.json("run", "-e", "dev")
        ledger.close()
    expect(runs.locator(f"#r-{record.run_id} .badge")).to_have_text("interrupted")
    expect(page.locator("#card-dev .progress")).to_have_count(0)


def test_an_empty_folder_says_how_to_begin_and_sees_what_comes(start_ui, tmp_path, browser):
    with start_ui(tmp_path) as url:
        page = browser.new_page()
        page.goto(url)
        expect(page.locator(".welcome")).to_contain_text("lakemon init")
        for path in ("incidents", "runs", "tables", "query", "plugins"):
            page.goto(url + path)
            assert page.locator("h1").count() == 1
            assert page.locator(".problem").count() == 0
        assert list(tmp_path.iterdir()) == []
        page.goto(url)
        expect(page.locator(".welcome")).to_be_visible()
        text = (
            "environments: {dev: {catalog: main, schema: shop}}\nmodel: {name: churn, type: classification}\n"
        )
        (tmp_path / "churn.yml").write_text(text, encoding="utf-8")
        expect(page.locator("#card-dev h2")).to_have_text("churn dev")
        expect(page.locator("#card-dev .badge")).to_have_text("not known")
        page.close()
