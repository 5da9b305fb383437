"""Config templates of lakemon, rendered by `lakemon init`."""

import json
import re
from importlib.resources import files

_PLACEHOLDER = re.compile(r"\{\{ (\w+) \}\}")
_PLAIN = re.compile(r"[A-Za-z_][\w.@/-]*")
_WORDS = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}

DEFAULTS: dict[str, object] = {
    "model_name": "your_model",
    "model_type": "classification",
    "schema": "your_schema",
    "email": "your-team@example.com",
}
"""What may be filled in, and what stands there otherwise."""


def names() -> list[str]:
    """Returns the names of the templates, sorted."""
    return sorted(
        file.name.removesuffix(".yml") for file in files(__name__).iterdir() if file.name.endswith(".yml")
    )


def render(name: str, **values: object) -> str:
    """Returns a template with its values filled in, each as one YAML scalar.

    Args:
        name: one of `names()`.
        values: keys of `DEFAULTS`.

    Raises:
        LookupError: there is no template, or no value, of that name.
    """
    if name not in names():
        raise LookupError(f"there is no template {name!r}; there are {', '.join(names())}.")
    if unknown := values.keys() - DEFAULTS.keys():
        raise LookupError(f"templates have no {sorted(unknown)[0]!r}; they have {', '.join(DEFAULTS)}.")
    filled = {**DEFAULTS, **values}
    text = files(__name__).joinpath(f"{name}.yml").read_text(encoding="utf-8")
    return _PLACEHOLDER.sub(lambda found: _scalar(filled[found[1]]), text)


def _scalar(value: object) -> str:
    """Returns a value as YAML reads it back, quoted where it must be."""
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value.casefold() not in _WORDS:
        return value
    return json.dumps(value, ensure_ascii=False)
