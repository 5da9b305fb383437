"""The template 'Post to a channel when a webhook request is received', strictly."""

import json
from pathlib import Path

from fakes.receiver import Received, Receiver, Reply

PATH = (
    "/powerautomate/automations/direct/workflows/0f1e2d/triggers/manual/paths/invoke"
    "?api-version=1&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=s3cretOfTheWorkflow"
)
ENUMS = {
    "color": {"default", "dark", "light", "accent", "good", "warning", "attention"},
    "size": {"default", "small", "medium", "large", "extraLarge"},
    "weight": {"lighter", "default", "bolder"},
    "fontType": {"default", "monospace"},
    "isSubtle": {True, False},
}
SPACINGS = {"default", "none", "small", "medium", "large", "extraLarge", "padding"}


class Workflow(Receiver):
    """Answers 202 to all who know its URL.

    Attributes:
        runs: for each request, what went wrong in the flow; an empty list where the card is shown.
        cards: the cards that are shown.
    """

    def __init__(self, certificate: Path):
        super().__init__(certificate)
        self.runs: list[list[str]] = []
        self.cards: list[dict] = []

    @property
    def workflow_url(self) -> str:
        return self.url + PATH

    def answer(self, request: Received) -> Reply:
        if request.path != PATH:
            return Reply(401, {"error": {"code": "DirectApiAuthorizationRequired"}})
        wrong = faults(request.body)
        self.runs.append(wrong)
        if not wrong:
            self.cards.append(request.json["attachments"][0]["content"])
        return Reply(202)


def faults(body: bytes) -> list[str]:
    """Returns why a card would not be shown; empty when it is."""
    if len(body) > 28_000:
        return ["too large"]
    message = json.loads(body)
    if message.get("type") != "message" or not isinstance(message.get("attachments"), list):
        return ["'attachments' is of type 'Null'"]
    found = []
    for attachment in message["attachments"]:
        if attachment.get("contentType") != "application/vnd.microsoft.card.adaptive":
            found.append("contentType")
        found += _card_faults(attachment.get("content", {}))
    return found


def shown(card: dict) -> str:
    """Returns a card as people read it."""
    texts = ["".join(run["text"] for run in block["inlines"]) for block in card["body"]]
    return "\n".join([*texts, *(f"{one['title']} {one['url']}" for one in card.get("actions", []))])


def _card_faults(card: dict) -> list[str]:
    found = [] if card.get("type") == "AdaptiveCard" else ["Property 'type' must be 'AdaptiveCard'"]
    found += [] if card.get("version") == "1.4" else ["version"]
    found += [] if card.get("body") else ["body"]
    if card.get("msteams", {}).get("entities"):
        found.append("it mentions somebody")
    for block in card.get("body", []):
        found += _block_faults(block)
    for action in card.get("actions", []):
        good = action["type"] == "Action.OpenUrl" and action["url"].startswith(("https://", "http://"))
        found += [] if good and action["title"] and len(card["actions"]) <= 6 else ["action"]
    return found


def _block_faults(block: dict) -> list[str]:
    if (
        block["type"] != "RichTextBlock"
        or set(block) - {"type", "inlines", "spacing"}
        or not block["inlines"]
    ):
        return [f"element {block['type']}"]
    found = [] if block.get("spacing", "default") in SPACINGS else ["spacing"]
    for run in block["inlines"]:
        how = {name: value for name, value in run.items() if name not in {"type", "text"}}
        good = (
            run["type"] == "TextRun"
            and run["text"]
            and all(value in ENUMS.get(name, ()) for name, value in how.items())
        )
        found += [] if good else [f"run {run}"]
    return found
