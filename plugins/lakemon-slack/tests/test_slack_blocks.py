from dataclasses import replace

import pytest
from fakes.slack import faults
from fakes.slack.payload import parsed_texts
from hypothesis import given
from hypothesis import strategies as st
from lakemon_slack.blocks import blocks_of, text_of

from lakemon_core.domain.incident import Transition
from lakemon_core.testing.sinks import HOSTILE, hostile_notification, sample_notification

LINKS = {f"{number}": "https://e.com/" + "a" * 1900 for number in range(99)}


def message_of(note):
    return {"text": text_of(note), "blocks": blocks_of(note)[0]}


@pytest.mark.parametrize("transition", Transition)
def test_every_message_passes_slackblocks(transition):
    assert faults(message_of(sample_notification(transition=transition))) == []


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_name_mentions_nobody_and_links_nowhere(name):
    message = message_of(hostile_notification(name))
    assert faults(message) == []
    assert not [text for text in parsed_texts(message) if "<" in text or ">" in text]


@given(st.text(max_size=300), st.integers(0, 60))
def test_any_text_makes_a_message_that_slack_takes(name, times):
    hostile = hostile_notification(name)
    note = replace(hostile, lines=(name,) * times, facts={f"{n}{name}": name for n in range(times)})
    message = message_of(note)
    assert faults(message) == []
    assert not [text for text in parsed_texts(message) if "<" in text or ">" in text]


@pytest.mark.parametrize("name", ["🌡" * 2000, '"' * 2000, "\\" * 2000, "&" * 2000])
def test_a_flood_is_cut_and_says_so(name):
    note = replace(
        hostile_notification(name), lines=(name,) * 500, facts={f"{n}": name for n in range(99)}, links=LINKS
    )
    blocks, was_cut = blocks_of(note)
    assert was_cut
    assert faults(message_of(note)) == []
    assert "shortened" in blocks[-1]["elements"][0]["text"]


def test_a_title_longer_than_a_header_stands_whole_below_it():
    note = sample_notification(title="PSI of " + "x" * 200 + " 3.24 > 0.2")
    header, section = blocks_of(note)[0][:2]
    assert len(header["text"]["text"]) == 150
    assert "3.24 > 0.2" in section["text"]["text"].splitlines()[0]
