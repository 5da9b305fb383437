"""The error tree: every error has a code, says what, where and how to cure it.

LakemonError
├── UsageError            exit 2   LM1xx  wrong call or wrong config
│   └── ConfigErrors      exit 2          all problems of one config at once
├── PluginError           exit 2   LM2xx  a plugin that the config names does not work
├── DataError             exit 3   LM3xx  a table or column is not what it should be
├── ModelError            exit 3   LM4xx  registry, model or endpoint
├── DeliveryError         exit 4   LM5xx  an alert could not be delivered
├── WorkspaceBusy         exit 75  LM601  another run holds the workspace
└── WorkspaceError        exit 3   LM6xx  ledger, lock, disk
"""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import ClassVar

SAFE_TO_SHOW = "safe_to_show"
"""Type of a validator's error whose words hold nothing of the value, so they are shown for a secret too."""


class LakemonError(Exception):
    """The root of all errors that lakemon raises on purpose.

    Args:
        code: `LMnnn`; a heading of docs/reference/errors.md.
        what: one sentence with the offending value.
        where: file, line and column, table, endpoint or plugin; empty where the sentence says it.
        cure: what the reader can do now.
    """

    exit_code: ClassVar[int] = 3

    def __init__(self, code: str, what: str, *, where: str = "", cure: str = "") -> None:
        self.code = code
        self.what = what
        self.where = where
        self.cure = cure
        super().__init__(str(self))

    def __str__(self) -> str:
        """`CODE where what cure` in one line."""
        return " ".join(part for part in (self.code, self.where, self.what, self.cure) if part)

    def __reduce__(self) -> tuple[object, ...]:
        """Errors cross process borders whole."""
        return (_rebuild, (type(self), dict(self.__dict__)))


def _rebuild(kind: type[LakemonError], fields: dict[str, object]) -> LakemonError:
    error = kind.__new__(kind)
    error.__dict__.update(fields)
    error.args = (str(error),)
    return error


class UsageError(LakemonError):
    """A wrong call or a wrong config."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in a config file.

    Attributes:
        code: `LMnnn`.
        path: dotted place in the config, e.g. `environments.dev.monitoring.alerts.0.threshold`.
        what: one sentence with the offending value.
        cure: what to write instead; may be empty.
        file: the file it stands in.
        line: 1-based; 0 where the place is not known.
        column: 1-based; 0 where the place is not known.
    """

    code: str
    path: str
    what: str
    cure: str = ""
    file: str = ""
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        """`LM112 file:14:7 path what cure`."""
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return " ".join(part for part in (self.code, place, self.path, self.what, self.cure) if part)


class ConfigErrors(UsageError):
    """All problems of one config, in the order of the file."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        first = self.problems[0]
        super().__init__(first.code, "\n".join(str(problem) for problem in self.problems))

    def __str__(self) -> str:
        """One line a problem."""
        return self.what


class PluginError(LakemonError):
    """A plugin that the config names is missing, broken, incompatible or in conflict."""

    exit_code = 2


class DataError(LakemonError):
    """A table, column or value is not what it should be."""


class ModelError(LakemonError):
    """The registry, a model version or an endpoint does not do what was asked."""


class DeliveryError(LakemonError):
    """An alert could not be delivered."""

    exit_code = 4


class WorkspaceError(LakemonError):
    """The ledger, the lock or the disk of the workspace."""


class WorkspaceBusy(LakemonError):
    """Another run holds the workspace."""

    exit_code = 75


def did_you_mean(given: str, known: Sequence[str]) -> str:
    """Returns `Did you mean "x"?` or, when nothing is close, the list of what is known (at most 12)."""
    close = get_close_matches(given, known, n=1, cutoff=0.6)
    if not close:
        folded = [name for name in known if name.casefold() == given.casefold()]
        close = folded[:1]
    if close:
        return f'Did you mean "{close[0]}"?'
    if not known:
        return ""
    listed = ", ".join(sorted(known)[:12])
    more = f" and {len(known) - 12} more" if len(known) > 12 else ""
    return f"Known: {listed}{more}."
