"""A dashboard over a real workspace, and people with browsers who note what goes wrong."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

SECRET = "hunter2-in-the-file"
TOKEN = "hunter2-in-a-variable"
ENVIRONMENTS = f"""\
  prod:
    catalog: mlops_prod
    schema: shop
    serving: {{endpoint_name: churn-prod, environment_vars: {{API_TOKEN: {SECRET}}}}}
  broken:
    catalog: ${{env:LAKEMON_TEST_NOBODY_SETS_THIS}}
    schema: shop
sinks:
  mailbox: {{type: file}}
  hook: {{type: webhook, url: "https://127.0.0.1:9/", secret: "${{secret:hooks/team}}"}}
"""


@dataclass
class Seen:
    """What a browser asked for, and what its console said."""

    base: str
    elsewhere: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        page.on(
            "request", lambda one: None if one.url.startswith(self.base) else self.elsewhere.append(one.url)
        )
        page.on("console", lambda one: self.complaints.append(one.text) if one.type != "log" else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))


@dataclass
class Dashboard:
    """`lakemon ui` as a process, the shop it shows, and the secrets of its config."""

    url: str
    shop: object
    secrets: tuple[str, ...] = (SECRET, TOKEN)


@contextmanager
def running(folder: Path, *arguments: str) -> Iterator[str]:
    """Starts `lakemon ui` and stops it; yields its address."""
    command = [str(Path(sys.executable).with_name("lakemon")), "ui", "--no-open", "--port", "0", *arguments]
    environment = os.environ | {"LAKEMON_SECRET_HOOKS_TEAM": TOKEN}
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("lakemon ui at "), line + process.communicate(timeout=20)[1]
        yield line.removeprefix("lakemon ui at ").split(";")[0]
    finally:
        process.terminate()
        process.communicate(timeout=20)


@pytest.fixture(scope="package", autouse=True)
def patience() -> Iterator[None]:
    """Pages may take their time on a machine that does other things."""
    expect.set_options(timeout=60_000)
    yield
    expect.set_options(timeout=5_000)


@pytest.fixture(scope="package")
def start_ui() -> Callable[..., object]:
    """Starts `lakemon ui` in a folder for the length of a block, which gets its address."""
    return running


@pytest.fixture(scope="module")
def dashboard(copy_of_shop) -> Iterator[Dashboard]:
    """The dashboard of a shop with three environments: one ran, one never did, one is broken."""
    shop = copy_of_shop()
    with (shop.folder / "monitoring_config.yml").open("a", encoding="utf-8") as file:
        file.write(ENVIRONMENTS)
    with running(shop.folder) as url:
        yield Dashboard(url, shop)


@pytest.fixture
def visit(browser: Browser, dashboard: Dashboard) -> Iterator[Callable[..., Page]]:
    """Opens a page of the dashboard; at the end nothing was asked elsewhere and nobody complained."""
    contexts: list[BrowserContext] = []
    seen = Seen(dashboard.url)
    expected: list[str] = []

    def visit(path: str = "", *, complains: str = "", **settings: object) -> Page:
        context = browser.new_context(**({"viewport": {"width": 1280, "height": 900}} | settings))
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)
        seen.watch(page)
        expected.extend([complains] if complains else [])
        page.goto(dashboard.url + path)
        return page

    yield visit
    for context in contexts:
        context.close()
    assert seen.elsewhere == []
    assert [one for one in seen.complaints if not any(part in one for part in expected)] == []
