from dataclasses import replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP, default
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lakemon_core.domain import mail
from lakemon_core.domain.errors import DeliveryError
from lakemon_core.domain.incident import Transition
from lakemon_core.domain.mail import address, compose, header_text, is_address
from lakemon_core.domain.mail_body import html_body, text_body
from lakemon_core.domain.names import plain
from lakemon_core.domain.run import Severity
from lakemon_core.testing.sinks import HOSTILE, hostile_notification, sample_notification

SENDER = "lakemon <lakemon@example.com>"
HEADERS = [
    "From", "To", "Subject", "Date", "Message-ID", "In-Reply-To", "References", "List-Id", "Auto-Submitted",
    "X-Auto-Response-Suppress", "X-Lakemon-Key", "X-Lakemon-Transition", "X-Lakemon-Severity", "MIME-Version",
    "Content-Type",
]  # fmt: skip
PARTS = ["multipart/alternative", "text/plain", "text/html"]
VOID = {"meta", "br", "hr", "img"}


class Page(HTMLParser):
    """Reads a page strictly: every tag is closed in order."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.tags, self.attributes, self.text = [], [], [], ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def read(data):
    return message_from_bytes(data, policy=default)


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_name_adds_no_header_and_no_part(name):
    parsed = read(compose(hostile_notification(name), sender=SENDER, recipients=["ann@example.com"]))
    assert parsed.keys() == HEADERS
    assert [part.get_content_type() for part in parsed.walk()] == PARTS


@given(st.text(max_size=300), st.text(max_size=300), st.sampled_from(list(Transition)))
@settings(deadline=None)
def test_any_text_stands_in_its_header_literally(title, name, transition):
    note = sample_notification(
        title=title, model=name, environment=name, key=name, thread=name, lines=(name,), transition=transition
    )
    data = compose(note, sender=SENDER, recipients=[])
    parsed = read(data)
    assert parsed.keys() == HEADERS
    meant = plain(f"[{note.state}] {title}", 200)
    assert parsed["Subject"].replace("\u200b", "").rstrip() == meant.replace("\u200b", "").rstrip()
    assert compose(note, sender=SENDER, recipients=[]) == data


@given(st.text(max_size=200), st.text(max_size=80))
@settings(deadline=None)
def test_ids_are_never_encoded_or_folded(key, model):
    note = sample_notification(key=key, thread=key, model=model, environment=model)
    raw = message_from_bytes(compose(note, sender="a@" + "long-label." * 12 + "example", recipients=[]))
    for name in ("Message-ID", "In-Reply-To", "References", "List-Id"):
        value = raw[name].strip()
        assert value.startswith("<")
        assert value.endswith(">")
        assert " " not in value


FORGED = "=?utf-8?q?drift=0ABcc:_evil=40example.org?="


def test_an_encoded_word_is_broken():
    assert "=?" not in header_text(FORGED)
    assert header_text(FORGED).replace("\u200b", "") == FORGED


def test_a_forged_header_stops_the_mail():
    message = EmailMessage(policy=SMTP)
    message["Subject"] = FORGED
    message.set_content("text")
    message.add_alternative("<p>html</p>", subtype="html")
    if "Bcc" in message_from_bytes(message.as_bytes()):  # this Python writes the forged header
        with pytest.raises(DeliveryError, match="LM510"):
            mail._checked(message)
    else:  # Python 3.13 writes the line break encoded
        assert "Bcc" not in message_from_bytes(mail._checked(message))


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("ann@example.com", "ann@example.com"),
        ("  Ann Lee <ann@example.com> ", "ann@example.com"),
        ('"Lee, Ann" <ann@example.com>', "ann@example.com"),
        ("ann+ml@sub.example.com", "ann+ml@sub.example.com"),
        ("root@localhost", "root@localhost"),
        ("ann@bücher.example", "ann@xn--bcher-kva.example"),
    ],
)
def test_addresses_are_read(text, spec):
    assert address(text).addr_spec == spec


@pytest.mark.parametrize(
    "text",
    [
        "", "ann", "@example.com", "ann@", "ann@@example.com", "ann@example..com", "ann@-x.com",
        "a b@example.com", "ann@example.com, bob@example.com", "änn@example.com",
        "ann@example.com\nBcc: eve@example.org",
        "Ann <ann@example.com> Bcc", "=?utf-8?q?a?=@example.com", "ann.@example.com", "x" * 250 + "@a.bc",
        "ann@example.com\x00", *HOSTILE,
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(text):
    assert not is_address(text)
    with pytest.raises(DeliveryError, match="LM511"):
        address(text)


def test_a_senders_name_cannot_forge_either():
    parsed = read(compose(sample_notification(), sender=f"{FORGED} <a@example.com>", recipients=[]))
    assert parsed.keys() == HEADERS


def test_lines_end_as_mail_wants_and_stay_short():
    data = compose(hostile_notification("x" * 10_000), sender=SENDER, recipients=["ann@example.com"] * 40)
    lines = data.split(b"\r\n")
    assert max(len(line) for line in lines) <= 78
    assert not any(b"\n" in line or b"\r" in line for line in lines)
    assert data.isascii()


def test_the_text_part_reads_like_a_letter():
    assert text_body(sample_notification()) == (
        "flight_delays dev: PSI of temp 3.24 > 0.2 since 2013-04-01\n"
        "(critical, opened)\n"
        "\n"
        "- PSI of temp is 3.24, the limit is 0.2.\n"
        "- Window 2013-04-22 to 2013-04-29, 5,812 rows.\n"
        "- It is beyond its limit since 2013-04-01, in 4 windows.\n"
        "\n"
        "Model: mlops_dev.flights.flight_delays\n"
        "Rule: feature_drift\n"
        "Owner: ML team\n"
        "Runbook: https://wiki.example.com/drift?model=1&x=2\n"
        "Report: https://lakemon.example.com/report?model=1&x=2\n"
        "\n"
        "From a shell:\n"
        "  lakemon run monitoring_config.yml -e dev\n"
        "\n"
        "--\n"
        "lakemon, message 5f0c3a1be2d94c7788aa0b1c2d3e4f50\n"
    )


def test_what_is_not_known_leaves_no_empty_label():
    text = text_body(sample_notification(owner="", runbook="", command="", facts={}, lines=(), report=""))
    assert text.count(":") == 1
    Page(html_body(sample_notification(owner="", runbook="", command="", facts={}, lines=())))


@pytest.mark.parametrize("severity", Severity)
@pytest.mark.parametrize("transition", Transition)
def test_the_page_says_its_state_in_words(severity, transition):
    note = sample_notification(severity=severity, transition=transition)
    page = Page(html_body(note))
    assert f"{note.state}, {transition.value}" in page.text


def test_the_page_loads_nothing_and_runs_nothing():
    text = html_body(sample_notification(links={"Report": "https://lake.example.com/r"}))
    page = Page(text)
    assert not {"script", "img", "link", "iframe", "object", "form", "svg"} & set(page.tags)
    assert not [name for name, _ in page.attributes if name in {"src", "background"} or name.startswith("on")]
    assert "url(" not in text
    assert "@import" not in text


def test_the_page_can_be_read_aloud():
    text = html_body(sample_notification())
    page = Page(text)
    assert ("lang", "en") in page.attributes
    assert page.tags.count("h1") == page.tags.count("title") == 1
    assert page.tags.count("th") == page.attributes.count(("scope", "row"))
    assert page.attributes.count(("role", "presentation")) == 2


def test_only_web_addresses_become_links():
    bad = (
        "javascript:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "vbscript:x",
        " https://a.example",
    )
    note = sample_notification(
        runbook="https://wiki.example.com/a?b=1&c=2",
        report="/srv/reports/report.html",
        links={link: link for link in bad},
    )
    hrefs = [value for name, value in Page(html_body(note)).attributes if name == "href"]
    assert hrefs == ["https://wiki.example.com/a?b=1&c=2"]


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_name_is_mere_text_in_the_page(name):
    tame, hostile = Page(html_body(sample_notification())), Page(html_body(hostile_notification(name)))
    assert set(hostile.tags) <= set(tame.tags)
    assert plain(name, 1000) in hostile.text


PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)


def test_a_chart_stands_inside_the_page_and_loads_nothing():
    note = sample_notification(chart=PNG)
    data = compose(note, sender=SENDER, recipients=["ann@example.com"])
    assert data == compose(note, sender=SENDER, recipients=["ann@example.com"])
    parsed = read(data)
    parts = {part.get_content_type(): part for part in parsed.walk()}
    assert list(parts) == [
        "multipart/alternative",
        "text/plain",
        "multipart/related",
        "text/html",
        "image/png",
    ]
    assert parts["image/png"].get_content() == PNG
    assert (parts["image/png"]["Content-ID"], parts["image/png"].get_content_disposition()) == (
        "<chart@lakemon>",
        "inline",
    )
    attributes = Page(parts["text/html"].get_content()).attributes
    assert ("src", "cid:chart@lakemon") in attributes
    assert ("alt", f"Chart: {note.title}") in attributes


@pytest.mark.parametrize("chart", [None, b"", b"GIF89a", b"<svg onload=alert(1)>", PNG + bytes(1_000_000)])
def test_what_is_no_chart_is_left_out(chart):
    parsed = read(compose(sample_notification(chart=chart), sender=SENDER, recipients=["ann@example.com"]))
    assert [part.get_content_type() for part in parsed.walk()] == PARTS


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_beside_a_chart_a_hostile_name_adds_nothing_either(name):
    note = replace(hostile_notification(name), chart=PNG)
    parsed = read(compose(note, sender=SENDER, recipients=["ann@example.com"]))
    assert parsed.keys() == HEADERS
    page = Page(parsed.get_body(("html",)).get_content())
    assert (page.tags.count("img"), "script" in page.tags) == (1, False)
