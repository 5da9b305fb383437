"""Runs lakemon and its peers in turn on one table, prints what they cost and writes it into RESULTS.md.

`nox -s peers` makes the environments and starts this in the folder `benchmarks`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import job
import process
from process import Cost

from peers import FEATURES
from peers.machine import machine, our_version, pinned
from peers.results import DAYS, Line, extrapolated, table, with_section

BENCHMARKS = Path(__file__).parents[1]
RESULTS = BENCHMARKS / "RESULTS.md"
PEERS = ("nannyml", "whylogs", "evidently")
WORK = {
    "lakemon": "29 columns, 2 model versions: profile, drift against baseline and previous day, quality; "
    "reads Delta, builds the baseline, writes Delta",
    "nannyml": f"{len(FEATURES)} columns: drift against baseline by 3 methods, missing and unseen values, "
    "4 summary statistics, quality",
    "whylogs": f"{len(FEATURES)} columns: a profile a day; no baseline, no drift, no quality",
    "evidently": f"{len(FEATURES)} columns: presets of drift, data summary and classification",
}
NOT_EQUAL = f"""\
The work is not equal, mostly in favour of the peers: they get {len(FEATURES)} columns without the two texts
of 50,000 levels, and do not tell the two model versions apart; they read Parquet that is split by day
beforehand and write no tables; none measures drift against the previous day. NannyML and Evidently also
decide alerts or tests, which lakemon does in a later stage. Evidently measures the whole baseline again in
every report: the {DAYS} days of its last line are **extrapolated**, the measured process plus the median day
for each day left out."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a comparison happens: the tables, the environments of the peers, and what the tools print."""

    tables: Path
    environments: Path

    @property
    def given(self) -> Path:
        """The folder that the peers read."""
        return self.tables / "peers"

    @property
    def log(self) -> Path:
        """Where everything goes that the tools print."""
        return self.given / "log"


def ours(place: Place) -> Cost:
    """Measures lakemon in a fresh workspace, so that it builds its baseline, too."""
    home = place.given / "home"
    job.prepare(home, place.tables / "inference_logs", place.tables / "training_data")
    return _told("lakemon", process.run(job.command(home), place.log))


def peer(place: Place, tool: str, *arguments: str) -> Cost:
    """Measures a peer in its own environment."""
    python = place.environments / f"peers-{tool}" / "bin" / "python"
    command = [str(python), "-m", f"peers.{tool}_job", str(place.given), *arguments]
    return _told(tool, process.run(command, place.log))


def _told(tool: str, cost: Cost) -> Cost:
    print(f"{tool:10} wall {cost.wall:6.1f} s   CPU {cost.cpu:6.1f} s   {cost.memory:.2f} GB", flush=True)
    return cost


def evidently(place: Place, days: int) -> tuple[Cost, Cost]:
    """Returns what the first days cost, measured, and what all would, extrapolated."""
    file = place.given / "days.json"
    whole = peer(place, "evidently", str(days), str(file))
    parts = [Cost(day["wall"], day["cpu"], 0) for day in json.loads(file.read_text())]
    return whole, extrapolated(whole, parts)


def one_round(place: Place, days: int) -> list[Cost]:
    """Gives every tool its turn: the costs in the order of `lines`."""
    return [ours(place), peer(place, "nannyml"), peer(place, "whylogs"), *evidently(place, days)]


def lines(rounds: list[list[Cost]], days: int, version: str) -> list[Line]:
    """Returns a line a tool, lakemon first; Evidently has two."""
    named = {tool: f"{tool} {pinned(tool, tool)}" for tool in PEERS}
    tools = (
        (f"lakemon {version}", WORK["lakemon"], ""),
        (named["nannyml"], WORK["nannyml"], "≥ 8"),
        (named["whylogs"], WORK["whylogs"], "≥ 7"),
        (named["evidently"], f"{WORK['evidently']}; **{days} of {DAYS} days**", ""),
        (named["evidently"], f"the same; {DAYS} days, **extrapolated**", "≥ 100"),
    )
    return [Line(*tool, costs) for tool, costs in zip(tools, zip(*rounds, strict=True), strict=True)]


def report(found: list[Line], rows: int, load: str, note: str) -> str:
    """Returns the section of RESULTS.md."""
    libraries = "; ".join(
        f"{tool} with pandas {pinned(tool, 'pandas')}, numpy {pinned(tool, 'numpy')}" for tool in PEERS
    )
    return f"""\
{note}{rows:,} rows in {DAYS} days, a baseline of 500,000 rows. Whole processes, imports included, one after
the other in each round; medians of n rounds, ratios within a round. Measured
{datetime.now(UTC):%Y-%m-%d %H:%M} UTC on {machine()}; load average {load}. `nox -s peers` measures it again.

{table(found[0], found[1:])}

{NOT_EQUAL}

Environments, pinned in `benchmarks/peers/*.txt`: {libraries}.
"""


def main() -> None:
    """Measures, prints and writes."""
    options = _options()
    place = Place(BENCHMARKS / "data" / str(options.rows), options.environments)
    subprocess.run(
        [sys.executable, "-m", "peers.tables", str(place.tables.parent), str(options.rows)], check=True
    )
    before, version = os.getloadavg()[0], our_version()
    rounds = [one_round(place, options.days) for _ in range(options.rounds)]
    load = f"{before:.1f} before and {os.getloadavg()[0]:.1f} after"
    note = f"**{options.note}.** " if options.note else ""
    section = report(lines(rounds, options.days, version), options.rows, load, note)
    print(section)
    if options.write:
        results = RESULTS.read_text() if RESULTS.exists() else "# Results of the benchmarks\n"
        RESULTS.write_text(with_section(results, section))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--environments", type=Path, required=True, help="folder with peers-nannyml and so on"
    )
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--days",
        type=int,
        default=3,
        choices=range(3, DAYS + 1),
        metavar="N",
        help="days that Evidently measures",
    )
    parser.add_argument("--note", default="", help="what a reader must know, as that the machine was loaded")
    parser.add_argument("--write", action=argparse.BooleanOptionalAction, default=True)
    return parser.parse_args()


if __name__ == "__main__":
    main()
