"""Reports, opened in a real Chromium that may load nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page


@dataclass
class Reader:
    """A person with a browser: the page, what it asked for, and what its console said."""

    page: Page
    asked: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


@pytest.fixture
def read(browser: Browser, tmp_path: Path) -> Iterator[Callable[..., Reader]]:
    """Opens a report as a file; whatever else it asks for is refused and noted."""
    opened: list[Page] = []

    def read(html: str, **settings: object) -> Reader:
        file = tmp_path / "report.html"
        file.write_text(html, encoding="utf-8")
        page = browser.new_page(**({"viewport": {"width": 1280, "height": 900}} | settings))
        opened.append(page)
        reader = Reader(page)

        def ask(route) -> None:
            if route.request.url == file.as_uri():
                return route.continue_()
            reader.asked.append(route.request.url)
            return route.abort()

        page.route("**/*", ask)
        page.on("console", lambda message: reader.complaints.append(message.text))
        page.on("pageerror", lambda error: reader.complaints.append(str(error)))
        page.on("dialog", lambda dialog: (reader.complaints.append(dialog.message), dialog.dismiss()))
        page.goto(file.as_uri())
        page.wait_for_selector("html[data-ready]")
        return reader

    yield read
    for page in opened:
        page.close()
