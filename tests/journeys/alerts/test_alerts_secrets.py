"""A canary that stands for every secret: it reaches the channel, and nothing else, ever."""

import os
import subprocess
import sys

import pytest

CANARY = "c4nary/+:'\"é-7f3a9b"
SINKS = """
import logging
import traceback

from lakemon_core import alert_sink
from lakemon_core.domain.incident import DeliveryResult, DeliveryStatus, TargetResult


@alert_sink
def raises(notification, config):
    reached(config, "raises")
    logging.getLogger("httpx").warning("POST https://hooks.example.com/%s", config["token"])
    if notification.transition == "test":
        return DeliveryResult(DeliveryStatus.REJECTED, "404", f"https://x.example.com/{config['token']}")
    if open(config["proof"]).read().count("raises") > 1:
        return
    raise OSError(f"https://hooks.example.com/{config['token']} refused")


@alert_sink
def answers(notification, config):
    reached(config, "answers")
    try:
        raise ValueError(config["token"])
    except ValueError:
        logging.getLogger("urllib3").exception("failed with %r", config["token"])
        detail = traceback.format_exc()
    code, receipt = config["token"], {"channel": config["token"]}
    targets = (TargetResult("#ml", DeliveryStatus.REJECTED, code, detail),)
    return DeliveryResult(DeliveryStatus.REJECTED, code, detail, receipt=receipt, targets=targets)


def reached(config, name):
    with open(config["proof"], "a") as file:
        file.write(name + config["token"])
"""
ENTRIES = """raises:
    {{type: python, target: "canary_sinks:raises", token: "${{secret:pager/token}}", proof: "{0}"}}
  answers:
    {{type: python, target: "canary_sinks:answers", token: "${{secret:pager/token}}", proof: "{0}"}}"""


@pytest.fixture
def proof(tmp_path_factory):
    return tmp_path_factory.mktemp("proof") / "reached"


@pytest.fixture
def run(project, proof):
    """Runs commands with everything logged; returns what they printed."""
    (project.folder / "canary_sinks.py").write_text(SINKS)
    project.config(sinks=ENTRIES.format(proof))

    def command(*arguments):
        done = subprocess.run(
            [sys.executable, "-m", "lakemon_core", *arguments],
            cwd=project.folder, capture_output=True, check=False, timeout=180,
            env={**os.environ, "LAKEMON_SECRET_PAGER_TOKEN": CANARY},
        )  # fmt: skip
        return done.stdout + done.stderr

    return command


def forms():
    """The canary as it is, and as JSON, URLs and Python write it."""
    import json
    from urllib.parse import quote

    texts = {CANARY, json.dumps(CANARY)[1:-1], quote(CANARY), quote(CANARY, safe=""), repr(CANARY)[1:-1]}
    return {text.encode() for text in texts} | {b"7f3a9b"}


def test_a_secret_stands_in_no_output_log_traceback_table_or_ledger(project, proof, run):
    project.load(0, nulls=50)
    printed = [
        run("run", "-vv"),
        *(run("alert", "test", sink, "-vv", "--output", "json") for sink in ("raises", "answers")),
        run("alert", "list", "--output", "json"),
        run("config", "show"),
    ]
    assert CANARY in proof.read_text()
    kept = {path: path.read_bytes() for path in (project.folder / ".lakemon").rglob("*") if path.is_file()}
    assert len(kept) > 5
    for form in forms():
        assert not [text.decode() for text in printed if form in text]
        assert not [path for path, data in kept.items() if form in data]
    assert any(b"********" in text for text in printed)
