"""The comparison with peers: fair environments, no telemetry, honest arithmetic."""

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
FOLDER = BENCHMARKS / "peers"
PEERS = ("nannyml", "whylogs", "evidently")
SILENT = {"NML_DISABLE_USAGE_LOGGING", "WHYLOGS_NO_ANALYTICS", "DO_NOT_TRACK", "ITERATIVE_DO_NOT_TRACK"}


@pytest.fixture
def results(monkeypatch):
    for name in SILENT:  # the import sets them; this puts them back afterwards
        monkeypatch.setenv(name, "1")
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    from peers import results

    return results


def imported(module: Path) -> set[str]:
    """The packages a module imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").partition(".")[0])
    return found


@pytest.mark.parametrize("peer", PEERS)
def test_a_peers_script_imports_the_peer_and_pandas_and_nothing_of_ours(peer):
    foreign = imported(FOLDER / f"{peer}_job.py") - sys.stdlib_module_names
    assert foreign == {peer, "pandas", "peers"}
    assert imported(FOLDER / "__init__.py") <= sys.stdlib_module_names


@pytest.mark.parametrize("peer", PEERS)
def test_every_package_of_a_peers_environment_is_pinned_without_an_address(peer):
    pins = [line for line in (FOLDER / f"{peer}.txt").read_text().splitlines() if not line.startswith("#")]
    assert all(re.fullmatch(r"[a-z0-9][a-z0-9._-]*==[0-9][\w.+!]*", pin) for pin in pins)
    names = {pin.partition("==")[0] for pin in pins}
    assert {peer, "pandas", "pyarrow"} <= names
    assert not names & {"lakemon", "deepchecks", "alibi-detect"}


def test_what_peers_would_send_home_is_off_before_they_are_imported():
    show = "import os, json, peers; print(json.dumps(dict(os.environ)))"
    done = subprocess.run(
        [sys.executable, "-c", show], cwd=BENCHMARKS, env={}, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout).keys() >= SILENT


def test_peers_get_every_row_a_file_a_day_and_no_text_of_many_levels(tmp_path):
    subprocess.run([sys.executable, "-m", "peers.tables", str(tmp_path), "3000"], cwd=BENCHMARKS, check=True)
    given = tmp_path / "3000" / "peers"
    days = sorted((given / "logs").iterdir())
    assert [day.name for day in (days[0], days[-1])] == ["2026-01-01.parquet", "2026-01-30.parquet"]
    assert len(days) == 30
    assert sum(pq.read_metadata(day).num_rows for day in days) == 3000
    assert pq.read_metadata(given / "baseline.parquet").num_rows == 500_000
    columns = set(pq.read_schema(days[0]).names)
    assert columns == set(pq.read_schema(given / "baseline.parquet").names)
    assert len(columns - {"ts", "prediction", "proba", "label"}) == 22
    assert not {name for name in columns if name.startswith("h")}


def test_a_month_costs_the_measured_process_and_the_median_day_for_each_day_left_out(results):
    days = [results.Cost(31.0, 40.0, 0), results.Cost(30.0, 38.0, 0), results.Cost(90.0, 39.0, 0)]
    month = results.extrapolated(results.Cost(160.0, 125.0, 1.8), days)
    assert (month.wall, month.cpu) == (160.0 + 27 * 31.0, 125.0 + 27 * 39.0)


def test_ratios_are_taken_within_a_round_and_memory_that_was_not_measured_is_not_shown(results):
    own = [results.Cost(w, 2 * w, 0.5) for w in (1.0, 10.0, 4.0)]
    ours = results.Line("lakemon", "all", "", own, own)
    slow = results.Line("slow", "some", "≥ 4", [results.Cost(w, 6 * w, 1.5) for w in (8.0, 20.0, 20.0)], own)
    days = [results.extrapolated(cost, [cost]) for cost in slow.costs]
    once = results.Line("once", "less", "", [results.Cost(12.0, 12.0, 1.0)], own[2:])
    rows = results.table([ours, slow, results.Line("month", "guess", "", days, own), once]).splitlines()[2:]
    assert rows[0] == "| lakemon | all | 3 | 4.0 | 8.0 | 0.50 | 1.0 | 1.0 |  |"
    assert rows[1] == "| slow | some | 3 | 20.0 | 120.0 | 1.50 | 5.0 | 15.0 | ≥ 4 |"
    assert rows[2] == "| month | guess | 3 | 600.0 | 3600.0 | not measured | 150.0 | 450.0 |  |"
    assert rows[3] == "| once | less | 1 | 12.0 | 12.0 | 1.00 | 3.0 | 1.5 |  |"


def test_a_later_call_adds_to_the_rounds_of_the_same_version(results, tmp_path):
    from peers import rounds

    cost, file = results.Cost(2.0, 1.0, 0.5), tmp_path / "rounds.jsonl"
    month = results.extrapolated(cost, [cost])
    found = [
        rounds.measure("1 at abc", "nannyml", lambda: cost, lambda: (cost, None)),
        rounds.measure("1 at abc", "evidently", lambda: cost, lambda: (cost, month)),
        rounds.measure("1 at old", "whylogs", lambda: cost, lambda: (cost, None)),
    ]
    assert rounds.read(file, "1 at abc") == []
    rounds.write(file, found)
    kept = rounds.read(file, "1 at abc")
    assert [one.peer for one in kept] == ["nannyml", "evidently"]
    assert (kept[0].ours, kept[0].month, kept[1].month.wall) == (cost, None, month.wall)


def test_the_section_is_replaced_where_it_stands_and_other_sections_stay(results):
    text = "# Results\n\n## Speed\n\nfast\n\n## Peers\n\nold | table\n\n## Memory\n\nsmall\n"
    new = results.with_section(text, "new \\1 table\n")
    assert new == "# Results\n\n## Speed\n\nfast\n\n## Peers\n\nnew \\1 table\n\n## Memory\n\nsmall\n"
    assert results.with_section(new, "new \\1 table") == new


def test_the_section_is_added_where_there_was_none(results):
    assert results.with_section("# Results\n", "table") == "# Results\n\n## Peers\n\ntable\n"
