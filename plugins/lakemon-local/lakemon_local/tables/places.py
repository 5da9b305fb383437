"""Where tables lie: `<root>/<catalog>/<schema>/<table>`, or elsewhere for a Delta folder used in place."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

from lakemon_core.domain.errors import DataError, UsageError, did_you_mean
from lakemon_core.domain.names import TableName

_REGISTRATION = "_external.json"
_LOG = "_delta_log"
_OURS = ("_profile_metrics", "_drift_metrics", "_signals", "_quality_history")
_ESCAPED = re.compile(r"[%=\[\]^|]")
"""Delta's library mistakes these for parts of a URL; `=` marks what is escaped."""
_UNUSABLE = re.compile(r"[\[\]^|\\\x00-\x1f\x7f]|%[0-9A-Fa-f]{2}")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a table lies.

    Attributes:
        name: three-level name.
        folder: holds `_delta_log` and the data files.
        external: the folder belongs to somebody else: it is read and never written.
    """

    name: TableName
    folder: Path
    external: bool = False

    @property
    def log(self) -> Path:
        """The folder of commits."""
        return self.folder / _LOG

    @property
    def uri(self) -> str:
        """The folder as Delta wants it.

        Raises:
            DataError: LM316 when the path holds characters that Delta's library cannot open.
        """
        unusable = _UNUSABLE.search(str(self.folder))
        if unusable:
            raise DataError(
                "LM316",
                f"the path holds {unusable[0]!r}, which Delta's library cannot open;",
                where=str(self.folder),
                cure="choose another folder, e.g. with --workspace.",
            )
        return str(self.folder)


class Places:
    """The folders of all tables under one root."""

    def __init__(self, root: Path) -> None:
        self._root = root.absolute()

    def place(self, name: TableName) -> Place:
        """Returns where a table lies or would lie."""
        folder = self._folder(name)
        registration = folder / _REGISTRATION
        if registration.exists():
            return Place(name, Path(json.loads(registration.read_text())["path"]), external=True)
        return Place(name, folder)

    def find(self, name: TableName) -> Place:
        """Returns where an existing table lies.

        Raises:
            DataError: LM301 when it is not there, with the nearest name.
        """
        place = self.place(name)
        if has_commits(place.folder):
            return place
        if place.external:
            raise DataError(
                "LM301",
                f"the Delta folder that {name} stands for is gone;",
                where=str(place.folder),
                cure="bring it back, or import the table again.",
            )
        known = [str(other) for other in self.all()]
        ours = name.table.endswith(_OURS)
        import_it = "`lakemon run` makes it." if ours else f"To make it: lakemon table import {name} FILE."
        raise DataError(
            "LM301",
            f"table {name} does not exist.",
            cure=" ".join(filter(None, [did_you_mean(str(name), known), import_it])),
        )

    def all(self) -> list[TableName]:
        """Returns the names of all tables, sorted."""
        return sorted(
            TableName(*(_plain(part) for part in folder.relative_to(self._root).parts))
            for folder in self._root.glob("*/*/*")
            if has_commits(folder) or (folder / _REGISTRATION).exists()
        )

    def register(self, name: TableName, folder: Path) -> None:
        """Notes that a table's files lie in a Delta folder of somebody else."""
        home = self._folder(name)
        home.mkdir(parents=True, exist_ok=True)
        draft = home / f".{_REGISTRATION}.{os.getpid()}"
        draft.write_text(json.dumps({"path": str(folder.absolute())}))
        draft.replace(home / _REGISTRATION)

    def _folder(self, name: TableName) -> Path:
        parts = [_escaped(part) for part in (name.catalog, name.schema, name.table)]
        too_long = next((part for part in parts if len(part.encode()) > 255), None)
        if too_long:
            raise UsageError("LM120", f"{too_long!r} is too long for a folder;", cure="use a shorter name.")
        return self._root.joinpath(*parts)


def has_commits(folder: Path) -> bool:
    """Whether a folder is a Delta table; one whose creation was cut off before its first commit is not."""
    log = folder / _LOG
    return log.is_dir() and any(path.suffix in {".json", ".parquet"} for path in log.iterdir())


def _escaped(part: str) -> str:
    return _ESCAPED.sub(lambda found: f"={ord(found[0]):02X}", part)


def _plain(folder: str) -> str:
    return re.sub(r"=([0-9A-F]{2})", lambda found: chr(int(found[1], 16)), folder)
