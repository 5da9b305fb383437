"""Memory of a command that measures."""

from __future__ import annotations

import os
import sys

_M_ARENA_MAX = -8
"""As `malloc.h` of glibc numbers it."""


def share_one_arena() -> None:
    """Lets all threads that start from now on take memory from one place, as `MALLOC_ARENA_MAX=1` would.

    glibc gives each thread a place of its own. What one lets go of is then not there for the next: rows
    are read in one and measured in others. Elsewhere than with glibc nothing changes.
    """
    if sys.platform != "linux" or "MALLOC_ARENA_MAX" in os.environ:
        return
    import ctypes

    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, 1)
