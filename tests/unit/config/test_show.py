"""A resolved config as YAML and as a hash."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakemon_core.config import from_dict, load, resolved, show
from lakemon_core.config.source.read import parse


def without_source(monitor):
    return {name: getattr(monitor, name) for name in monitor.__slots__ if name != "source"}


def test_what_is_shown_loads_again_as_the_same(config_file, full_text):
    first = load(config_file(full_text)).monitor
    second = load(config_file(show(first))).monitor
    assert without_source(first) == without_source(second)
    assert show(first).startswith(f"# config_hash: {first.config_hash}\n")


def test_secrets_are_references_or_hidden(config_file, monkeypatch):
    monkeypatch.setenv("HOST", "canary-host")
    text = """\
        model: {name: m, type: t, url: "https://me:canary@example.com/"}
        environments:
          dev:
            catalog: c
            schema: s
            local: {token: canary}
            serving: {environment_vars: {API_KEY: canary, HOST: ${env:HOST}, THREADS: 2}}
        sinks:
          mail: {type: email, host: ${env:HOST}, password: canary, api: {key: 1, secrets: {a: canary}}}
          hook: {type: slack, url: "https://hooks.example.com/services/canary", at: https://example.com}
          other: {type: slack, webhook_url: ${secret:slack/ml}}
        """
    monitor = load(config_file(text)).monitor
    shown = show(monitor)

    assert "canary" not in shown
    assert "webhook_url: ${secret:slack/ml}" in shown
    assert "host: ${env:HOST}" in shown
    assert "HOST: ${env:HOST}" in shown
    assert "THREADS: '2'" in shown
    assert "at: https://example.com" in shown
    assert resolved(monitor)["sinks"]["mail"]["password"] == "********"


@given(st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"]), min_size=1))
def test_any_text_survives_being_shown(text):
    monitor = from_dict(
        {"model": {"name": "m", "type": "t", "note": text.replace("$", "")},
         "environments": {"dev": {"catalog": "c", "schema": "s"}}}
    ).monitor  # fmt: skip
    root, _ = parse(show(monitor))
    assert root.child("model").child("note").value == text.replace("$", "")


HASHED = {
    "threshold: 0.3": "threshold: 0.4",
    'granularities: ["1 day", "1 week"]': 'granularities: ["1 week", "1 day"]',
    "baseline_table: training_data": "baseline_table: other_data",
    "label_col: late": "label_col: later",
    "for: 2 of 3": "for: 3 of 3",
    "distance > 1000": "distance > 999",
    "name: inference_logs": "name: other_logs",
    "catalog: mlops_dev": "catalog: mlops_aut",
    "level: 2": "level: 3",
    "disabled: [night_watch]": "disabled: []",
}
NOT_HASHED = {
    "your-team@example.com": "another-team@example.com",
    "owner: flights": "owner: somebody",
    "runbook: https://example.com/drift": "runbook: https://example.com/other",
    "version: champion": "version: latest",
    "endpoint_name: flights-dev": "endpoint_name: other",
    "retention_days: 90": "retention_days: 30",
    "${env:SMTP_HOST}": "${env:OTHER_HOST}",
    "port: 8001": "port: 8002",
    "output_schema: monitoring": "output_schema: elsewhere",
}


@pytest.mark.parametrize("change", HASHED.items(), ids=str)
def test_the_hash_follows_what_is_measured_and_judged(config_file, full_text, change):
    assert change[0] in full_text
    before = load(config_file(full_text)).monitor.config_hash
    assert re.fullmatch("[0-9a-f]{12}", before)
    assert load(config_file(full_text.replace(*change, 1))).monitor.config_hash != before


@pytest.mark.parametrize("change", NOT_HASHED.items(), ids=str)
def test_the_hash_ignores_who_is_told_and_where_things_run(config_file, full_text, change):
    assert change[0] in full_text
    before = load(config_file(full_text)).monitor.config_hash
    assert load(config_file(full_text.replace(*change, 1))).monitor.config_hash == before


def test_the_hash_is_the_same_for_file_and_python(config_file, full_text):
    values = parse(full_text)[0].data()
    assert from_dict(values).monitor.config_hash == load(config_file(full_text)).monitor.config_hash
