"""What tests of all kinds share."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from importlib import resources

import pytest
from playwright.sync_api import Browser, Page, sync_playwright


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One headless Chromium a worker: Playwright allows only one at a time in a process."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def axe() -> Callable[[Page], list[tuple[str, str]]]:
    """Asks axe what is wrong with a page: the rule, and the first element that breaks it.

    The page must have been opened with `bypass_csp=True`.
    """
    script = (resources.files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")

    def found(page: Page) -> list[tuple[str, str]]:
        page.evaluate(script)
        answer = page.evaluate("axe.run()")
        assert answer["passes"]
        return [(one["id"], one["nodes"][0]["html"]) for one in answer["violations"]]

    return found
