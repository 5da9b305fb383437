"""Finds plugins by their metadata: no import, a fixed order; a broken distribution is a row."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from importlib.metadata import Distribution, EntryPoint, distributions, requires
from pathlib import Path

KINDS: Mapping[str, str] = {
    "lakemon.backends": "backend",
    "lakemon.model_types": "model type",
    "lakemon.alert_sinks": "alert sink",
    "lakemon.plugins": "hook plugin",
    "lakemon.commands": "command",
}
"""Entry-point group → what its entry points are."""

HOOK_GROUP = "lakemon.plugins"
COMMAND_GROUP = "lakemon.commands"
OPTIONAL_GROUPS = frozenset({HOOK_GROUP, COMMAND_GROUP})
"""Groups that `*` and `--no-plugins` switch off; a driver is loaded because the config names it."""

_NAME = re.compile(r"[a-z][a-z0-9_-]*")


class PluginStatus(StrEnum):
    """How far a plugin came."""

    FOUND = "found"
    ACTIVE = "active"
    DISABLED = "disabled"
    FAILED = "failed"
    INCOMPATIBLE = "incompatible"
    CONFLICT = "conflict"


@dataclass(frozen=True, slots=True, order=True)
class Candidate:
    """One entry point, as its distribution's metadata states it.

    Attributes:
        group: a key of `KINDS`; empty when the metadata could not be read.
        name: name of the entry point.
        value: `module:attribute`.
        distribution: who provides it.
        version: of the distribution.
        status: found, disabled, conflict, or failed when the metadata is broken.
        error: why it cannot be used; empty for found and disabled.
    """

    group: str
    name: str
    value: str
    distribution: str
    version: str
    status: PluginStatus = PluginStatus.FOUND
    error: str = ""

    @property
    def id(self) -> str:
        """The name it is registered under, `group:name`."""
        return f"{self.group}:{self.name}"

    @property
    def kind(self) -> str:
        """What it is, in words."""
        return KINDS.get(self.group, "unknown")

    @property
    def origin(self) -> str:
        """The distribution with its version."""
        return f"{self.distribution} {self.version}".rstrip()

    @property
    def entry_point(self) -> EntryPoint:
        """The entry point to load."""
        return EntryPoint(self.name, self.value, self.group)


def find() -> list[Candidate]:
    """Returns every entry point of lakemon's groups on `sys.path`, sorted.

    Of a distribution that lies on the path twice the first counts, as it does for `import`.
    """
    found: dict[str, list[Candidate]] = {}
    for distribution in distributions():
        name, candidates = _read(distribution)
        if candidates:
            found.setdefault(re.sub("[-_.]+", "-", name).lower(), candidates)
    return sorted(candidate for candidates in found.values() for candidate in candidates)


def _read(distribution: Distribution) -> tuple[str, list[Candidate]]:
    """Returns the name of a distribution and its candidates; those of others are not even parsed."""
    try:
        if "lakemon." not in (distribution.read_text("entry_points.txt") or ""):
            return "", []
        name, version = distribution.name, distribution.version
        if not name:
            raise ValueError("it states no name")
        entries = [entry for entry in distribution.entry_points if entry.group in KINDS]
    except Exception as error:  # noqa: BLE001 - metadata of strangers breaks in any way; it becomes a row
        folder = str(getattr(distribution, "_path", "a distribution without a name"))
        cause = f"its metadata cannot be read ({type(error).__name__}: {error})"
        return folder, [Candidate("", Path(folder).stem, "", folder, "", PluginStatus.FAILED, cause)]
    return name, [
        _checked(Candidate(entry.group, entry.name, entry.value, name, version)) for entry in entries
    ]


def _checked(candidate: Candidate) -> Candidate:
    if not _NAME.fullmatch(candidate.name):
        error = "its name must be lower-case letters, digits, - and _"
    elif not EntryPoint.pattern.match(candidate.value):
        error = f"its target {candidate.value!r} is not module:attribute"
    else:
        return candidate
    return replace(candidate, status=PluginStatus.FAILED, error=error)


def select(candidates: Iterable[Candidate], disabled: Collection[str]) -> list[Candidate]:
    """Marks what is disabled, then what is in conflict.

    Args:
        candidates: what `find` returned.
        disabled: names of plugins or of distributions; `*` stands for all hook plugins and commands.
    """
    marked = [
        replace(candidate, status=PluginStatus.DISABLED) if _is_disabled(candidate, disabled) else candidate
        for candidate in candidates
    ]
    found = [candidate for candidate in marked if candidate.status is PluginStatus.FOUND]
    claims = Counter(candidate.id for candidate in found)
    return [
        _in_conflict(candidate, found)
        if claims[candidate.id] > 1 and candidate.status is PluginStatus.FOUND
        else candidate
        for candidate in marked
    ]


def _is_disabled(candidate: Candidate, disabled: Collection[str]) -> bool:
    if candidate.name in disabled or candidate.distribution in disabled:
        return True
    return "*" in disabled and candidate.group in OPTIONAL_GROUPS


def _in_conflict(candidate: Candidate, found: Iterable[Candidate]) -> Candidate:
    providers = ", ".join(other.origin for other in found if other.id == candidate.id)
    return replace(
        candidate, status=PluginStatus.CONFLICT, error=f"several distributions provide it: {providers}"
    )


def installing(name: str) -> str:
    """Returns the command that installs one of lakemon's own plugins, or an empty string."""
    for requirement in requires("lakemon") or ():
        match = re.match(rf"lakemon-{re.escape(name)}\b(?!-).*extra == ['\"]([a-z]+)['\"]", requirement)
        if match:
            return f'pip install "lakemon[{match[1]}]"'
    return ""
