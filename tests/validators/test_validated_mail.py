"""Mails in a parser of another language, and their page in a real Chromium."""

from dataclasses import replace

import pytest
from fakes.notifications import notifications
from hypothesis import given, settings

from lakemon_core.domain.mail import compose
from lakemon_core.domain.mail_body import html_body
from lakemon_core.domain.message_parts import lines_of
from lakemon_core.domain.names import plain

PARSE = """
const { simpleParser } = require("mailparser");
simpleParser(process.stdin).then(mail => process.stdout.write(JSON.stringify({
    subject: mail.subject, from: mail.from.value, to: mail.to.value, id: mail.messageId,
    references: mail.references, text: mail.text, html: mail.html,
    headers: [...mail.headers.keys()].sort(),
    files: mail.attachments.map(one => [one.contentType, one.cid, one.size]),
})));
"""
LOOK = """
() => ({
    text: document.body.textContent,
    active: document.querySelectorAll("script, iframe, object, form, link, img:not([src^='cid:'])").length,
})
"""
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)


def mail_of(note):
    return compose(note, sender="lakemon <lakemon@example.com>", recipients=["ann@example.com"])


def test_a_parser_of_another_language_reads_what_was_meant(example, node):
    parsed = node(PARSE, mail_of(replace(example, chart=PNG)))
    assert [one["address"] for one in parsed["to"]] == ["ann@example.com"]
    assert [one["address"] for one in parsed["from"]] == ["lakemon@example.com"]
    assert not {"bcc", "cc"} & set(parsed["headers"])
    assert parsed["files"] == [["image/png", "chart@lakemon", len(PNG)]]
    assert (
        parsed["subject"].replace("\u200b", "")[:60] == plain(f"[{example.state}] {example.title}", 200)[:60]
    )
    assert plain(example.title, 1000)[:60].strip() in parsed["text"]
    assert "forged body" not in parsed["subject"]


def test_chromium_shows_every_word_and_loads_nothing(example, chromium):
    chromium.set_content(html_body(example))
    seen = chromium.evaluate(LOOK)
    for line in lines_of(example):
        assert line in seen["text"]
    assert seen["active"] == 0
    assert [url for url in chromium.asked if not url.startswith("cid:")] == []


@settings(max_examples=40, deadline=None)
@given(note=notifications())
def test_chromium_finds_nothing_active_in_any_mail(note, page):
    page.set_content(html_body(note, chart="chart@lakemon"))
    assert page.evaluate(LOOK)["active"] == 0


@pytest.fixture(scope="module")
def page(chromium):
    return chromium
