"""How long a person waits for a report of 500 columns in 365 windows: opened, filtered, moved through.

Run with `PYTHONPATH=tests python benchmarks/report_page.py`; `nox -s bench` does.
"""

from __future__ import annotations

import shutil
import statistics
import tempfile
from pathlib import Path

from fakes.report_year import page_of_a_year
from playwright.sync_api import Page, sync_playwright

ROUNDS = 5
READY = "performance.getEntriesByName('ready')[0].startTime"
MARK = """new MutationObserver(() => {
  if (document.documentElement.dataset.ready) performance.mark('ready');
}).observe(document, {subtree: true, childList: true, attributes: true, attributeFilter: ['data-ready']})"""
TIMED = """(act) => new Promise((resolve) => {
  const start = performance.now();
  new Function(act)();
  requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - start)));
})"""
ACTS = {
    "filter": "filter.value = '_49'; filter.dispatchEvent(new Event('input'))",
    "all again": "filter.value = ''; filter.dispatchEvent(new Event('input'))",
    "a key": "heat.dispatchEvent(new KeyboardEvent('keydown', {key: 'PageDown'}))",
    "scroll": "heat.scrollTop = 5000; heat.scrollLeft = 900",
}
"""What a person does, and how the script of the page hears of it."""


def measured(page: Page, file: Path) -> dict[str, float]:
    """Returns milliseconds until the page is ready, CPU of its thread until then, and of each act."""
    page.add_init_script(MARK)
    client = page.context.new_cdp_session(page)
    client.send("Performance.enable", {"timeDomain": "threadTicks"})
    page.goto(file.as_uri())
    page.wait_for_selector("html[data-ready]")
    told = {one["name"]: one["value"] for one in client.send("Performance.getMetrics")["metrics"]}
    found = {"ready": float(page.evaluate(READY)), "of that, work": 1000 * told["TaskDuration"]}
    return found | {name: float(page.evaluate(TIMED, act)) for name, act in ACTS.items()}


def main() -> None:
    """Prints the size and the median of each time."""
    html = page_of_a_year()
    print(f"size {len(html.encode()) / 1e6:.2f} MB")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        file = Path(folder) / "report.html"
        file.write_text(html, encoding="utf-8")
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        rounds = [measured(browser.new_page(), file) for _ in range(ROUNDS)]
        browser.close()
    for name in rounds[0]:
        median = statistics.median(one[name] for one in rounds)
        print(f"{name} {median:.0f} ms")


if __name__ == "__main__":
    main()
