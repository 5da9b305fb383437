"""What the rounds say: medians, ratios within a round, the table, and its place in RESULTS.md."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter
from statistics import median

from process import Cost

DAYS = 30
TITLE = "## Peers"
HEADER = """\
| tool | what it does | n | wall s | CPU s | peak GB | times lakemon, wall | times lakemon, CPU | goal |
|---|---|---|---|---|---|---|---|---|"""
_SECTION = re.compile(rf"^{TITLE}\n.*?(?=^## |\Z)", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Line:
    """One tool, what it does, and the multiple of our cost that is the goal.

    Attributes:
        costs: of each round.
        ours: what lakemon cost in the same rounds.
    """

    tool: str
    work: str
    goal: str
    costs: Sequence[Cost]
    ours: Sequence[Cost]


def extrapolated(whole: Cost, days: Sequence[Cost]) -> Cost:
    """Returns what a month would cost, with the days left out taken at the median of those measured.

    Its peak of memory is not known.

    Args:
        whole: the process that measured only `days`.
        days: what each of them took within that process.
    """
    left_out = DAYS - len(days)
    return Cost(
        whole.wall + left_out * median(day.wall for day in days),
        whole.cpu + left_out * median(day.cpu for day in days),
        math.nan,
    )


def table(lines: Sequence[Line]) -> str:
    """Returns a Markdown table: medians over the rounds; a ratio is the median of those within a round."""
    return "\n".join([HEADER, *map(_row, lines)])


def _row(line: Line) -> str:
    memory = _median(line, "memory")
    cells = (
        line.tool,
        line.work,
        str(len(line.costs)),
        f"{_median(line, 'wall'):.1f}",
        f"{_median(line, 'cpu'):.1f}",
        "not measured" if math.isnan(memory) else f"{memory:.2f}",
        f"{_ratio(line, 'wall'):.1f}",
        f"{_ratio(line, 'cpu'):.1f}",
        line.goal,
    )
    return f"| {' | '.join(cells)} |"


def _median(line: Line, part: str) -> float:
    return median(map(attrgetter(part), line.costs))


def _ratio(line: Line, part: str) -> float:
    of = attrgetter(part)
    return median(of(cost) / of(own) for cost, own in zip(line.costs, line.ours, strict=True))


def with_section(results: str, body: str) -> str:
    """Returns the text of RESULTS.md with the section of the peers replaced, or added at the end."""
    section = f"{TITLE}\n\n{body.strip()}\n\n"
    if _SECTION.search(results):
        return f"{_SECTION.sub(lambda _: section, results).rstrip()}\n"
    return f"{results.rstrip()}\n\n{section}".strip() + "\n"
