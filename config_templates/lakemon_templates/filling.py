"""Fills a template: `<< value >>` and `<% … %>`, because CI files and bundles use braces of their own."""

import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, pass_context
from jinja2.runtime import Context

_PLAIN = re.compile(r"[A-Za-z_][\w.@/-]*")
_WORDS = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}
_NOT_IN_NAMES = re.compile(r"[^a-z0-9]+")


def fill(path: str, values: Mapping[str, object]) -> str:
    """Returns the template at a path below `templates/`, without `.jinja`, with its values filled in.

    Raises:
        jinja2.UndefinedError: the template needs a value that is not given.
    """
    return _environment().get_template(f"{path}.jinja").render(values)


def slug(text: str) -> str:
    """Returns a text as the name of a Python module: lower case letters, digits and single `_`."""
    made = _NOT_IN_NAMES.sub("_", text.casefold()).strip("_")
    return made if made[:1].isalpha() else f"model_{made}".rstrip("_")


def scalar(value: object, width: int = 0) -> str:
    """Returns a value as YAML reads it back, quoted where it must be.

    Args:
        value: text, number or Boolean.
        width: where a comment follows, its column; two spaces stand before it in any case.
    """
    plain = isinstance(value, str) and _PLAIN.fullmatch(value) and value.casefold() not in _WORDS
    text = str(value) if plain else json.dumps(value, ensure_ascii=False)
    return f"{text}  ".ljust(width) if width else text


@pass_context
def place(context: Context, name: str, width: int, what: str, value: object = None) -> str:
    """Returns a value, marked as a place to change unless somebody has said what stands there.

    Args:
        context: of the template; `untouched` names the values that nobody gave.
        name: of the value that was asked for.
        width: column of the mark.
        what: is to be changed.
        value: that stands there; the one of that name by default.
    """
    written = context[name] if value is None else value
    return (
        f"{scalar(written, max(width, 1))}# UPDATE: {what}"
        if name in context["untouched"]
        else scalar(written)
    )


def names_below(folder: str) -> list[str]:
    """Returns the paths of the templates in a folder below `templates/`, without `.jinja`, sorted."""
    paths = _environment().list_templates(filter_func=lambda path: path.startswith(f"{folder}/"))
    return sorted(path.removesuffix(".jinja") for path in paths)


@cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("lakemon_templates"),
        variable_start_string="<<",
        variable_end_string=">>",
        block_start_string="<%",
        block_end_string="%>",
        comment_start_string="<#",
        comment_end_string="#>",
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 - the texts are YAML and Python, no HTML
    )
    made.filters["yaml"] = scalar
    known: Any = made.globals
    known["place"] = place
    return made
