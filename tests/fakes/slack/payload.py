"""What Slack refuses in a message: its documented limits, and those of slackblocks, which are not ours."""

import json

from slackblocks import Block, Message
from slackblocks.errors import InvalidUsageError

LIMITS = {"header": 150, "section": 3000, "context": 3000}
RICH = {"rich_text_section", "rich_text_preformatted", "rich_text_list", "rich_text_quote"}


def faults(message: dict) -> list[str]:
    """Returns what is wrong with a message; empty when Slack would take it."""
    blocks = message.get("blocks", [])
    found = [fault for block in blocks for fault in _faults_of(block)]
    if not message.get("text"):
        found.append("no_text")
    if len(message.get("text", "")) > 4000:
        found.append("msg_too_long")
    if len(blocks) > 50:
        found.append("invalid_blocks")
    if len(json.dumps(blocks, ensure_ascii=False)) > 13_000:
        found.append("msg_blocks_too_long")
    Message(
        channel="#any",
        text=message.get("text"),
        blocks=[_parsed(one) for one in blocks if one["type"] != "rich_text"],
    )
    return found


def parsed_texts(message: dict) -> list[str]:
    """Returns the texts in which Slack looks for mentions and links."""
    return [message.get("text", ""), *_of_kind(message.get("blocks", []), "mrkdwn")]


def shown(message: dict) -> str:
    """Returns a message as people read it."""
    if not message.get("blocks"):
        return message["text"].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    return "\n".join(_texts(message["blocks"]))


def _faults_of(block: dict) -> list[str]:
    if block["type"] == "rich_text":
        bad = [one for one in block["elements"] if one["type"] not in RICH or not one["elements"]]
        bad += [part for one in block["elements"] for part in one["elements"] if not part.get("text")]
        return ["invalid_blocks: rich_text"] if bad or not block["elements"] else []
    try:
        _parsed(block)
    except (InvalidUsageError, NotImplementedError, KeyError, TypeError, ValueError) as error:
        return [f"invalid_blocks: {type(error).__name__} {error}"]
    return []


def _parsed(block: dict) -> Block:
    return Block.from_dict(block)


def _texts(value) -> list[str]:
    if isinstance(value, list):
        return [text for one in value for text in _texts(one)]
    if not isinstance(value, dict):
        return []
    own = [value["text"]] if isinstance(value.get("text"), str) else []
    own += [value["url"]] if "url" in value else []
    return own + [text for one in value.values() for text in _texts(one)]


def _of_kind(value, kind: str) -> list[str]:
    if isinstance(value, list):
        return [text for one in value for text in _of_kind(one, kind)]
    if not isinstance(value, dict):
        return []
    own = [value["text"]] if value.get("type") == kind else []
    return own + [text for one in value.values() for text in _of_kind(one, kind)]
