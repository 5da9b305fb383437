"""Compaction: many small files of a table become few large ones, without a change of any row."""

from __future__ import annotations

from deltalake.exceptions import CommitFailedError

from lakemon_local.tables.log import added_files, sync_commit
from lakemon_local.tables.places import Place
from lakemon_local.tables.snapshot import Snapshot, failures, open_snapshot
from lakemon_local.tables.writing import sweep

MANY = 32
"""So many small files are rewritten; fewer cost a reader little."""
SMALL = 16 * 2**20
"""Bytes of a file below which it is small."""


def compact(place: Place) -> bool:
    """Rewrites the small files of a table when there are many, and sweeps up; returns whether it did.

    A writer that comes between wins: what is left undone is done at the next call.
    """
    known = open_snapshot(place)
    if _small_files(known) < MANY:
        return False
    with failures(place):
        try:
            done = known.table.optimize.compact()
        except CommitFailedError:
            return False
        if done["numFilesAdded"]:
            sync_commit(place, known.version)
    sweep(open_snapshot(place))
    return bool(done["numFilesAdded"])


def _small_files(known: Snapshot) -> int:
    with failures(known.place):
        files = added_files(known.table)
    return sum(size < SMALL for size in files.column("size_bytes").to_pylist())
