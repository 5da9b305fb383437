"""Secrets: references until the moment of use, and redacted wherever they might show."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from lakemon_core.domain.errors import UsageError
from lakemon_core.domain.redaction import hidden, remember

_REFERENCE = re.compile(
    r"\$\{(?:env:(?P<variable>[A-Za-z_]\w*)|secret:(?P<scope>[\w.@-]+)/(?P<key>[\w.@-]+))\}"
)
_DEFAULT_FOLDER = "/run/secrets"
_MAX_BYTES = 65_536
_MIN_REDACTED = 4


class EnvironmentSecrets:
    """Finds `${env:X}` and `${secret:scope/key}` in environment variables and secret files.

    A secret is the variable `LAKEMON_SECRET_<SCOPE>_<KEY>` (upper case, other characters as `_`), or else the
    file `<folder>/<scope>/<key>`; the folder is `LAKEMON_SECRETS_DIR` or `/run/secrets`, where container
    platforms mount them; or else what the backend's own store holds, once `ask` has named it.

    Args:
        environ: the environment variables; default those of the process.
    """

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        self._environ = os.environ if environ is None else environ
        self._revealed: set[str] = set()
        self._store: Callable[[str, str], str | None] = lambda _scope, _key: None

    def ask(self, store: Callable[[str, str], str | None]) -> None:
        """Looks a secret that is in neither place up in a store: (scope, key) → value, or None."""
        self._store = store

    def reveal(self, text: str) -> str:
        """Returns `text` with every reference replaced.

        Raises:
            UsageError: LM130 when a value is not there; the message names the reference only.
        """
        return _REFERENCE.sub(self._value, text)

    def redact(self, text: str) -> str:
        """Returns `text` with every value revealed so far hidden, also as part of a URL or of JSON.

        Values of environment variables shorter than four characters stay: they are ports, not secrets.
        """
        return hidden(text, self._revealed)

    def _value(self, found: re.Match[str]) -> str:
        variable = found["variable"]
        value = self._environ.get(variable) if variable else self._secret(found["scope"], found["key"])
        if value is None:
            raise UsageError("LM130", f"{found[0]} has no value;", cure=_cure(found))
        if len(value) >= _MIN_REDACTED or (value and not variable):
            self._revealed.add(value)
            remember(value)
        return value

    def _secret(self, scope: str, key: str) -> str | None:
        value = self._environ.get(_variable(scope, key))
        if value is not None or {scope, key} & {".", ".."}:
            return value
        file = Path(self._environ.get("LAKEMON_SECRETS_DIR") or _DEFAULT_FOLDER) / scope / key
        try:
            with file.open("rb") as stream:
                return stream.read(_MAX_BYTES).decode().rstrip("\r\n")
        except (FileNotFoundError, NotADirectoryError):
            return self._store(scope, key)
        except OSError as error:
            reason = error.strerror
        except UnicodeDecodeError:
            reason = "it is not UTF-8"
        raise UsageError(
            "LM130", f"${{secret:{scope}/{key}}} cannot be read: {reason};", cure="check its file."
        )


def _variable(scope: str, key: str) -> str:
    return "LAKEMON_SECRET_" + re.sub(r"[^A-Z0-9]", "_", f"{scope}_{key}".upper())


def _cure(found: re.Match[str]) -> str:
    if found["variable"]:
        return f"set the environment variable {found['variable']}."
    return (
        f"set {_variable(found['scope'], found['key'])}, or mount the file {found['scope']}/{found['key']}."
    )
