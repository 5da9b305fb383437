"""What the page's script draws: the heat map and the distributions, small enough to travel with the page."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterable, Mapping, Sequence
from math import isfinite
from typing import Any

from lakemon_core.alerting.wording import statistic_name
from lakemon_core.domain.names import plain
from lakemon_core.domain.window import Window
from lakemon_core.report.facts import Shape, Shapes
from lakemon_core.report.heat import Cell, HeatMap, Row

DIGITS = 3
MOST_LEVELS = 10


def packed(document: object) -> str:
    """Returns a document as gzipped JSON in base64: no character of it means anything to HTML."""
    text = json.dumps(document, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode()


def view_document(heat: HeatMap, shapes: Shapes) -> dict[str, Any]:
    """Returns one granularity as plain JSON values; figures have three significant digits."""
    return {
        "granularity": heat.granularity,
        "windows": [str(window) for window in heat.windows],
        "rows": [_row(row, heat.windows, shapes) for row in heat.rows],
    }


def _row(row: Row, windows: Sequence[Window], shapes: Shapes) -> dict[str, Any]:
    cells = [row.cells.get(window) for window in windows]
    return {
        "name": plain(row.column),
        "role": row.role.replace("_", " "),
        "statistic": statistic_name(row.statistic),
        "method": row.method,
        "judged": row.is_judged,
        "value": [rounded(cell.value) if cell else None for cell in cells],
        "limit": _repeated([rounded(cell.limit) if cell else None for cell in cells]),
        "n": _repeated([cell.n if cell else None for cell in cells]),
        "chance": _repeated([rounded(cell.chance, 2) if cell else None for cell in cells]),
        "version": _repeated([cell.table_version if cell else None for cell in cells]),
        "status": "".join(_letter(cell) for cell in cells),
        "reasons": {place: cell.reason for place, cell in enumerate(cells) if cell and cell.value is None},
        "shape": _shape(row.column, windows, shapes),
    }


def _letter(cell: Cell | None) -> str:
    return cell.status.value[0] if cell and cell.status else "-"


def _shape(column: str, windows: Sequence[Window], shapes: Shapes) -> dict[str, Any]:
    baseline = shapes.baseline.get(column)
    known = [shapes.windows.get((column, window.start)) for window in windows]
    if any(shape and shape.items for shape in (baseline, *known)):
        levels = _levels(baseline, known)
        return {
            "levels": [plain(level, 40) for level in levels],
            "baseline": _shares(baseline, levels),
            "windows": [_shares(shape, levels) for shape in known],
        }
    return {"baseline": _quantiles(baseline), "windows": [_quantiles(shape) for shape in known]}


def _levels(baseline: Shape | None, windows: Iterable[Shape | None]) -> list[str]:
    """Returns the levels with the greatest share anywhere, those of the baseline in their order first."""
    most: dict[str, float] = {}
    for shape in (baseline, *windows):
        for level, count in shape.items if shape else ():
            most[level] = max(most.get(level, 0.0), count / max(shape.n if shape else 1, 1))
    kept = sorted(most, key=lambda level: (-most[level], level))[:MOST_LEVELS]
    order = [level for level, _ in baseline.items] if baseline else []
    return sorted(
        kept, key=lambda level: (order.index(level) if level in order else len(order), -most[level])
    )


def _shares(shape: Shape | None, levels: Sequence[str]) -> list[int | None] | None:
    """Returns the share of each level in thousandths; None for one that may be among those left out."""
    if shape is None or not shape.items:
        return None
    counts: Mapping[str, int] = dict(shape.items)
    missing = 0 if shape.is_complete else None
    return [round(1000 * counts[level] / max(shape.n, 1)) if level in counts else missing for level in levels]


def _quantiles(shape: Shape | None) -> list[float | None] | None:
    """Returns the quantiles; None where there are none, or where infinite values would bend the picture."""
    short = [rounded(value) for value in shape.quantiles] if shape else []
    return None if not short or None in short else short


def _repeated(values: list[Any]) -> Any:
    """Returns one value for all where they are the same."""
    return values[0] if values and all(value == values[0] for value in values) else values


def rounded(value: float | None, digits: int = DIGITS) -> float | None:
    """Returns a value with a few significant digits; None for what is no number."""
    if value is None or not isfinite(value):
        return None
    short = float(f"{value:.{digits}g}")
    return int(short) if short.is_integer() and abs(short) < 1e15 else short
