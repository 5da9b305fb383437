"""The page at `/`: what this server serves and how it is, for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape

from lakemon_local.serving.server.control import Live, Update

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}
"""The page loads nothing and runs nothing."""

_STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .4rem .8rem .4rem 0; border-bottom: 1px solid #8886; vertical-align: top }
"""
_COLUMNS = ("Endpoint", "Model", "Version", "State", "Answered", "Requests are logged to")


def page(
    endpoints: Sequence[Live],
    answered: Counter[tuple[str, int]],
    facts: Mapping[str, object],
    pages: Sequence[str] = (),
) -> str:
    """Returns the page as HTML.

    Args:
        endpoints: what is served.
        answered: how many requests, by endpoint and status.
        facts: label → value, shown below the endpoints.
        pages: paths of others, to go on to.
    """
    head = "".join(f'<th scope="col">{name}</th>' for name in _COLUMNS)
    rows = "".join(_row(live, answered) for live in endpoints)
    listed = "".join(
        f"<dt>{escape(label)}</dt><dd>{escape(str(value))}</dd>" for label, value in facts.items()
    )
    links = "".join(f'<p><a href="{escape(path)}/">{escape(path)}/</a></p>' for path in pages)
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>lakemon model server</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{_STYLE}</style></head><body><main><h1>lakemon model server</h1>"
        f"{links}"
        f"{table if rows else '<p>No endpoint yet: run <code>lakemon deploy</code>.</p>'}<dl>{listed}</dl>"
        "</main></body></html>"
    )


def _row(live: Live, answered: Counter[tuple[str, int]]) -> str:
    current = live.endpoint.current
    counts = {status: count for (name, status), count in answered.items() if name == live.endpoint.name}
    cells = (
        live.endpoint.name,
        current.model if current else "",
        current.version if current else "",
        _state(live),
        ", ".join(f"{count} with {status}" for status, count in sorted(counts.items())) or "0",
        live.endpoint.payload or "nowhere",
    )
    return "<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in cells) + "</tr>"


def _state(live: Live) -> str:
    state = "ready" if live.loaded else "not ready"
    if live.update is Update.IN_PROGRESS and live.pending:
        return f"{state}, version {live.pending.version} is loading"
    return f"{state}; the last update failed: {live.error}" if live.update is Update.FAILED else state
