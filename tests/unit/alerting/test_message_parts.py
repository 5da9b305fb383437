import json
from datetime import UTC, datetime

import pytest

from lakemon_core.domain.message_parts import facts_of, figures_of, is_link, lines_of, links_of, within
from lakemon_core.testing.sinks import (
    HOSTILE,
    hostile_evidence,
    hostile_notification,
    sample_evidence,
    sample_notification,
)


@pytest.mark.parametrize(
    ("text", "link"),
    [
        ("https://wiki.example.com/drift?model=1&x=2#top", True),
        ("http://localhost:5000/#/experiments/1", True),
        ("https://wiki.example.com/Drift_(ML)", True),
        ("javascript:alert(1)", False),
        ('https://evil.example.org/"><script>', False),
        ("https://user@evil.example.org/", False),
        ("https://evil.example.org/<!channel>", False),
        ("https://evil.example.org/a|b", False),
        ("https://evil.example.org/\u202eabc", False),
        ("https://evil.example.org/ x", False),
        ("see https://example.com", False),
        ("", False),
    ],
)
def test_only_plain_urls_become_links(text, link):
    assert is_link(text) is link


def test_links_are_what_can_be_followed():
    note = sample_notification(
        runbook="javascript:alert(1)", links={"Wiki": "https://wiki.example.com", "Bad": "x y"}
    )
    assert links_of(note) == [("Report", note.report), ("Wiki", "https://wiki.example.com")]


def test_figures_are_plain_json_and_hold_what_is_known():
    figures = figures_of(sample_evidence(lower=None, slice="", value=float("inf")))
    assert figures["contributors"][0] == {"column": "temp", "statistic": "psi", "value": 3.24}
    assert figures["since"] == datetime(2013, 4, 1, tzinfo=UTC).isoformat()
    assert (figures["value"], figures["severity"], figures["n"]) == ("inf", "critical", 5812)
    assert {"lower", "slice"} & figures.keys() == set()


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_no_part_holds_a_control_character(name):
    note = hostile_notification(name)
    told = [
        *lines_of(note),
        *(text for fact in facts_of(note) for text in fact),
        *(url for _, url in links_of(note)),
    ]
    told += json.loads(json.dumps(list(figures_of(hostile_evidence(name)).values())), parse_float=str)[:4]
    assert all(text.isprintable() and len(text) <= 1000 for text in told)


@pytest.mark.parametrize("room", [0, 1, 7, 50, 100])
def test_as_many_parts_as_fit(room):
    made, cut = within(lambda count: "x" * count, 50, lambda text: len(text) <= room)
    assert len(made) <= room
    assert cut is (room < 50)
