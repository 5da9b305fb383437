import pytest
from fakes.receiver import Reply
from fakes.slack.payload import shown
from fakes.slack.server import TOKEN
from lakemon_slack import SlackConfig
from pydantic import ValidationError

from lakemon_core.domain.incident import DeliveryStatus, Transition
from lakemon_core.testing.sinks import sample_attempt, sample_evidence, sample_notification

DELIVERED, PARTIAL, RETRY = DeliveryStatus.DELIVERED, DeliveryStatus.PARTIAL, DeliveryStatus.RETRY
REJECTED, UNKNOWN = DeliveryStatus.REJECTED, DeliveryStatus.UNKNOWN
ML, OPS = "C0000000ML", "C000000OPS"


def send(sink, *targets, receipt=None, **changes):
    note = sample_notification(targets=targets, **changes)
    return sink.deliver(sink.render(note), sample_attempt(targets=targets, receipt=receipt or {}))


def by_target(result):
    return {one.target: (one.status, one.code) for one in result.targets}


def test_a_webhook_posts_to_its_own_channel_whatever_a_rule_names(hook_at, slack):
    assert send(hook_at(slack.hook_url), "#ml").status is DELIVERED
    ((_, _, message),) = slack.posts
    assert "[critical] flight_delays dev" in message["text"]
    assert (message["unfurl_links"], message["mrkdwn"]) == (False, False)


def test_a_bot_posts_to_the_channels_of_the_rule_or_to_its_own(bot_at, slack):
    send(bot_at(slack))
    result = send(bot_at(slack), "#ml", OPS)
    assert by_target(result) == {"#ml": (DELIVERED, "200"), OPS: (DELIVERED, "200")}
    assert [channel for channel, _, _ in slack.posts] == [ML, ML, OPS]
    assert send(bot_at(slack, channel=None)).code == "no_recipient"


def test_every_figure_stands_in_the_message(bot_at, slack):
    send(bot_at(slack))
    text = shown(slack.posts[0][2])
    for part in (
        "🔴 [critical] flight_delays dev: PSI of temp 3.24 > 0.2 since 2013-04-01",
        "5,812 rows",
        "Owner\nML team",
        "Runbook",
        "https://wiki.example.com/drift?model=1&x=2",
        "https://lakemon.example.com/report?model=1&x=2",
        "lakemon run monitoring_config.yml -e dev",
    ):
        assert part in text


def test_an_ending_updates_the_opening_and_says_so_in_its_thread(bot_at, slack):
    sink = bot_at(slack)
    opened = send(sink, "#ml", "#ops")
    escalated = send(sink, "#ml", "#ops", receipt=opened.receipt, transition=Transition.ESCALATED)
    assert escalated.receipt == opened.receipt
    ended = send(
        sink, "#ml", "#ops", receipt=escalated.receipt, transition=Transition.RESOLVED, title="it is over"
    )
    assert ended.status is DELIVERED
    roots = [
        slack.messages[channel, opened.receipt[name].split("/")[1]]
        for name, channel in (("#ml", ML), ("#ops", OPS))
    ]
    assert all("🟢 [resolved] it is over" in shown(root) for root in roots)
    threads = [
        (channel, bool(thread), message.get("reply_broadcast")) for channel, thread, message in slack.posts
    ]
    assert threads[:2] == [(ML, False, None), (OPS, False, None)]
    assert threads[2:4] == [(ML, True, True), (OPS, True, True)]
    assert threads[4:] == [(ML, True, False), (OPS, True, False)]
    assert slack.posts[-1][2]["text"] == "[resolved] it is over"


def test_an_ending_of_some_incidents_does_not_overwrite_a_message_about_more(bot_at, slack):
    sink = bot_at(slack)
    both = (sample_evidence(incident="a.1"), sample_evidence(incident="b.1"))
    opened = send(sink, thread="digest-of-both", evidence=both)
    ended = send(
        sink, thread="a.1", evidence=both[:1], transition=Transition.RESOLVED, receipt=opened.receipt
    )
    assert ended.status is DELIVERED
    (root,) = [message for (_, ts), message in slack.messages.items() if ts in opened.receipt["#ml"]]
    assert "[critical]" in shown(root)
    _, thread, reply = slack.posts[-1]
    assert thread in opened.receipt["#ml"]
    assert "[resolved]" in shown(reply)


def test_what_cannot_be_changed_any_more_is_told_anew(bot_at, slack):
    sink = bot_at(slack)
    opened = send(sink)
    slack.locked.add(opened.receipt["#ml"].split("/")[1])
    ended = send(sink, receipt=opened.receipt, transition=Transition.RESOLVED)
    assert ended.status is DELIVERED
    _, thread, message = slack.posts[-1]
    assert (thread, "[resolved]" in shown(message)) == ("", True)
    assert ended.receipt != opened.receipt


def test_channels_are_told_or_refused_each_for_itself(bot_at, slack):
    result = send(bot_at(slack), "#ml", "#nowhere")
    assert result.status is PARTIAL
    assert by_target(result) == {"#ml": (DELIVERED, "200"), "#nowhere": (REJECTED, "channel_not_found")}
    assert "invite the bot" in result.detail
    assert set(result.receipt) == {"#ml"}


@pytest.mark.parametrize(
    ("error", "status"),
    [
        ("ratelimited", RETRY),
        ("internal_error", RETRY),
        ("service_unavailable", RETRY),
        ("not_in_channel", REJECTED),
        ("is_archived", REJECTED),
        ("invalid_auth", REJECTED),
        ("token_revoked", REJECTED),
        ("msg_blocks_too_long", REJECTED),
        ("something_new", REJECTED),
    ],
)
def test_an_error_of_the_web_api_comes_with_status_200(bot_at, slack, error, status):
    slack.replies = [Reply(200, {"ok": False, "error": error})]
    result = send(bot_at(slack))
    assert (result.status, result.code) == (status, error)


@pytest.mark.parametrize(
    ("reply", "status", "code"),
    [
        (Reply(400, "invalid_payload"), REJECTED, "400"),
        (Reply(403, "action_prohibited"), REJECTED, "403"),
        (Reply(404, "no_service"), REJECTED, "LM558"),
        (Reply(410, "channel_is_archived"), REJECTED, "LM558"),
        (Reply(500, "rollup_error"), RETRY, "rollup_error"),
        (Reply(502), RETRY, "502"),
        (Reply(302, headers={"Location": "https://example.org"}), REJECTED, "302"),
        (Reply(200, "<html>log in first</html>"), UNKNOWN, "200"),
        (None, UNKNOWN, "RemoteDisconnected"),
    ],
)
def test_only_200_with_ok_counts_as_posted_by_a_webhook(hook_at, slack, reply, status, code):
    slack.replies = [reply]
    result = send(hook_at(slack.hook_url))
    assert (result.status, result.code) == (status, code)


def test_a_pause_that_slack_asks_for_is_handed_on(bot_at, hook_at, slack):
    for sink in (bot_at(slack), hook_at(slack.hook_url)):
        slack.replies = [Reply(429, "", {"Retry-After": "30"})]
        result = send(sink)
        assert (result.status, result.code, result.retry_after) == (RETRY, "429", 30.0)


def test_the_check_says_who_posts_where(bot_at, slack):
    assert bot_at(slack).check().detail == "posts as lakemon to Flights"
    slack.replies = [Reply(200, {"ok": False, "error": "token_revoked"})]
    assert "make a new one" in bot_at(slack).check().detail


def test_neither_url_nor_token_shows(bot_at, hook_at, slack, caplog):
    caplog.set_level("DEBUG")
    slack.replies = [Reply(500, "x"), None]
    results = [send(bot_at(slack)), send(hook_at(slack.hook_url))]
    shown_of = repr([results, bot_at(slack)._config, hook_at(slack.hook_url)._config, caplog.text])
    assert TOKEN not in shown_of
    assert "s3cretOfTheHook" not in shown_of


def test_a_url_of_another_service_gets_nothing(hook_at, monkeypatch):
    import socket

    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [(2, 1, 6, "", ("8.8.8.8", 443))])
    result = send(hook_at("https://prod-1.westeurope.logic.azure.com/workflows/x", allow_private=False))
    assert (result.status, result.code) == (RETRY, "LM552")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "either webhook_url or token"),
        ({"webhook_url": "${env:A}", "token": "${env:B}"}, "either webhook_url or token"),
        ({"webhook_url": "${env:A}", "channel": "#ml"}, "channel goes with token"),
        ({"webhook_url": "https://hooks.slack.com/services/T0/B0/x"}, "keep it out of the file"),
        ({"token": TOKEN}, "keep it out of the file"),
        ({"token": "${env:B}", "chanel": "#ml"}, "Extra inputs"),
    ],
)
def test_wrong_settings_are_refused(settings, message):
    with pytest.raises(ValidationError, match=message) as caught:
        SlackConfig.model_validate(settings)
    assert "B0" not in str(caught.value)


@pytest.mark.parametrize(
    ("recipient", "owned"), [("#ml", True), (ML, True), ("#ml ops", False), ("a@b.c", False), ("", False)]
)
def test_it_owns_channels(bot_at, slack, recipient, owned):
    assert bot_at(slack).owns(recipient) is owned
    assert bot_at(slack).has_default
    assert not bot_at(slack, channel=None).has_default


PNG = b"\x89PNG\r\n\x1a\n" + b"a small chart"


def test_a_bot_puts_the_chart_into_the_thread(bot_at, hook_at, slack):
    result = send(bot_at(slack), chart=PNG)
    _, ts, _ = result.receipt["#ml"].split("/", 2)
    assert slack.shared == [(ML, ts, "F00000000")]
    assert slack.files == {"F00000000": PNG}
    assert all(
        "authorization" not in one.headers for one in slack.requests if one.path.startswith("/upload/")
    )
    send(hook_at(slack.hook_url), chart=PNG)
    send(bot_at(slack), chart=PNG, transition=Transition.RESOLVED)
    assert len(slack.shared) == 1


def test_a_message_whose_chart_fails_is_posted_still(bot_at, slack):
    ok = Reply(200, {"ok": True, "channel": ML, "ts": "1.2"})
    slack.replies = [ok, Reply(200, {"ok": False, "error": "missing_scope"})]
    result = send(bot_at(slack), chart=PNG)
    assert (result.status, result.receipt) == (DELIVERED, {"#ml": f"{ML}/1.2/a1b2c3d4e5f60718.1"})
    assert "files:write" in result.targets[0].detail
