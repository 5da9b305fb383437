"""Blocks against the JSON Schema made of `@slack/types`, Slack's own description of Block Kit."""

import json
import subprocess

import jsonschema
import pytest
from fakes.notifications import notifications
from hypothesis import given, settings
from lakemon_slack.blocks import blocks_of

VALIDATOR = {}


@pytest.fixture(scope="module", autouse=True)
def schema(node_modules, tmp_path_factory):
    path = tmp_path_factory.mktemp("slack") / "blocks.json"
    generator = node_modules / ".bin" / "ts-json-schema-generator"
    types = node_modules / "@slack" / "types" / "dist" / "index.d.ts"
    command = [generator, "--path", types, "--type", "KnownBlock", "--no-type-check", "-o", path]
    subprocess.run(command, check=True, timeout=120)
    VALIDATOR["blocks"] = jsonschema.Draft7Validator(json.loads(path.read_text()))


def faults(blocks):
    return [error.message[:300] for block in blocks for error in VALIDATOR["blocks"].iter_errors(block)]


def test_it_refuses_what_slack_refuses():
    assert faults([{"type": "header", "text": {"type": "mrkdwn", "text": "x"}}])
    assert faults([{"type": "section", "colour": "red"}])


def test_every_example_is_block_kit(example):
    assert faults(blocks_of(example)[0]) == []


@settings(max_examples=30, deadline=None)
@given(notifications())
def test_notifications_are_block_kit(note):
    assert faults(blocks_of(note)[0]) == []


@pytest.mark.slow
@settings(max_examples=500, deadline=None)
@given(notifications())
def test_every_notification_is_block_kit(note):
    assert faults(blocks_of(note)[0]) == []
