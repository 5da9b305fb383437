"""The table of the benchmark: 31 columns, 30 days, one Delta commit a day, and a baseline of 500,000 rows.

24 features (12 doubles with nulls and NaN, 6 integers, 4 texts of few levels, 2 texts of 50,000), then
timestamp, model version, prediction, proba, label, and two more doubles. Everything follows from one seed.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
from deltalake import WriterProperties, write_deltalake

SEED = 7
DAYS = 30
BASELINE_ROWS = 500_000
START = datetime(2026, 1, 1, tzinfo=UTC)
DAY = 86_400 * 10**6

LONG = (
    "ts", "model_version", "prediction", "proba", "label",
    "f00", "f01", "f02", "f03", "i02", "i04", "c00", "c03", "h00", "target",
)  # fmt: skip
"""Columns of the long table."""

_FEED = {"delta.enableChangeDataFeed": "true"}
_VOCABULARY = 50_000


def tables(root: Path, rows: int, *, ordered: bool = True, compression: str = "snappy") -> Path:
    """Writes `inference_logs` and `training_data` below `root`, once; returns the folder that holds them.

    Args:
        root: where benchmark data lie.
        rows: rows of the inference table.
        ordered: without, every commit holds rows of all days.
        compression: of the Parquet files: `snappy`, which Delta writes by itself, or `zstd`.
    """
    kind = f"{'' if ordered else '_unordered'}{'' if compression == 'snappy' else f'_{compression}'}"
    folder = root / f"{rows}{kind}"
    done = folder / "done"
    if done.exists():
        return folder
    random = np.random.default_rng(SEED)
    baseline = _rows(random, BASELINE_ROWS, shift=0.0, first=0, days=1)
    _append(folder / "training_data", baseline, compression)
    for day in range(DAYS):
        count = rows * (day + 1) // DAYS - rows * day // DAYS
        span = (day, 1) if ordered else (0, DAYS)
        drawn = _rows(random, count, shift=0.01 * day, first=span[0], days=span[1])
        _append(folder / "inference_logs", drawn, compression)
    done.touch()
    return folder


def long_table(root: Path, rows: int) -> Path:
    """Writes a table of 300 days and 10 columns besides label and probability, once; returns its folder."""
    folder = root / f"{rows}_long"
    done = folder / "done"
    if done.exists():
        return folder
    random = np.random.default_rng(SEED)
    days = 10 * DAYS
    _append(folder / "training_data", _rows(random, BASELINE_ROWS, shift=0.0, first=0, days=1).select(LONG))
    for day in range(days):
        count = rows * (day + 1) // days - rows * day // days
        drawn = _rows(random, count, shift=0.001 * day, first=day, days=1)
        _append(folder / "inference_logs", drawn.select(LONG))
    done.touch()
    return folder


def _append(folder: Path, rows: pa.Table, compression: str = "snappy") -> None:
    compressed = WriterProperties(compression=compression.upper())
    write_deltalake(str(folder), rows, mode="append", configuration=_FEED, writer_properties=compressed)


def _rows(random: np.random.Generator, count: int, *, shift: float, first: int, days: int) -> pa.Table:
    columns: dict[str, pa.Array] = {"ts": _moments(random, count, first, days)}
    columns["model_version"] = _texts(random.integers(0, 2, count), ["1", "2"])
    columns |= {f"f{place:02}": _doubles(random, count, place, shift) for place in range(12)}
    columns |= {f"i{place:02}": _integers(random, count, place, first) for place in range(6)}
    columns |= {f"c{place:02}": _few(random, count, 4 * (place + 1)) for place in range(4)}
    columns |= {f"h{place:02}": _many(random, count) for place in range(2)}
    score = random.beta(2, 3, count)
    label = random.random(count) < score
    columns["prediction"] = pa.array((score > 0.5).astype(np.int64))
    columns["proba"] = pa.array(score)
    columns["label"] = pa.array(label.astype(np.int64))
    target = random.gamma(2.0, 10.0, count)
    columns["target"] = pa.array(target)
    columns["pred_num"] = pa.array(target + random.normal(0, 3, count))
    return pa.table(columns)


def _moments(random: np.random.Generator, count: int, first: int, days: int) -> pa.Array:
    start = int(START.timestamp()) * 10**6 + first * DAY
    ticks = np.sort(random.integers(start, start + days * DAY, count))
    return pa.array(ticks, pa.timestamp("us", "UTC"))


def _doubles(random: np.random.Generator, count: int, place: int, shift: float) -> pa.Array:
    """Normal, log-normal with a heavy tail, rounded; nulls in most and NaN in two."""
    shapes = (
        lambda: random.normal(shift, 1, count),
        lambda: random.lognormal(shift, 2, count),
        lambda: np.round(random.normal(100 + shift, 15, count), 1),
        lambda: np.where(random.random(count) < 0.4, 0.0, random.exponential(5, count)),
    )
    values = shapes[place % 4]()
    if place in {3, 7}:
        values[random.random(count) < 0.01] = np.nan
    missing = random.random(count) < 0.005 * place
    return pa.array(values, mask=missing)


def _integers(random: np.random.Generator, count: int, place: int, day: int) -> pa.Array:
    """Counts, a flag, a code, a large number, and an id that grows from day to day."""
    if place == 5:
        return pa.array(np.arange(count, dtype=np.int64) + day * 10**7)
    tops = (10, 2, 1_000, 100_000, 2**40)
    return pa.array(random.integers(0, tops[place], count))


def _few(random: np.random.Generator, count: int, levels: int) -> pa.Array:
    return _texts(
        np.minimum(random.geometric(0.4, count) - 1, levels - 1), [f"level {k}" for k in range(levels)]
    )


def _many(random: np.random.Generator, count: int) -> pa.Array:
    codes = np.minimum(random.pareto(0.6, count) * 100, _VOCABULARY - 1).astype(np.int64)
    return _texts(codes, [f"customer-{k:06}" for k in range(_VOCABULARY)])


def _texts(codes: np.ndarray, levels: list[str]) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(codes, pa.int32()), pa.array(levels)).cast(pa.string())


def as_after(folder: Path, copy: Path, count: int) -> Path:
    """Links a Delta table as it was after `count` commits; `show_next` adds one more. Returns `copy`."""
    (copy / "_delta_log").mkdir(parents=True)
    for path in folder.rglob("*"):
        if path.is_file() and _commit_of(path) < count:
            (copy / path.relative_to(folder)).hardlink_to(path)
    return copy


def show_next(folder: Path, copy: Path) -> None:
    """Adds the next commit to a table of `as_after`."""
    following = Path("_delta_log") / f"{commits(copy):020}.json"
    (copy / following).hardlink_to(folder / following)


def commits(folder: Path) -> int:
    """Returns how many commits a table has."""
    return len(list((folder / "_delta_log").glob("*.json")))


def _commit_of(path: Path) -> int:
    """Returns the commit that a file of the log belongs to; -1 for other files, which nobody minds."""
    if path.parent.name != "_delta_log":
        return -1
    text = path.read_text() if path.name == "_last_checkpoint" else ""
    return int(json.loads(text)["version"] if text else path.name[:20])


if __name__ == "__main__":
    ROOT, ROWS = Path(__file__).parent / "data", int(sys.argv[1])
    tables(ROOT, ROWS)
    tables(ROOT, ROWS, ordered=False)
    tables(ROOT, ROWS, compression="zstd")
    if "long" in sys.argv:
        long_table(ROOT, 10 * ROWS)
