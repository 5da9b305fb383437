"""The words of a message as plain text and as HTML for mail programs. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from lakemon_core.domain.incident import Notification
from lakemon_core.domain.message_parts import LINE_LIMIT, commands_of, facts_of, is_link, lines_of
from lakemon_core.domain.names import plain

_COLOURS = {"critical": "#b3261e", "warning": "#8a5300", "info": "#1a56a8", "resolved": "#1b6e3c"}
_NEUTRAL = "#4a5059"
_FONT = "font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif"
_MONO = "font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace"
_DARK = """
@media (prefers-color-scheme: dark) {
  .page { background-color: #111418 !important; }
  .card { background-color: #1c2127 !important; }
  .card, .card p, .card li, .card td, .card th, .card h1, .card a { color: #e6e8eb !important; }
  .quiet { color: #aab1ba !important; }
  .code { background-color: #111418 !important; color: #e6e8eb !important; }
}
"""


def text_body(notification: Notification) -> str:
    """Returns the message as plain text: the title first, then one fact a line."""
    blocks = [
        f"{_line(notification.title)}\n({notification.state}, {notification.transition.value})",
        "\n".join(f"- {line}" for line in lines_of(notification)),
        "\n".join(f"{name}: {value}" for name, value in facts_of(notification)),
    ]
    if notification.command:
        commands = "\n".join(f"  {command}" for command in commands_of(notification))
        blocks.append(f"From a shell:\n{commands}")
    blocks.append(f"--\nlakemon, message {_line(notification.key)}")
    return "\n\n".join(block for block in blocks if block) + "\n"


def html_body(notification: Notification, *, chart: str = "") -> str:
    """Returns the message as one HTML page without scripts or anything to load.

    Mail programs drop style sheets and read tables, so styles stand in the tags; the one style block holds
    the dark colours for the programs that know them.
    """
    title = escape(_line(notification.title))
    colour = _COLOURS.get(notification.state, _NEUTRAL)
    badge = escape(f"{notification.state}, {notification.transition.value}")
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>{_DARK}</style>
</head>
<body class="page" style="margin:0;padding:0;background-color:#eef0f3">
<table role="presentation" class="page" width="100%" cellpadding="0" cellspacing="0" \
style="background-color:#eef0f3"><tr><td align="center" style="padding:24px 12px">
<table role="presentation" class="card" width="640" cellpadding="0" cellspacing="0" \
style="width:100%;max-width:640px;background-color:#ffffff;color:#1c2127;border-radius:6px;\
border-top:6px solid {colour};{_FONT}"><tr><td style="padding:24px">
<p style="margin:0 0 8px"><span style="display:inline-block;padding:2px 10px;border-radius:10px;\
background-color:{colour};color:#ffffff;font-size:13px;font-weight:bold">{badge}</span></p>
<h1 style="margin:0 0 16px;font-size:20px;line-height:1.35;word-break:break-word">{title}</h1>
{"".join(_sections(notification, chart))}\
<p class="quiet" style="margin:24px 0 0;font-size:12px;color:#5c636d;word-break:break-all">\
lakemon, message {escape(_line(notification.key))}</p>
</td></tr></table>
</td></tr></table>
</body>
</html>
"""


def _sections(notification: Notification, chart: str) -> Iterator[str]:
    if notification.lines:
        items = "".join(
            f'<li style="margin:0 0 6px;word-break:break-word">{escape(line)}</li>\n'
            for line in lines_of(notification)
        )
        yield (
            f'<ul style="margin:0 0 16px;padding-left:20px;font-size:15px;line-height:1.45">\n{items}</ul>\n'
        )
    if chart:
        about = escape(f"Chart: {_line(notification.title)}", quote=True)
        style = "display:block;width:100%;max-width:592px;height:auto;margin:0 0 16px;border:0"
        yield f'<img src="cid:{chart}" alt="{about}" width="592" style="{style}">\n'
    rows = "".join(_row(name, value) for name, value in facts_of(notification))
    if rows:
        style = "margin:0 0 16px;font-size:14px"
        yield f'<table cellpadding="0" cellspacing="0" style="{style}">\n{rows}</table>\n'
    if notification.command:
        commands = "\n".join(escape(command) for command in commands_of(notification))
        yield (
            '<p style="margin:0 0 6px;font-size:14px">From a shell:</p>\n'
            '<pre class="code" style="margin:0;padding:10px 12px;border-radius:4px;background-color:#f3f4f6;'
            f'font-size:13px;white-space:pre-wrap;word-break:break-word;{_MONO}">{commands}</pre>\n'
        )


def _row(name: str, value: str) -> str:
    shown = escape(value)
    if is_link(value):
        shown = f'<a href="{escape(value, quote=True)}" style="color:#1a56a8">{shown}</a>'
    return (
        '<tr><th scope="row" align="left" valign="top" class="quiet" '
        f'style="padding:2px 16px 2px 0;font-weight:normal;color:#5c636d">{escape(name)}</th>'
        f'<td valign="top" style="padding:2px 0;word-break:break-word">{shown}</td></tr>\n'
    )


def _line(text: str) -> str:
    return plain(text, LINE_LIMIT)
