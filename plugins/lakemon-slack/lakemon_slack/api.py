"""What Slack's answers mean: the words of incoming webhooks and of the Web API. Pure."""

from __future__ import annotations

from dataclasses import replace

from lakemon_core.domain.incident import DeliveryResult, DeliveryStatus
from lakemon_core.domain.names import plain
from lakemon_core.web import Answer

_AGAIN = frozenset(
    {
        "accesslimited",
        "fatal_error",
        "internal_error",
        "rate_limited",
        "ratelimited",
        "request_timeout",
        "rollup_error",
        "service_unavailable",
        "team_added_to_org",
    }
)
_CURES = {
    "channel_not_found": "check the channel's name, and invite the bot to it",
    "invalid_auth": "check the token",
    "is_archived": "the channel is archived",
    "missing_scope": "give the app the scope chat:write (and files:write for charts)",
    "not_in_channel": "invite the bot to the channel",
    "token_revoked": "the token was revoked; make a new one",
}
CANNOT_CHANGE = frozenset({"cant_update_message", "edit_window_closed", "message_not_found"})
"""Errors of `chat.update` after which a new message is posted."""


def of_webhook(answer: Answer) -> DeliveryResult:
    """Returns what an incoming webhook's answer means; only 200 with the body `ok` is success."""
    if answer.is_success and answer.text.strip() != "ok":
        detail = f"the webhook answered {answer.status}, but not ok: {plain(answer.text, 200)}"
        return DeliveryResult(DeliveryStatus.UNKNOWN, str(answer.status), detail)
    said = answer.text.strip()
    if answer.status and not answer.is_success and said in _CURES | dict.fromkeys(_AGAIN):
        return _result(said, answer)
    return answer.outcome


def of_method(answer: Answer) -> DeliveryResult:
    """Returns what an answer of the Web API means: 200 with `ok: false` is an error too."""
    if not answer.is_success:
        return answer.outcome
    said = answer.json()
    if said.get("ok") is True:
        return answer.outcome
    error = said.get("error")
    if isinstance(error, str):
        return _result(error, answer)
    return DeliveryResult(DeliveryStatus.UNKNOWN, str(answer.status), "the answer is none of Slack's")


def _result(error: str, answer: Answer) -> DeliveryResult:
    name = plain(error)
    detail = f"Slack answered {name}" + (f": {_CURES[name]}" if name in _CURES else "")
    status = DeliveryStatus.RETRY if name in _AGAIN else DeliveryStatus.REJECTED
    return replace(answer.outcome, status=status, code=name, detail=detail)
