"""Writes the files of a new project or plugin: all of them or none."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from tempfile import mkdtemp

from lakemon_core.domain.errors import UsageError


def files_to_write(folder: Path, texts: Mapping[str, str], *, force: bool, keep: bool) -> dict[str, str]:
    """Returns which files are written, path → text.

    Args:
        folder: where to.
        texts: path from the folder → text.
        force: overwrite files that are there.
        keep: leave out files that are there.

    Raises:
        UsageError: LM162 a folder stands where a file goes; LM186 files are there, and neither `force` nor
            `keep` says what to do.
    """
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


def write_all(folder: Path, texts: Mapping[str, str]) -> None:
    """Writes files, path from the folder → text; when one cannot be written, everything is as it was before.

    Raises:
        UsageError: LM161 with the file and the reason.
    """
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
