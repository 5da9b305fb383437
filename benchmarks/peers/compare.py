"""Runs lakemon and its peers in turn on one table, prints what they cost and writes it into RESULTS.md.

`nox -s peers` makes the environments and starts this in the folder `benchmarks`. Each round is kept in a
file, and a later call adds to those of the same version of lakemon: so the comparison can be made in parts,
e.g. `nox -s peers -- --peers nannyml,whylogs`, then `nox -R -s peers -- --peers evidently`.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import job
import process
from process import Cost

from peers import FEATURES, rounds
from peers.machine import machine, our_version, pinned
from peers.results import DAYS, Line, extrapolated, table, with_section
from peers.rounds import Round

BENCHMARKS = Path(__file__).parents[1]
RESULTS = BENCHMARKS / "RESULTS.md"
GOALS = {"nannyml": "≥ 8", "whylogs": "≥ 7", "evidently": "≥ 100"}
PEERS = tuple(GOALS)
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


def turn(place: Place, tool: str, days: int) -> tuple[Cost, Cost | None]:
    """Measures a peer; of Evidently some days, with what all of them would cost, extrapolated."""
    if tool != "evidently":
        return peer(place, tool), None
    file = place.given / "days.json"
    whole = peer(place, tool, str(days), str(file))
    parts = [Cost(day["wall"], day["cpu"], 0) for day in json.loads(file.read_text())]
    return whole, extrapolated(whole, parts)


def lines(found: Sequence[Round], days: int, version: str) -> list[Line]:
    """Returns a line a tool that was measured, lakemon first; Evidently has two."""
    own = [one.ours for one in found]
    made = [Line(f"lakemon {version}", WORK["lakemon"], "", own, own)]
    for tool in PEERS:
        mine = [one for one in found if one.peer == tool]
        if not mine:
            continue
        name, own = f"{tool} {pinned(tool, tool)}", [one.ours for one in mine]
        months = [one.month for one in mine if one.month]
        work = f"{WORK[tool]}; **{days} of {DAYS} days**" if months else WORK[tool]
        made.append(Line(name, work, "" if months else GOALS[tool], [one.theirs for one in mine], own))
        if months:
            made.append(Line(name, f"the same; {DAYS} days, **extrapolated**", GOALS[tool], months, own))
    return made


def report(found: list[Line], rows: int, load: str, note: str) -> str:
    """Returns the section of RESULTS.md."""
    libraries = "; ".join(
        f"{tool} with pandas {pinned(tool, 'pandas')}, numpy {pinned(tool, 'numpy')}" for tool in PEERS
    )
    return f"""\
{note}{rows:,} rows in {DAYS} days, a baseline of 500,000 rows. Whole processes, imports included; in each
round lakemon, then one peer; medians of n rounds, ratios within a round. Measured
{datetime.now(UTC):%Y-%m-%d %H:%M} UTC on {machine()}; load average {load}. `nox -s peers` measures it again.

{table(found)}

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
    version, file = our_version(), place.given / "rounds.jsonl"
    found = [] if options.afresh else rounds.read(file, version)
    for _ in range(options.rounds):
        for tool in options.peers:
            theirs = partial(turn, place, tool, options.days)
            found.append(rounds.measure(version, tool, partial(ours, place), theirs))
            rounds.write(file, found)
    if not found:
        return
    loads = [load for one in found for load in one.load]
    note = f"**{options.note}.** " if options.note else ""
    load = f"{min(loads):.1f} to {max(loads):.1f}"
    section = report(lines(found, options.days, version), options.rows, load, note)
    print(section)
    if options.write:
        results = RESULTS.read_text() if RESULTS.exists() else "# Results of the benchmarks\n"
        RESULTS.write_text(with_section(results, section))


def _peers(text: str) -> list[str]:
    wanted = text.split(",")
    if unknown := set(wanted) - set(PEERS):
        raise argparse.ArgumentTypeError(f"{', '.join(sorted(unknown))}: none of {', '.join(PEERS)}")
    return wanted


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--environments", type=Path, required=True, help="folder with peers-nannyml and so on"
    )
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument(
        "--rounds", type=int, default=3, help="0 only makes the tables and shows what there is"
    )
    parser.add_argument("--peers", type=_peers, default=list(PEERS), help="which, with commas between")
    parser.add_argument("--afresh", action="store_true", help="forget the rounds of earlier calls")
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
