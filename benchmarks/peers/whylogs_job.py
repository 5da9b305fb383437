"""whylogs: a profile of every day. It needs no baseline and measures neither drift nor quality here."""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
import whylogs

from peers import FEATURES


def measure(folder: Path) -> list[pd.DataFrame]:
    """Returns the profile of each day: a row a column."""
    days = sorted((folder / "logs").iterdir())
    return [whylogs.log(pd.read_parquet(day, columns=FEATURES)).view().to_pandas() for day in days]


if __name__ == "__main__":
    for frame in measure(Path(sys.argv[1])):
        print(frame.shape)
