"""Validators that are not ours: Slack's types, Microsoft's renderer, a mail parser in JavaScript."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from fakes.notifications import examples

PACKAGES = Path(__file__).with_name("node_packages.txt").read_text().split()


@pytest.fixture(scope="session")
def node_modules(tmp_path_factory):
    """Where npm has put them: as `nox -s validators` says, else installed now, which takes seconds."""
    given = os.environ.get("LAKEMON_NODE_MODULES")
    if given:
        return Path(given)
    if shutil.which("npm") is None or shutil.which("node") is None:
        pytest.skip("there is no npm here")
    folder = tmp_path_factory.mktemp("npm")
    command = ["npm", "install", "--prefix", str(folder), "--no-audit", "--no-fund", *PACKAGES]
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=240)
    except subprocess.SubprocessError as error:
        pytest.skip(f"npm could not install the validators: {error}")
    return folder / "node_modules"


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
def chromium(browser):
    """A page of a real Chromium that may load nothing; what it asked for stands in `page.asked`."""
    page = browser.new_page()
    page.asked = []
    page.route("**/*", lambda route: (page.asked.append(route.request.url), route.abort()))
    yield page
    page.close()


@pytest.fixture(params=list(examples()), ids=lambda note: None)
def example(request):
    return request.param
