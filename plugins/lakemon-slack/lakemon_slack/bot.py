"""A bot of Slack: calls of the Web API within one deadline, and what its threads and charts need."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any, Protocol
from urllib.parse import urlencode

from lakemon_core.domain.incident import DeliveryResult, DeliveryStatus
from lakemon_core.web import Answer
from lakemon_slack.api import CANNOT_CHANGE, of_method

SENT = frozenset({DeliveryStatus.DELIVERED, DeliveryStatus.ACCEPTED})

_JSON, _FORM = "application/json; charset=utf-8", "application/x-www-form-urlencoded"


class Send(Protocol):
    """One guarded request, as `WebSink.send` makes it."""

    def __call__(self, url: str, body: bytes, headers: Mapping[str, str], *, seconds: float) -> Answer:
        """Sends it."""
        ...


@dataclass(frozen=True, slots=True)
class Bot:
    """A token and the time that is left for all of its calls.

    Attributes:
        send: makes one request.
        api_url: of the Web API.
        token: the bot's, or a reference to it.
        end: moment of the monotonic clock at which everything ends.
    """

    send: Send
    api_url: str
    token: str
    end: float

    def call(self, name: str, arguments: Mapping[str, Any]) -> Answer:
        """Calls a method that takes JSON."""
        return self._call(f"{self.api_url}/{name}", json.dumps(arguments).encode(), _JSON)

    def tell(self, channel: str, body: Mapping[str, Any], root: str) -> DeliveryResult:
        """Tells one channel.

        The receipt is the thread's root, `channel/ts/thread`. An ending updates the message that told of
        exactly the same incidents, and says so in the thread, for an update notifies nobody.

        Args:
            channel: name or id.
            body: of `SlackSink.render`.
            root: receipt of the message this one follows; empty for none.
        """
        message, thread = body["message"], str(body["thread"])
        if not root:
            return self._post(channel, body)
        place, ts, opened = root.split("/", 2)
        replied: dict[str, Any] = {"thread_ts": ts, "reply_broadcast": not body["reply"]}
        if body["reply"] and opened == thread:
            changed = of_method(
                self.call("chat.update", {"channel": place, "ts": ts, **_changeable(message)})
            )
            if changed.code in CANNOT_CHANGE:
                return self._post(channel, body)
            if changed.status not in SENT:
                return changed
            message = {"text": body["reply"], "mrkdwn": False}
        told = of_method(self.call("chat.postMessage", {"channel": place, **message, **replied}))
        return DeliveryResult(told.status, told.code, told.detail, told.retry_after)

    def _post(self, channel: str, body: Mapping[str, Any]) -> DeliveryResult:
        """Posts a new message, which becomes the root of its thread, and its chart into the thread."""
        answer = self.call("chat.postMessage", {"channel": channel, **body["message"]})
        result, said = of_method(answer), answer.json()
        if result.status not in SENT:
            return result
        place, ts = str(said.get("channel")), str(said.get("ts"))
        missing = self._upload(body["chart"], place, ts) if body["chart"] else ""
        detail = f"without its chart: {missing}" if missing else ""
        return DeliveryResult(
            result.status, result.code, detail, receipt={"root": f"{place}/{ts}/{body['thread']}"}
        )

    def _upload(self, chart: str, channel: str, ts: str) -> str:
        """Puts a chart into a thread; returns why that failed: a message without its chart is sent still."""
        data = base64.b64decode(chart)
        asked = {"filename": "chart.png", "length": len(data), "alt_txt": "Chart of what the message tells"}
        url = f"{self.api_url}/files.getUploadURLExternal"
        answer = self._call(url, urlencode(asked).encode(), _FORM)
        place = answer.json()
        if of_method(answer).status in SENT:
            answer = self._call(str(place.get("upload_url")), data, "application/octet-stream", token=False)
            if not answer.is_success:
                return answer.outcome.detail
            done = {
                "files": [{"id": place.get("file_id"), "title": "Chart"}],
                "channel_id": channel,
                "thread_ts": ts,
            }
            answer = self.call("files.completeUploadExternal", done)
        result = of_method(answer)
        return "" if result.status in SENT else result.detail

    def _call(self, url: str, body: bytes, content_type: str, *, token: bool = True) -> Answer:
        left = max(self.end - monotonic(), 0.001)
        headers = {"Content-Type": content_type} | (
            {"Authorization": f"Bearer {self.token}"} if token else {}
        )
        return self.send(url, body, headers, seconds=left)


def _changeable(message: Mapping[str, Any]) -> dict[str, Any]:
    return {name: message[name] for name in ("text", "blocks")}
