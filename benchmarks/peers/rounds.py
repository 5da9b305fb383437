"""The rounds that were measured, kept in a file, so that a comparison can be made in parts."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from process import Cost


@dataclass(frozen=True, slots=True)
class Round:
    """A turn of lakemon, and one of a peer just after it.

    Attributes:
        version: of lakemon.
        peer: its name.
        ours: what lakemon cost.
        theirs: what the peer cost.
        month: what the peer would cost for all days; None where it measured all of them.
        load: average load of the machine before, and after.
    """

    version: str
    peer: str
    ours: Cost
    theirs: Cost
    month: Cost | None
    load: tuple[float, float]


def measure(
    version: str, peer: str, ours: Callable[[], Cost], theirs: Callable[[], tuple[Cost, Cost | None]]
) -> Round:
    """Gives lakemon and a peer their turn."""
    before = os.getloadavg()[0]
    own, (whole, month) = ours(), theirs()
    return Round(version, peer, own, whole, month, (before, os.getloadavg()[0]))


def read(file: Path, version: str) -> list[Round]:
    """Returns the rounds of a version of lakemon, in the order they were measured."""
    if not file.exists():
        return []
    found = [_round(json.loads(line)) for line in file.read_text().splitlines()]
    return [one for one in found if one.version == version]


def write(file: Path, rounds: Sequence[Round]) -> None:
    """Puts these rounds in the place of what the file held."""
    file.write_text("".join(f"{json.dumps(asdict(one))}\n" for one in rounds))


def _round(row: dict[str, Any]) -> Round:
    before, after = row["load"]
    ours, theirs = Cost(**row["ours"]), Cost(**row["theirs"])
    month = Cost(**row["month"]) if row["month"] else None
    return Round(row["version"], row["peer"], ours, theirs, month, (before, after))
