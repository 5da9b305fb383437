"""Templates to answers: what all pages share, and how values are shown."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from jinja2 import Environment
from markupsafe import Markup
from starlette.responses import HTMLResponse, Response

from lakemon_core import __version__
from lakemon_core.domain.errors import ConfigErrors, LakemonError
from lakemon_core.domain.names import TableName, plain
from lakemon_core.domain.redaction import redacted
from lakemon_core.report.page import ASSETS as REPORT_ASSETS
from lakemon_core.report.page import page_templates

if TYPE_CHECKING:
    from starlette.requests import Request

    from lakemon_core.ui.door import Visitor

ASSETS = Path(__file__).parent / "assets"
FILES: Mapping[str, tuple[Path, str]] = {
    "page.css": (REPORT_ASSETS / "page.css", "text/css"),
    "page.js": (REPORT_ASSETS / "page.js", "text/javascript"),
    "ui.css": (ASSETS / "ui.css", "text/css"),
    "ui.js": (ASSETS / "ui.js", "text/javascript"),
    "htmx.js": (ASSETS / "htmx-2.0.11.min.js", "text/javascript"),
    "icon.svg": (ASSETS / "icon.svg", "image/svg+xml"),
}
"""Name in the address → file and media type: all that pages load."""

STATUS = {"LM191": 404, "LM192": 401, "LM193": 403, "LM601": 409}
"""Codes of errors that HTTP has a status for; others are 422, a fault of ours 500."""

LONGEST_CELL = 240


def is_part(request: Request) -> bool:
    """Whether htmx asks, which takes a part of a page."""
    return request.headers.get("hx-request") == "true"


def problems_of(error: LakemonError) -> list[dict[str, str]]:
    """Returns an error as what a page shows: code, where, what, cure; one for each problem of a config."""
    if isinstance(error, ConfigErrors):
        return [
            {
                "code": one.code,
                "where": f"{one.file}:{one.line}:{one.column}" if one.line else one.file,
                "what": f"{one.path} {one.what}".strip(),
                "cure": one.cure,
            }
            for one in error.problems
        ]
    return [{"code": error.code, "where": error.where, "what": error.what, "cure": error.cure}]


def _templates() -> Environment:
    environment = page_templates(ASSETS)
    environment.finalize = _without_secrets
    ours: dict[str, Callable[..., Any]] = {
        "time": _time,
        "seconds": _seconds,
        "pairs": _pairs,
        "address": _address,
        "yaml": _yaml,
    }
    environment.filters.update(ours)
    return environment


def _without_secrets(value: Any) -> Any:
    return redacted(value) if type(value) is str else value


def _time(moment: datetime | None) -> Markup:
    """Returns a moment to the minute in UTC; the script adds how long ago that was."""
    if moment is None:
        return Markup("&ndash;")
    at = moment.astimezone(UTC)
    return Markup('<time datetime="{}">{}</time>').format(f"{at:%Y-%m-%dT%H:%M:%SZ}", f"{at:%Y-%m-%d %H:%M}")


def _seconds(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def _pairs(values: Mapping[str, object]) -> list[tuple[str, str]]:
    """Returns the details of a stage as label and text; what is empty is left out."""
    return [
        (name.replace("_", " "), cell(value)) for name, value in values.items() if value not in ({}, [], "")
    ]


def _address(name: TableName) -> str:
    """Returns the name of a table as a part of an address; parts with dots stand in backticks."""
    parts = (name.catalog, name.schema, name.table)
    return quote(".".join(f"`{part}`" if "." in part else part for part in parts), safe="")


def _yaml(text: str) -> list[tuple[str, str]]:
    """Returns the pieces of a config in order, each with what it is: key, note, secret, or nothing."""
    pieces: list[tuple[str, str]] = []
    for line in redacted(text).splitlines(keepends=True):
        found = _LINE.fullmatch(line)
        if line.lstrip().startswith("#"):
            pieces.append(("note", line))
        elif found:
            pieces += [("", found[1]), ("key", found[2]), ("", found[3]), *_values(found[4])]
        else:
            pieces += _values(line)
    return pieces


def _values(text: str) -> list[tuple[str, str]]:
    parts = _HIDDEN.split(text)
    return [("secret" if number % 2 else "", part) for number, part in enumerate(parts) if part]


_LINE = re.compile(r"(\s*(?:- )*)([^\s:#'\"][^:]*)(:)((?:\s.*)?\s*)", re.DOTALL)
_HIDDEN = re.compile(r"(\*{8}|\$\{[^}]*\})")


def cell(value: Any) -> str:
    """Returns one value of a table as text: times in UTC, nested values as JSON, long ones cut."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return f"{value:.6g}" if math.isfinite(value) else str(value)
    if isinstance(value, datetime):
        at = value.astimezone(UTC) if value.tzinfo else value
        return f"{at:%Y-%m-%d %H:%M:%S}"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes):
        return plain(f"0x{value[:60].hex()}")
    if isinstance(value, (Mapping, Sequence)) and not isinstance(value, str):
        return plain(json.dumps(value, default=cell, ensure_ascii=False), LONGEST_CELL)
    return plain(str(value), LONGEST_CELL)


@cache
def _stamp(name: str) -> str:
    return hashlib.sha256(FILES[name][0].read_bytes()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Renderer:
    """Lays pages out."""

    _environment: Environment = field(default_factory=_templates)

    def page(self, request: Request, template: str, status: int = 200, **values: Any) -> Response:
        """Returns a template as an answer that no cache keeps."""
        visitor: Visitor = request.scope["lakemon_visitor"]
        root = request.scope.get("root_path", "")
        text = self._environment.get_template(f"{template}.html.jinja").render(
            root=root,
            here=request.url.path.removeprefix(root) or "/",
            form_key=visitor.form_key,
            version=__version__,
            asset=lambda name: f"{root}/assets/{name}?v={_stamp(name)}",
            **values,
        )
        headers = {"cache-control": "no-store", "vary": "HX-Request, Cookie"}
        return HTMLResponse(text, status, headers)

    def error(self, request: Request, error: LakemonError) -> Response:
        """Returns a page, or for htmx a part of one, that says what is wrong and what helps."""
        status = STATUS.get(error.code, 500 if error.code == "LM699" else 422)
        template = "problem" if is_part(request) else "error"
        return self.page(request, template, status, problems=problems_of(error))

    def unchanged(self) -> Response:
        """Returns the answer to a browser that has the newest already."""
        return Response(status_code=204, headers={"cache-control": "no-store"})
