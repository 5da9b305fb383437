"""Validators that are not ours. `nox -s validators` installs them and says where their node modules are."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from fakes.notifications import examples


@pytest.fixture(scope="session")
def node_modules():
    return Path(os.environ["LAKEMON_NODE_MODULES"])


@pytest.fixture(scope="session")
def node(node_modules):
    """Runs JavaScript; its standard output is JSON."""

    def run(script, text=""):
        done = subprocess.run(
            ["node", "-e", script],
            input=text, capture_output=True, cwd=node_modules.parent, check=True, timeout=60,
            text=isinstance(text, str),
        )  # fmt: skip
        return json.loads(done.stdout)

    return run


@pytest.fixture(scope="session")
def chromium():
    """A page of a real Chromium that may load nothing; what it asked for stands in `page.asked`."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page()
        page.asked = []
        page.route("**/*", lambda route: (page.asked.append(route.request.url), route.abort()))
        yield page
        browser.close()


@pytest.fixture(params=list(examples()), ids=lambda note: None)
def example(request):
    return request.param
