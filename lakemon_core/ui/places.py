"""What a dashboard shows: each environment of each config, found again when a config changes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lakemon_core.config import Loaded, from_dict, load
from lakemon_core.config.source.read import parse, read_text
from lakemon_core.config.source.resolve import environment_names
from lakemon_core.domain.errors import LakemonError

DEFAULT_CONFIG = "monitoring_config.yml"
_BARE = {"environments": {"local": {"catalog": "main", "schema": "default"}}}
"""Opens the tables of a folder that has no config yet."""


@dataclass(frozen=True, slots=True)
class Place:
    """One environment of one config.

    Attributes:
        slug: names it in addresses.
        environment: its name; empty where the file does not tell any.
        config: the file; None for a workspace without one.
    """

    slug: str
    environment: str
    config: Path | None

    def load(self) -> Loaded:
        """Reads the config as it is now.

        Raises:
            ConfigErrors: everything that is wrong with it.
        """
        if self.config is None:
            return from_dict(_BARE)
        return load(self.config, self.environment or None)

    def stamp(self) -> tuple[int, int]:
        """Returns what changes when the file does."""
        try:
            found = self.config.stat() if self.config else None
        except OSError:
            found = None
        return (found.st_mtime_ns, found.st_size) if found else (0, 0)


def find_places(configs: Sequence[Path]) -> list[Place]:
    """Returns the environments of some configs, in the order of the files.

    A file that cannot be read is one place without an environment: opening it tells what is wrong.
    """
    found: list[Place] = []
    taken: set[str] = set()
    for config in configs:
        for environment in _environments(config):
            parts = [environment] if len(configs) == 1 and environment else [config.stem, environment]
            slug = _unique("-".join(part for part in parts if part), taken)
            found.append(Place(slug, environment, config))
    return found


def bare_place() -> Place:
    """Returns the place of a workspace without a config: it has tables, and no model."""
    return Place("local", "local", None)


def _environments(config: Path) -> Sequence[str]:
    try:
        root, _ = parse(read_text(config), str(config))
    except LakemonError:
        return [""]
    return environment_names(root) or [""]


def _unique(name: str, taken: set[str]) -> str:
    short = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:60] or "model"
    slug, number = short, 2
    while slug in taken:
        slug, number = f"{short}-{number}", number + 1
    taken.add(slug)
    return slug
