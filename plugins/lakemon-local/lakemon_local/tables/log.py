"""The commits of a Delta table as files: is the newest one whole, what did it write, is it safe on disk.

delta-rs takes an empty last commit for no commit at all, and never waits for the disk. Both are mended here.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pyarrow as pa
from deltalake import DeltaTable

from lakemon_core.domain.errors import DataError
from lakemon_local.tables.places import Place

_COMMIT = re.compile(r"\d{20}\.json")
_CHECKPOINT = re.compile(r"\d{20}\.checkpoint\..+")
Action = Mapping[str, Any]


def added_files(table: DeltaTable) -> pa.Table:
    """Returns what the log says of each file of a table: path, size, rows, statistics of its columns."""
    return pa.RecordBatchReader.from_stream(table.get_add_actions(flatten=True)).read_all()


def check_log(place: Place) -> int | None:
    """Looks whether commits follow one another without a gap and the newest one is whole.

    What lies before a checkpoint is not needed any more: there may be gaps.

    Returns:
        the number of the newest one; None where all were cleaned up.

    Raises:
        DataError: LM305 naming the file and the way back.
    """
    names = [path.name for path in place.log.iterdir()]
    versions = sorted(int(name[:20]) for name in names if _COMMIT.fullmatch(name))
    covered = max((int(name[:20]) for name in names if _CHECKPOINT.fullmatch(name)), default=-1)
    for before, after in pairwise(versions):
        missing = max(before, covered) + 1
        if missing < after:
            raise _damaged(place, missing, "is missing", "put it back from a copy of the table.")
    if not versions:
        return None
    actions(place, versions[-1])
    return versions[-1]


def actions(place: Place, version: int) -> list[Action]:
    """Returns what one commit says.

    Raises:
        DataError: LM305 when the commit is empty or not JSON.
        FileNotFoundError: when the log was cleaned up to a later version.
    """
    text = _commit(place, version).read_text(errors="replace")
    try:
        # Not splitlines: values may hold other characters that end a line.
        found = [json.loads(line) for line in text.split("\n") if line.strip()]
    except ValueError:
        found = []
    if not found or not all(isinstance(action, dict) for action in found):
        state = "is damaged" if text.strip() else "is empty"
        raise _damaged(
            place,
            version,
            state,
            "the machine stopped while it was written. Move the file away if it is the newest one: "
            "what was acknowledged before is untouched, and what was not will be written again.",
        )
    return found


def commit_mark(place: Place, version: int) -> tuple[int, int] | None:
    """Returns what tells the file of a commit from any other at its path; None where there is no file."""
    try:
        known = _commit(place, version).stat()
    except FileNotFoundError:
        return None
    return known.st_ino, known.st_mtime_ns


def sync_commit(place: Place, version: int) -> None:
    """Waits until the disk holds a commit: its data files, the commit itself, then their folders."""
    written = [place.folder / path for path in data_files(actions(place, version), ("add", "cdc"))]
    folders = {path.parent for path in written} | {place.log, place.folder, *place.folder.parents[:3]}
    for path in [*written, _commit(place, version), *sorted(folders, reverse=True)]:
        _sync(path)


def data_files(commit: Iterable[Action], kinds: tuple[str, ...]) -> Iterator[str]:
    """Yields the paths, relative to the table, of the files that a commit adds or removes."""
    for action in commit:
        for kind in kinds:
            if kind in action:
                yield unquote(action[kind]["path"])


@dataclass(frozen=True, slots=True)
class Feed:
    """The change feed of a table between two versions, first exclusive, last inclusive."""

    place: Place
    first: int
    last: int

    def is_whole(self) -> bool:
        """Whether every change can still be read: commits and files are there, and the feed was always on."""
        try:
            return all(self._readable(version) for version in range(self.first + 1, self.last + 1))
        except FileNotFoundError:
            return False

    def _readable(self, version: int) -> bool:
        commit = actions(self.place, version)
        if not all(
            feed_is_on(action["metaData"]["configuration"]) for action in commit if "metaData" in action
        ):
            return False
        needed = list(data_files(commit, ("cdc",)))
        if not needed:
            changing = [action for action in commit if _changes_data(action)]
            needed = list(data_files(changing, ("add", "remove")))
        return all((self.place.folder / path).exists() for path in needed)


def feed_is_on(configuration: Mapping[str, str]) -> bool:
    """Whether a table's properties switch the change feed on."""
    return configuration.get("delta.enableChangeDataFeed", "").lower() == "true"


def _changes_data(action: Action) -> bool:
    return any(action.get(kind, {}).get("dataChange", False) for kind in ("add", "remove"))


def _commit(place: Place, version: int) -> Path:
    return place.log / f"{version:020d}.json"


def _damaged(place: Place, version: int, state: str, cure: str) -> DataError:
    return DataError(
        "LM305", f"commit {version} of {place.name} {state};", where=str(_commit(place, version)), cure=cure
    )


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
