"""Writes the files of a new project or plugin: all of them or none."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

from lakemon_core.domain.errors import UsageError


@dataclass(frozen=True, slots=True)
class NewFiles:
    """What was written, or would be.

    Attributes:
        folder: where to.
        texts: path from the folder → text, of what is written.
        kept: paths that are there already and stay.
        dry_run: nothing was written.
    """

    folder: Path
    texts: Mapping[str, str]
    kept: tuple[str, ...]
    dry_run: bool

    def lines(self) -> list[str]:
        """Returns a line for each file."""
        done = "would write" if self.dry_run else "wrote"
        written = [f"{done} {self.folder / path}" for path in self.texts]
        return [*written, *(f"kept {self.folder / path}" for path in self.kept)]

    def document(self) -> dict[str, object]:
        """Returns plain JSON values."""
        return {"files": sorted(self.texts), "kept": sorted(self.kept), "dry_run": self.dry_run}


def write_new(
    folder: Path, texts: Mapping[str, str], *, force: bool, keep: bool, dry_run: bool = False
) -> NewFiles:
    """Writes the files of a project, all of them or none.

    Args:
        folder: where to; made when it is not there.
        texts: path from the folder → text.
        force: overwrite files that are there.
        keep: leave out files that are there.
        dry_run: only look.

    Raises:
        UsageError: LM161 one cannot be written; LM162 a folder stands where a file goes; LM186 files are
            there, and neither `force` nor `keep` says what to do.
    """
    chosen = _chosen(folder, texts, force=force, keep=keep)
    if not dry_run:
        _write_all(folder, chosen)
    return NewFiles(folder, chosen, tuple(path for path in texts if path not in chosen), dry_run)


def _chosen(folder: Path, texts: Mapping[str, str], *, force: bool, keep: bool) -> dict[str, str]:
    """Returns what is written, path → text."""
    for path in texts:
        if (folder / path).is_dir():
            raise UsageError(
                "LM162", f"{folder / path} is a folder;", cure="move it, or choose another place."
            )
    there = [path for path in texts if os.path.lexists(folder / path)]
    if there and not (force or keep):
        named = ", ".join(str(folder / path) for path in there)
        cure = "`--keep` writes the others only, `--force` overwrites."
        raise UsageError("LM186", f"{named} {'is' if len(there) == 1 else 'are'} there already;", cure=cure)
    return {path: text for path, text in texts.items() if force or path not in there}


def _write_all(folder: Path, texts: Mapping[str, str]) -> None:
    """Writes files; when one cannot be written, everything is as it was before."""
    try:
        with ExitStack() as undo:
            _make_folder(folder, undo)
            staging = Path(mkdtemp(prefix=".lakemon-new-", dir=folder))
            undo.callback(shutil.rmtree, staging, ignore_errors=True)
            for number, text in enumerate(texts.values()):
                (staging / str(number)).write_text(text, encoding="utf-8")
            for number, path in enumerate(texts):
                _make_folder((folder / path).parent, undo)
                _put(staging / str(number), folder / path, undo)
            undo.pop_all()
            shutil.rmtree(staging, ignore_errors=True)
    except OSError as error:
        what = f"{error.filename or folder} cannot be written: {error.strerror};"
        raise UsageError("LM161", what, cure="nothing was changed; mend it and try again.") from error


def _make_folder(folder: Path, undo: ExitStack) -> None:
    """Makes a folder and those above it, each to be removed again on failure."""
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    for one in reversed(missing):
        one.mkdir()
        undo.callback(one.rmdir)


def _put(staged: Path, target: Path, undo: ExitStack) -> None:
    """Moves a staged file to its place, and what was there into the staging folder."""
    if os.path.lexists(target):
        before = staged.with_suffix(".before")
        target.replace(before)
        undo.callback(before.replace, target)
    else:
        undo.callback(target.unlink, missing_ok=True)
    staged.replace(target)
