"""All that a dashboard watches, and what is running or silent in it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from lakemon_core.domain.errors import LakemonError, UsageError, did_you_mean
from lakemon_core.pipeline.session import Session
from lakemon_core.ui.places import DEFAULT_CONFIG, Place, bare_place, find_places
from lakemon_core.ui.watched import Watched


@dataclass(slots=True)
class Dashboard:
    """The models and environments of some configs; configs may come, change and go while it runs.

    Attributes:
        folder: where the configs lie, unless some are named.
        configs: those that are named; empty takes `monitoring_config.yml` of the folder or, where that is not
            there, every other YAML file in it that has environments.
        workspace: folder for state; None takes `.lakemon` beside each config.
    """

    folder: Path
    configs: Sequence[Path] = ()
    workspace: Path | None = None
    _watched: dict[str, Watched] = field(default_factory=dict[str, Watched])
    _stamps: object = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def all(self) -> list[Watched]:
        """Returns every environment of every config, in the order of the files."""
        with self._lock:
            configs = self._configs()
            stamps = [(config, Place("", "", config).stamp()) for config in configs]
            if stamps != self._stamps:
                self._arrange(find_places(configs))
                self._stamps = stamps
            return list(self._watched.values())

    def with_tables(self) -> list[Watched]:
        """Returns whatever may have tables: all, or the bare workspace of the folder."""
        found = self.all()
        if found or not (self.workspace or self.folder / ".lakemon").is_dir():
            return found
        with self._lock:
            if "" not in self._watched:
                workspace = self.workspace or self.folder / ".lakemon"
                self._watched[""] = Watched(bare_place(), workspace)
            return [self._watched[""]]

    def watched(self, slug: str) -> Watched:
        """Returns one environment.

        Raises:
            UsageError: LM191 when the dashboard has none of this name.
        """
        known = {one.place.slug: one for one in self.with_tables()}
        if slug not in known:
            cure = did_you_mean(slug, list(known))
            raise UsageError("LM191", f"nothing here is called {slug!r};", cure=cure)
        return known[slug]

    def sessions(self) -> Iterator[tuple[Watched, Session]]:
        """Yields every environment that has a model and can be opened."""
        for one in self.all():
            with suppress(LakemonError):
                session = one.session()
                if session.model_type is not None:
                    yield one, session

    def close(self) -> None:
        """Frees all sessions."""
        with self._lock:
            for one in self._watched.values():
                one.close()
            self._watched.clear()
            self._stamps = None

    def _configs(self) -> list[Path]:
        if self.configs:
            return list(self.configs)
        default = self.folder / DEFAULT_CONFIG
        if default.is_file():
            return [default]
        named = sorted([*self.folder.glob("*.yml"), *self.folder.glob("*.yaml")])
        found = [place.config for place in find_places(named) if place.environment and place.config]
        return list(dict.fromkeys(found))

    def _arrange(self, places: Sequence[Place]) -> None:
        """Keeps what is watched already, closes what is gone."""
        wanted = {place.slug: place for place in places}
        for slug, one in list(self._watched.items()):
            if wanted.get(slug) != one.place:
                one.close()
                del self._watched[slug]
        before = self._watched
        self._watched = {
            slug: before.get(slug) or Watched(place, self.workspace) for slug, place in wanted.items()
        }
