import logging
import socket
from dataclasses import replace

import apprise
import pytest
from fakes.receiver import Receiver, Reply
from hypothesis import given
from hypothesis import strategies as st
from lakemon_apprise import AppriseConfig, AppriseSink
from lakemon_apprise.words import body_of, inert, title_of
from pydantic import ValidationError

from lakemon_core.domain.incident import DeliveryStatus, Transition
from lakemon_core.testing.sinks import (
    HOSTILE,
    AlertSinkContract,
    hostile_notification,
    open_sink,
    sample_attempt,
    sample_notification,
)

DELIVERED, PARTIAL, RETRY = DeliveryStatus.DELIVERED, DeliveryStatus.PARTIAL, DeliveryStatus.RETRY
REJECTED, UNKNOWN = DeliveryStatus.REJECTED, DeliveryStatus.UNKNOWN


@pytest.fixture
def receiver():
    with Receiver() as server:
        yield server


@pytest.fixture
def sink_of(tmp_path):
    def make(**urls):
        secrets = {f"${{secret:apprise/{name}}}": url for name, url in urls.items()}
        settings = {"urls": {name: f"${{secret:apprise/{name}}}" for name in urls}, "timeout": 5}
        return open_sink(AppriseSink, settings, tmp_path, secrets=secrets)

    return make


def json_url(port):
    return f"json://user:s3cretpw@127.0.0.1:{port}/s3cretpath"


class TestAppriseSink(AlertSinkContract):
    @pytest.fixture
    def sink(self, sink_of, receiver):
        return sink_of(phone=json_url(receiver.port))

    @pytest.fixture
    def received(self, receiver):
        return lambda: [f"{one.json['title']}\n{one.json['message']}" for one in receiver.requests]


def send(sink, *targets, **changes):
    return sink.deliver(sink.render(sample_notification(**changes)), sample_attempt(targets=targets))


def test_each_service_is_told_for_itself(sink_of, receiver):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        sink = sink_of(
            up=json_url(receiver.port), down=json_url(closed.getsockname()[1]), odd="nosuch://s3cretpath"
        )
        result = send(sink)
    assert result.status is PARTIAL
    assert {one.target: one.status for one in result.targets} == {
        "up": DELIVERED,
        "down": RETRY,
        "odd": RETRY,
    }
    assert "LM556" in {one.code for one in result.targets}
    assert not sink.check().ok


def test_a_rule_may_name_one_service(sink_of, receiver):
    sink = sink_of(up=json_url(receiver.port), other=json_url(receiver.port))
    assert send(sink, "up").status is DELIVERED
    assert len(receiver.requests) == 1
    result = send(sink, "upp")
    assert (result.status, result.code) == (REJECTED, "no_such_name")
    assert 'Did you mean "up"?' in result.detail


def test_a_refusal_is_tried_again_with_its_reason(sink_of, receiver):
    receiver.replies = [Reply(500)]
    result = send(sink_of(up=json_url(receiver.port)))
    assert result.status is RETRY
    assert "500" in result.detail


def test_each_state_has_its_kind(sink_of, receiver):
    sink = sink_of(up=json_url(receiver.port))
    for transition in Transition:
        send(sink, transition=transition)
    kinds = [one.json["type"] for one in receiver.requests]
    assert kinds[list(Transition).index(Transition.RESOLVED)] == "success"
    assert kinds[0] == "failure"


def test_no_log_and_no_result_holds_a_url(sink_of, receiver, caplog, capfd):
    caplog.set_level(logging.DEBUG, logger="apprise")
    receiver.replies = [Reply(200), Reply(403)]
    sink = sink_of(up=json_url(receiver.port), odd="nosuch://s3cretpath")
    shown = repr([send(sink), send(sink), sink.check(), sink.setup.config])
    out, err = capfd.readouterr()
    assert "s3cret" not in shown + caplog.text + out + err
    assert logging.getLogger("apprise").propagate


def test_a_message_is_cut_to_what_a_service_takes(sink_of, receiver):
    name = "x" * 400
    sink = sink_of(up=json_url(receiver.port))
    note = hostile_notification(name)
    flood = replace(note, lines=(name,) * 500, facts={f"{n}{name}": name for n in range(99)})
    assert sink.render(flood).truncated
    assert sink.deliver(sink.render(flood), sample_attempt()).status is DELIVERED


@pytest.mark.parametrize("name", [*HOSTILE, "@everyone @here <@&1> <#2>"], ids=range(len(HOSTILE) + 1))
def test_apprises_own_parsers_find_no_mention(name):
    """What Apprise itself would turn into mentions for Teams, Slack and Discord."""
    from apprise.plugins.slack import NotifySlack
    from apprise.plugins.workflows import WORKFLOWS_MENTION_RE

    note = hostile_notification(name)
    for text in (title_of(note), body_of(note)):
        assert WORKFLOWS_MENTION_RE.search(text) is None
        for pattern in (
            NotifySlack._re_channel_support,
            NotifySlack._re_user_id_support,
            NotifySlack._re_url_support,
        ):
            assert not [match for match in pattern.findall(text) if "<" in match[0]]
        assert "@everyone" not in text
        assert "](" not in text


@given(st.text())
def test_figures_stay_readable_and_everything_else_inert(text):
    made = inert(text)
    assert "](" not in made
    assert made.replace("\u200b", "") == text.replace("\u200b", "")
    assert inert("ROC AUC 0.6 < 0.7") == "ROC AUC 0.6 < 0.7"


@pytest.mark.parametrize(
    "url",
    [
        "ntfys://ntfy.sh/topic",
        "tgram://123456789:abcdefg_hijklmnop/12315544/",
        "gotify://localhost/token0123456789",
        "mailto://u:p@example.com",
    ],
)
def test_urls_of_the_long_tail_are_known(sink_of, url):
    assert apprise.Apprise.instantiate(url) is not None
    assert sink_of(one=url).check().ok


@pytest.mark.parametrize(("urls", "names"), [("${env:A}", ["1"]), (["${env:A}", "${env:B}"], ["1", "2"])])
def test_urls_without_names_are_counted(urls, names):
    assert list(AppriseConfig.model_validate({"urls": urls}).urls) == names


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"urls": {}}, "at least 1 item"),
        ({}, "Field required"),
        ({"urls": "${env:A}", "tag": "x"}, "Extra inputs"),
    ],
)
def test_wrong_settings_are_refused(settings, message):
    with pytest.raises(ValidationError, match=message):
        AppriseConfig.model_validate(settings)
