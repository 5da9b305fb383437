"""Slack's two doors, incoming webhooks and the Web API, with its errors."""

import json
from pathlib import Path
from urllib.parse import parse_qs

from fakes.receiver import Received, Receiver, Reply
from fakes.slack.payload import faults

HOOK = "/services/T00000000/B00000000/s3cretOfTheHook"
TOKEN = "xoxb-" + "s3cret-of-the-bot"


class SlackServer(Receiver):
    """A workspace with the channels #ml and #ops, in which a bot with `TOKEN` is a member.

    Attributes:
        messages: (channel, ts) → the message as it stands now.
        posts: every message that was posted, as (channel, thread_ts or "", message).
        locked: timestamps of messages that cannot be changed any more.
        files: file id → its bytes.
        shared: (channel, thread_ts, file id) of each file that is shown.
    """

    def __init__(self, certificate: Path):
        super().__init__(certificate)
        self.hook_url = self.url + HOOK
        self.api_url = self.url + "/api"
        self.messages: dict[tuple[str, str], dict] = {}
        self.posts: list[tuple[str, str, dict]] = []
        self.locked: set[str] = set()
        self.files: dict[str, bytes] = {}
        self.shared: list[tuple[str, str, str]] = []
        self.channels = {"#ml": "C0000000ML", "#ops": "C000000OPS"}

    def answer(self, request: Received) -> Reply:
        if request.path.startswith("/services/"):
            return self._hook(request)
        if request.path.startswith("/upload/"):
            self.files[request.path.rpartition("/")[2]] = request.body
            return Reply(200, "OK - 1")
        method = request.path.removeprefix("/api/")
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return _error("invalid_auth")
        if method == "files.getUploadURLExternal":
            return self._place(parse_qs(request.body.decode()))
        if not request.headers["content-type"].startswith("application/json"):
            return _error("invalid_form_data")
        known = {
            "auth.test": self._test,
            "chat.postMessage": self._post,
            "chat.update": self._update,
            "files.completeUploadExternal": self._complete,
        }
        return known[method](request.json) if method in known else _error("unknown_method")

    def _hook(self, request: Received) -> Reply:
        if request.path != HOOK:
            return Reply(404, "no_service")
        try:
            message = json.loads(request.body)
        except ValueError:
            return Reply(400, "invalid_payload")
        if wrong := faults(message):
            return Reply(400, wrong[0])
        self.posts.append(("#hook", "", message))
        return Reply(200, "ok")

    def _test(self, _: dict) -> Reply:
        return Reply(200, {"ok": True, "team": "Flights", "user": "lakemon"})

    def _post(self, message: dict) -> Reply:
        channel = self._channel(message)
        if channel is None:
            return _error("channel_not_found")
        if wrong := faults(message):
            return _error(wrong[0])
        ts = f"17000000{len(self.posts):02d}.000100"
        self.posts.append((channel, message.get("thread_ts", ""), message))
        self.messages[channel, ts] = message
        return Reply(200, {"ok": True, "channel": channel, "ts": ts})

    def _update(self, message: dict) -> Reply:
        place = (message.get("channel"), message.get("ts"))
        if place not in self.messages:
            return _error(
                "channel_not_found" if place[0] not in self.channels.values() else "message_not_found"
            )
        if place[1] in self.locked:
            return _error("edit_window_closed")
        if wrong := faults(message):
            return _error(wrong[0])
        self.messages[place] = message
        return Reply(200, {"ok": True, "channel": place[0], "ts": place[1]})

    def _place(self, asked: dict) -> Reply:
        if not {"filename", "length"} <= asked.keys():
            return _error("invalid_arguments")
        file = f"F{len(self.files):08d}"
        self.files[file] = b""
        return Reply(200, {"ok": True, "upload_url": f"{self.url}/upload/{file}", "file_id": file})

    def _complete(self, done: dict) -> Reply:
        ids = [one["id"] for one in done["files"]]
        if not all(self.files.get(one) for one in ids):
            return _error("file_not_found")
        self.shared += [(done["channel_id"], done["thread_ts"], one) for one in ids]
        return Reply(200, {"ok": True, "files": done["files"]})

    def _channel(self, message: dict) -> str | None:
        wanted = message.get("channel")
        return wanted if wanted in self.channels.values() else self.channels.get(wanted)


def _error(name: str) -> Reply:
    return Reply(200, {"ok": False, "error": name})
