"""Writes what the peers read: the benchmark's table as Parquet, a file a day, and its baseline.

Runs as a process of its own, so that the one that measures stays small.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import data
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from deltalake import DeltaTable

from peers import FEATURES, LABEL, PREDICTION, PROBA, TIMESTAMP

COLUMNS = [TIMESTAMP, *FEATURES, PREDICTION, PROBA, LABEL]


def write(folder: Path) -> None:
    """Writes `peers/baseline.parquet` and `peers/logs/<day>.parquet` beside the Delta tables, once."""
    target = folder / "peers"
    if (target / "baseline.parquet").exists():
        return
    shutil.rmtree(target, ignore_errors=True)
    (target / "logs").mkdir(parents=True)
    logs = _read(folder / "inference_logs")
    days = pc.strftime(logs[TIMESTAMP], format="%Y-%m-%d")
    for day in sorted(days.unique().to_pylist()):
        pq.write_table(logs.filter(pc.equal(days, day)), target / "logs" / f"{day}.parquet")
    pq.write_table(_read(folder / "training_data"), target / "baseline.parquet")


def _read(table: Path) -> pa.Table:
    return DeltaTable(str(table)).to_pyarrow_table(columns=COLUMNS)


if __name__ == "__main__":
    write(data.tables(Path(sys.argv[1]), int(sys.argv[2])))
