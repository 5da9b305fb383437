"""One file of arrays with a description: written whole or not at all, read without a copy.

    8 bytes    the format, then
    8 bytes    length of the header, little endian, and
    32 bytes   its SHA-256
    header     JSON: the description, and of each array its type, length, place and sum
    arrays     each from a multiple of 64 bytes on, filled up with zeros

The sum is that of an array's 64-bit words, at the speed of memory: a lost page, a torn write or a flipped bit
changes it. So nobody waits for the disk when such a file is written.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
Array = npt.NDArray[Any]

_FORMAT = b"lakemon1"
_ALIGNED = 64
_BEFORE = len(_FORMAT) + 8 + hashlib.sha256().digest_size


def write_arrays(path: Path, description: object, arrays: Sequence[Array]) -> None:
    """Writes a file in place of the one that is there, if any.

    Args:
        path: of the file; its folder is made.
        description: anything that JSON takes.
        arrays: of numbers, one-dimensional, without gaps.

    Raises:
        OSError: when the disk does not take it; the file before it is untouched.
    """
    places, start = list[list[object]](), 0
    for array in arrays:
        places.append([array.dtype.str, len(array), start, _sum(array)])
        start += _padded(array.nbytes)
    header = json.dumps([description, places]).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with draft.open("wb") as file:
            file.write(_FORMAT + len(header).to_bytes(8, "little") + hashlib.sha256(header).digest())
            file.write(header.ljust(_padded(_BEFORE + len(header)) - _BEFORE, b"\0"))
            for array in arrays:
                file.write(array.data)
                file.write(bytes(_padded(array.nbytes) - array.nbytes))
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def read_arrays(path: Path) -> tuple[Any, list[Array]] | None:
    """Returns description and arrays, which lie in the file and cannot be written to.

    Returns:
        None where there is no such file, or one that is not as it was written.
    """
    try:
        content = np.memmap(path, np.uint8, mode="r")
    except (OSError, ValueError):  # no file, or an empty one
        return None
    head = content[:_BEFORE].tobytes()
    length = int.from_bytes(head[len(_FORMAT) : len(_FORMAT) + 8], "little")
    header = content[_BEFORE : _BEFORE + length].tobytes()
    if not head.startswith(_FORMAT) or not head.endswith(hashlib.sha256(header).digest()):
        return None
    description, places = json.loads(header)
    rest = np.asarray(content[_padded(_BEFORE + length) :])
    if len(rest) != sum(_padded(count * np.dtype(kind).itemsize) for kind, count, *_ in places):
        return None
    arrays = [_array(rest, *place) for place in places]
    whole = all(array is not None for array in arrays)
    return (description, [array for array in arrays if array is not None]) if whole else None


def _array(content: Bytes, kind: str, count: int, start: int, total: int) -> Array | None:
    size = count * np.dtype(kind).itemsize
    words = content[start : start + _padded(size)]
    return words[:size].view(kind) if int(words.view(np.uint64).sum()) == total else None


def _sum(array: Array) -> int:
    """The sum of 64-bit words, of which the last may be filled up with zeros."""
    content = array.view(np.uint8)
    whole = len(content) // 8 * 8
    rest = int.from_bytes(content[whole:].tobytes(), "little")
    return (int(content[:whole].view(np.uint64).sum()) + rest) % (1 << 64)


def _padded(size: int) -> int:
    return -(-size // _ALIGNED) * _ALIGNED
