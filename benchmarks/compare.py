"""The benchmark: floors and full job in turn, ratios within each round, their medians into RESULTS.md.

Run it on an otherwise idle machine: `nox -s bench`; `nox -s bench -- --rows 1000000 --rounds 1` for a look.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median

import data
import job
import process

HERE = Path(__file__).parent
DATA = HERE / "data"
LIBRARIES = ("duckdb", "deltalake", "pyarrow", "numpy", "scipy")


@dataclass(slots=True)
class Bench:
    """All costs by name, one a round.

    Attributes:
        rows: of the inference table.
        costs: by the name of what was run.
    """

    rows: int
    costs: dict[str, list[process.Cost]] = field(default_factory=dict)

    @property
    def log(self) -> Path:
        """What the processes print."""
        return DATA / "bench.log"

    def note(self, name: str, command: Sequence[str]) -> None:
        """Runs a command and keeps its cost."""
        cost = process.run(command, self.log)
        self.costs.setdefault(name, []).append(cost)
        print(
            f"{name:16} wall {cost.wall:7.1f} s   CPU {cost.cpu:7.1f} s   {cost.memory:5.2f} GB", flush=True
        )

    def round(self) -> None:
        """Runs everything once."""
        folder = data.tables(DATA, self.rows)
        for floor in ("scan", "summarize"):
            self.floor(floor, folder, floor)
        self.full("full job", folder)
        self.full("sliced", folder, job.SLICED)
        self.new_day(folder)
        self.full("unordered", data.tables(DATA, self.rows, ordered=False))
        zstd = data.tables(DATA, self.rows, compression="zstd")
        self.floor("scan", zstd, "scan, zstd")
        self.full("full job, zstd", zstd)

    def floor(self, floor: str, folder: Path, name: str) -> None:
        """Runs a floor over a table."""
        self.note(name, [sys.executable, str(HERE / "floors.py"), floor, str(folder / "inference_logs")])

    def full(self, name: str, folder: Path, extra: str = "") -> None:
        """Measures a table from nothing."""
        home = DATA / "home"
        job.prepare(home, folder / "inference_logs", folder / "training_data", extra)
        self.note(name, job.command(home))

    def new_day(self, folder: Path, name: str = "one new day", days: int | None = None) -> None:
        """Measures all days but the last, or so many less one, unseen by the clock, then one more."""
        home, short, whole = DATA / "home", DATA / "short", folder / "inference_logs"
        shutil.rmtree(short, ignore_errors=True)
        data.as_after(whole, short, (days or data.commits(whole)) - 1)
        job.prepare(home, short, folder / "training_data")
        process.run(job.command(home), self.log)
        data.show_next(whole, short)
        self.note(name, job.command(home))

    def long(self) -> None:
        """Measures ten times the rows in ten times the days, of ten columns; then single days of that."""
        folder = data.long_table(DATA, 10 * self.rows)
        self.full("long", folder)
        self.new_day(folder, "long, one new day")
        self.new_day(folder, "long, day 30", days=data.DAYS)

    def ratio(self, name: str, floor: str, of: Callable[[process.Cost], float]) -> float:
        """Returns the median over the rounds of one cost divided by another."""
        pairs = zip(self.costs[name], self.costs[floor], strict=True)
        return median(of(ours) / of(theirs) for ours, theirs in pairs)


def cpu(cost: process.Cost) -> float:
    """Seconds of CPU."""
    return cost.cpu


def wall(cost: process.Cost) -> float:
    """Seconds of wall clock."""
    return cost.wall


def report(bench: Bench, rounds: int, remark: str) -> str:
    """Returns our part of RESULTS.md."""
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    goals = "\n".join(f"| {goal} | {measured} |" for goal, measured in _goals(bench))
    medians = "\n".join(_medians(name, costs) for name, costs in bench.costs.items())
    return f"""\
# Results of the benchmark

Written by `nox -s bench`; what is measured stands in
[docs/reference/performance.md](../docs/reference/performance.md).

{datetime.now(UTC):%Y-%m-%d}: {bench.rows:,} rows of 31 columns, rounds: {rounds}. {_machine()};
Python {platform.python_version()}, {libraries}. {remark}

| goal, median of the ratios within a round | measured |
|---|---|
{goals}

| median of the rounds, whole processes | wall s | CPU s | peak GB |
|---|---|---|---|
{medians}
"""


def _others(results: Path) -> str:
    """Returns the sections that other benchmarks wrote."""
    _, heading, rest = results.read_text().partition("\n## ") if results.exists() else ("", "", "")
    return heading + rest


def _goals(bench: Bench) -> list[tuple[str, str]]:
    peak = max(cost.memory for cost in bench.costs["full job"])
    found = [
        ("CPU ≤ 0.35 x DuckDB `SUMMARIZE`", f"{bench.ratio('full job', 'summarize', cpu):.2f}"),
        ("wall ≤ 0.45 x DuckDB `SUMMARIZE`", f"{bench.ratio('full job', 'summarize', wall):.2f}"),
        ("CPU ≤ 3.5 x raw scan, files in zstd", f"{bench.ratio('full job, zstd', 'scan, zstd', cpu):.2f}"),
        ("the same, files in snappy", f"{bench.ratio('full job', 'scan', cpu):.1f}"),
        ("peak memory ≤ 1 GB", f"{peak:.2f} GB"),
        ("one new day ≤ 1/10 of 30 days, CPU", f"1/{1 / bench.ratio('one new day', 'full job', cpu):.1f}"),
        ("one new day ≤ 1/10 of 30 days, wall", f"1/{1 / bench.ratio('one new day', 'full job', wall):.1f}"),
        ("with a slice column of 4 values ≤ 1.45 x, CPU", f"{bench.ratio('sliced', 'full job', cpu):.2f}"),
        ("rows not in order of time ≤ 2 x, CPU", f"{bench.ratio('unordered', 'full job', cpu):.2f}"),
    ]
    if "long" not in bench.costs:
        return found
    long, day, early = (bench.costs[f"long{of}"][0] for of in ("", ", one new day", ", day 30"))
    return [
        *found,
        ("ten times the rows, 10 columns: peak memory ≤ 1.2 x", f"{long.memory / peak:.2f}"),
        ("the same: one new day ≤ 1/100 of 300 days, CPU", f"1/{long.cpu / day.cpu:.0f}"),
        ("the same: day 300 costs what day 30 does, ± 20 %, CPU", f"{day.cpu / early.cpu:.2f} x"),
        ("the same, wall", f"{day.wall / early.wall:.2f} x"),
    ]


def _medians(name: str, costs: Sequence[process.Cost]) -> str:
    walls, cpus, peaks = zip(*((cost.wall, cost.cpu, cost.memory) for cost in costs), strict=True)
    return f"| {name} | {median(walls):.1f} | {median(cpus):.1f} | {median(peaks):.2f} |"


def _machine() -> str:
    models = [
        line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")
    ]
    name = models[0].partition(":")[2].strip() if models else platform.processor()
    return f"{os.cpu_count()} cores ({name}), {platform.system()}"


def main() -> None:
    """Reads the options, runs the rounds, writes the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--long", action="store_true", help="ten times the rows in ten times the days, too")
    parser.add_argument("--remark", default="", help="a line for the results, e.g. what else ran")
    options = parser.parse_args()
    made = [sys.executable, str(HERE / "data.py"), str(options.rows), *(["long"] if options.long else [])]
    subprocess.run(made, check=True)  # in a process of its own: its peak memory would count as that of ours
    bench = Bench(options.rows)
    for _ in range(options.rounds):
        bench.round()
    if options.long:
        bench.long()
    results = HERE / "RESULTS.md"
    results.write_text(report(bench, options.rounds, options.remark) + _others(results))


if __name__ == "__main__":
    main()
