"""Notifications as e-mail: text, HTML and headers that nothing can break out of. Pure.

Names of models, columns and slices come from data, so they may hold anything. An encoded word
(`=?utf-8?q?...?=`) may smuggle a line break past the standard library of older Pythons (CVE-2024-6923), so
three things are done: names are cleaned, encoded words are broken, and the finished bytes are parsed again
and must have exactly the headers and parts that were meant.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from email import message_from_bytes
from email.errors import MessageError
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage, Message
from email.policy import SMTP, compat32
from email.utils import format_datetime
from typing import cast

from lakemon_core.domain.errors import DeliveryError
from lakemon_core.domain.incident import Notification
from lakemon_core.domain.mail_body import html_body, text_body
from lakemon_core.domain.names import plain

CHART_ID = "chart@lakemon"
"""Content-ID of the chart in a mail."""

LARGEST_CHART = 1_000_000
"""Bytes of a chart; a larger one is left out."""

_LOCAL = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
_DOMAIN = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_SPEC = re.compile(rf"(?=.{{3,254}}$){_LOCAL}@{_DOMAIN}(?:\.{_DOMAIN})*")
_WITH_NAME = re.compile(r"\s*(?P<name>[^<>]*?)\s*<(?P<spec>[^<>\s]+)>\s*")
_SUBJECT = "lakemon"
"""Stands for a subject outside ASCII until the mail is made."""
_PARTS = ["multipart/alternative", "text/plain", "text/html"]
_PARTS_WITH_CHART = ["multipart/alternative", "text/plain", "multipart/related", "text/html", "image/png"]


def is_address(text: str) -> bool:
    """Whether this is an e-mail address, `a@b.c` or `Name <a@b.c>`, with an ASCII local part."""
    return _parsed(text) is not None


def address(text: str) -> Address:
    """Reads an e-mail address; a domain outside ASCII comes back in its IDNA form.

    Raises:
        DeliveryError: LM511 when it is none.
    """
    parsed = _parsed(text)
    if parsed is None:
        raise DeliveryError(
            "LM511",
            f"{plain(text)!r} is not an e-mail address;",
            cure="write name@example.com, with plain ASCII letters before the @.",
        )
    return parsed


def compose(notification: Notification, *, sender: str, recipients: Sequence[str]) -> bytes:
    """Makes the mail of a notification: the same bytes every time, CRLF line ends, no remote content.

    `Message-ID` is the notification's key, so a mail that is sent twice is recognised; `References` names the
    incident's episode, so opening and resolution stand in one thread. A chart stands inside the HTML part.

    Args:
        notification: what to tell.
        sender: address of `From`; its domain stands in the ids.
        recipients: addresses of `To`; none gives `undisclosed-recipients`.

    Raises:
        DeliveryError: LM510 when the finished mail has other headers or parts than it should; LM511 for an
            address that is none.
    """
    origin = address(sender)
    message = EmailMessage(policy=SMTP)
    message["From"] = origin
    message["To"] = [address(one) for one in recipients] or "undisclosed-recipients:;"
    subject = header_text(f"[{notification.state}] {notification.title}")
    message["Subject"] = subject if subject.isascii() else _SUBJECT
    message["Date"] = format_datetime(notification.created_at)
    message["Message-ID"] = message_id(notification.key, origin.domain)
    root = message_id(notification.thread, origin.domain)
    message["In-Reply-To"] = root
    message["References"] = root
    message["List-Id"] = _list_id(notification, origin.domain)
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    message["X-Lakemon-Key"] = _token(notification.key)
    message["X-Lakemon-Transition"] = notification.transition.value
    message["X-Lakemon-Severity"] = notification.severity.value
    text = text_body(notification)
    chart = notification.chart if is_chart(notification.chart) else None
    html = html_body(notification, chart=CHART_ID if chart else "")
    message.set_content(text, cte="quoted-printable")
    message.add_alternative(html, subtype="html", cte="quoted-printable")
    if chart:
        _add_chart(message, chart)
    message.set_boundary(_digest(f"{notification.key}\0{text}\0{html}"))
    return _checked(message, _PARTS_WITH_CHART if chart else _PARTS, subject)


def is_chart(data: bytes | None) -> bool:
    """Whether this is a PNG that a mail can carry."""
    return data is not None and data.startswith(b"\x89PNG\r\n\x1a\n") and len(data) <= LARGEST_CHART


def header_text(text: str) -> str:
    """Returns a text that stays one header: one line, at most 200 characters, no encoded words."""
    return plain(text, 200).replace("=?", "=\u200b?")


def message_id(key: str, domain: str) -> str:
    """Returns `<key@domain>`, short enough for one line: a longer one would be encoded and no id any more."""
    return f"<{_token(key)}@{_end(domain)}>"


def _parsed(text: str) -> Address | None:
    match = _WITH_NAME.fullmatch(text)
    name, spec = (match["name"].strip('"'), match["spec"]) if match else ("", text.strip())
    local, at, domain = spec.rpartition("@")
    try:
        spec = f"{local}{at}{domain.encode('idna').decode()}"
    except UnicodeError:
        return None
    if not text.isprintable() or not _SPEC.fullmatch(spec) or "=?" in local:
        return None
    return Address(header_text(name), addr_spec=spec)


def _list_id(notification: Notification, domain: str) -> str:
    names = (notification.model.rpartition(".")[2], notification.environment)
    labels = [re.sub(r"[^a-z0-9]+", "-", name.lower())[:15].strip("-") for name in names]
    return f"<{'.'.join([label for label in labels if label] + ['lakemon', _end(domain)])}>"


def _end(domain: str) -> str:
    """Returns the last characters of a domain, whole labels where they fit."""
    short = domain[-24:]
    return domain if short == domain else short.partition(".")[2] or short.strip("-")


def _token(key: str) -> str:
    """Returns a key as it may stand in an id; one with other characters is hashed."""
    if re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,30}[A-Za-z0-9_-]", key) and ".." not in key:
        return key
    return _digest(key)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:32]


def _add_chart(message: EmailMessage, chart: bytes) -> None:
    """Puts a PNG beside the HTML part, which shows it by its id."""
    html = cast("EmailMessage", message.get_payload(1))
    html.add_related(chart, "image", "png", cid=f"<{CHART_ID}>", disposition="inline", filename="chart.png")
    html.set_boundary(_digest(f"chart {len(chart)} {hashlib.sha256(chart).hexdigest()}"))


def _checked(message: EmailMessage, meant_parts: Sequence[str] = _PARTS, subject: str = "") -> bytes:
    """Returns the bytes of a mail after reading them back: rather no mail than a forged one.

    A subject outside ASCII takes its place here: folded by older Pythons it would lose blanks.
    """
    meant = [name.lower() for name in message]
    try:
        data = message.as_bytes()
    except MessageError as error:  # newer Pythons look themselves
        raise _forged(str(error)) from error
    encoded = Header(subject, "utf-8", header_name="Subject").encode(linesep="\r\n")
    data = data.replace(f"Subject: {_SUBJECT}\r\n".encode(), f"Subject: {encoded}\r\n".encode(), 1)
    parsed: Message = message_from_bytes(data, policy=compat32)
    read = [name.lower() for name in parsed]
    parts = [part.get_content_type() for part in parsed.walk()]
    if read != meant or parts != list(meant_parts) or parsed.defects:
        raise _forged(f"headers {', '.join(read)}, parts {', '.join(parts)}")
    return data


def _forged(found: str) -> DeliveryError:
    return DeliveryError(
        "LM510",
        f"a name breaks out of its header in the mail ({plain(found, 300)});",
        cure="it was not sent; please report this as a security problem.",
    )
