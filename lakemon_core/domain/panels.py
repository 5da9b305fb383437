"""Panels of the report: what plugins and model types add to it, as data and never as HTML.

A panel is one of a few kinds; the page draws it, in light and dark, for eyes and for screen readers. Texts
may come from data: they are shown as mere text. `problem_of` says what a page refuses to draw.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import isfinite
from numbers import Real
from typing import TypeGuard

Cell = str | int | float | bool | datetime | None
"""What a table may hold; None is shown as a dash."""

Place = float | datetime
"""Where a point stands on the horizontal axis."""

MOST_ROWS, MOST_COLUMNS = 500, 20
"""Of a table."""

MOST_LINES, MOST_POINTS = 6, 2_000
"""Of a panel of lines; points of one line."""

MOST_BARS = 60
MOST_CLASSES = 30
"""Rows, and columns, of a matrix."""

MOST_PARAGRAPHS, MOST_CHARACTERS = 20, 2_000
"""Of a text; characters of one paragraph."""

MOST_PANELS = 20
"""Panels of one plugin."""

LARGEST = 1e100
"""Numbers further from 0 are refused."""


@dataclass(frozen=True, slots=True)
class PanelSpec:
    """What every panel has; use one of the kinds below.

    Attributes:
        id: unique among the panels of its plugin, e.g. `hello.rows`.
        title: heading.
        order: panels of one place are sorted by it, then by id.
        note: how it was computed, on how many rows: one sentence, shown below.
    """

    id: str
    title: str
    order: int = field(default=100, kw_only=True)
    note: str = field(default="", kw_only=True)


@dataclass(frozen=True, slots=True)
class NumberPanel(PanelSpec):
    """One number that deserves to be large.

    Attributes:
        value: None where it is not known; say why in `reason`.
        unit: behind the number, e.g. `rows` or `%`.
        limit: what it is held against.
        baseline: the same number on the baseline.
        is_bad: it is beyond its limit.
        reason: why there is no value.
    """

    value: float | None
    unit: str = field(default="", kw_only=True)
    limit: float | None = field(default=None, kw_only=True)
    baseline: float | None = field(default=None, kw_only=True)
    is_bad: bool = field(default=False, kw_only=True)
    reason: str = field(default="", kw_only=True)


@dataclass(frozen=True, slots=True)
class TextPanel(PanelSpec):
    """Sentences, one paragraph each."""

    paragraphs: Sequence[str]


@dataclass(frozen=True, slots=True)
class TablePanel(PanelSpec):
    """Rows and columns; every row has as many cells as there are columns."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]


@dataclass(frozen=True, slots=True)
class Dot:
    """One point of a line.

    Attributes:
        x: a number, or a moment; all points of a panel have the same kind.
        y: None leaves a gap.
        lower: lower end of its interval.
        upper: upper end.
        n: rows it rests on.
        label: what it is called; default its x.
    """

    x: Place
    y: float | None
    lower: float | None = None
    upper: float | None = None
    n: int | None = None
    label: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a panel, in the order of its points."""

    name: str
    points: Sequence[Dot]


@dataclass(frozen=True, slots=True)
class LinesPanel(PanelSpec):
    """Numbers along numbers, or along time.

    Attributes:
        lines: the first one is the one that matters.
        x_title: what lies along the horizontal axis.
        y_title: what lies along the vertical axis.
        limit: a level that is drawn as a limit.
        is_square: both axes are the same, and points belong on the diagonal, as of a reliability diagram.
    """

    lines: Sequence[Line]
    x_title: str = field(default="", kw_only=True)
    y_title: str = field(default="", kw_only=True)
    limit: float | None = field(default=None, kw_only=True)
    is_square: bool = field(default=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Bar:
    """One part beside others, with its number, its 95 % interval and the rows it rests on."""

    name: str
    value: float | None
    lower: float | None = None
    upper: float | None = None
    n: int | None = None


@dataclass(frozen=True, slots=True)
class BarsPanel(PanelSpec):
    """One number of each of several parts, in the order given.

    Attributes:
        bars: the parts.
        value_title: what the number is.
        whole: the same number of all parts together, drawn as a line.
        limit: a level that is drawn as a limit.
    """

    bars: Sequence[Bar]
    value_title: str = field(default="", kw_only=True)
    whole: float | None = field(default=None, kw_only=True)
    limit: float | None = field(default=None, kw_only=True)


@dataclass(frozen=True, slots=True)
class MatrixPanel(PanelSpec):
    """A number for each pair, e.g. a confusion matrix; darker cells hold more.

    Attributes:
        rows: names of the rows.
        columns: names of the columns.
        cells: one list a row, as long as `columns`; None is shown as a dash.
        row_title: what the rows are.
        column_title: what the columns are.
        unit: behind each number, e.g. `%`.
        is_by_row: a cell is as dark as its share of its row; else as its share of the largest number.
    """

    rows: Sequence[str]
    columns: Sequence[str]
    cells: Sequence[Sequence[float | None]]
    row_title: str = field(default="", kw_only=True)
    column_title: str = field(default="", kw_only=True)
    unit: str = field(default="", kw_only=True)
    is_by_row: bool = field(default=False, kw_only=True)


def problem_of(panel: PanelSpec) -> str:
    """Says why a panel cannot be drawn: what has the wrong type, is no finite number, or is too much.

    Returns:
        one sentence without a full stop; empty when all is well.
    """
    try:
        return _of_head(panel) or _of_body(panel)
    except (TypeError, ValueError, AttributeError) as error:
        return f"its data do not fit a {type(panel).__name__}: {error}"


def _of_head(panel: PanelSpec) -> str:
    if not _texts([panel.id, panel.title, panel.note]):
        return "its id, title or note is not text"
    if not panel.id or not panel.title:
        return "it has no id or no title"
    return "" if _is_number(panel.order) else "its order is not a number"


def _of_body(panel: PanelSpec) -> str:
    match panel:
        case NumberPanel():
            return _numbers("number", [panel.value, panel.limit, panel.baseline])
        case TextPanel():
            return _of_text(panel.paragraphs)
        case TablePanel():
            return _of_table(panel)
        case LinesPanel():
            return _of_lines(panel)
        case BarsPanel():
            return _of_bars(panel)
        case MatrixPanel():
            return _of_matrix(panel)
        case _:
            return f"{type(panel).__name__} is no kind of panel that a page knows"


def _of_text(paragraphs: Sequence[str]) -> str:
    if isinstance(paragraphs, str) or not _texts(paragraphs):
        return "its paragraphs are not a list of texts"
    longest = max((len(one) for one in paragraphs), default=0)
    return _too_many("paragraphs", len(paragraphs), MOST_PARAGRAPHS) or _too_many(
        "characters in a paragraph", longest, MOST_CHARACTERS
    )


def _of_table(panel: TablePanel) -> str:
    size = _too_many("columns", len(panel.columns), MOST_COLUMNS) or _too_many(
        "rows", len(panel.rows), MOST_ROWS
    )
    if size:
        return size
    if not _texts(panel.columns):
        return "its columns are not names"
    for place, row in enumerate(panel.rows):
        if isinstance(row, str) or len(row) != len(panel.columns):
            return f"row {place} has not one cell for each of its {len(panel.columns)} columns"
        strange = next((cell for cell in row if not _is_cell(cell)), None)
        if strange is not None:
            return f"row {place} holds a {type(strange).__name__}"
    return _numbers("table", [cell for row in panel.rows for cell in row if isinstance(cell, float)])


def _of_lines(panel: LinesPanel) -> str:
    most = max((len(line.points) for line in panel.lines), default=0)
    size = _too_many("lines", len(panel.lines), MOST_LINES) or _too_many(
        "points in a line", most, MOST_POINTS
    )
    if size:
        return size
    dots = [dot for line in panel.lines for dot in line.points]
    if not _texts([line.name for line in panel.lines]) or not _texts([dot.label for dot in dots]):
        return "a name of a line or point is not text"
    in_time = [isinstance(dot.x, datetime) for dot in dots]
    if any(in_time) and not all(in_time):
        return "some of its points stand at moments and some at numbers"
    if any(dot.x.tzinfo is None for dot in dots if isinstance(dot.x, datetime)):
        return "a moment has no time zone"
    places = [dot.x for dot in dots if not isinstance(dot.x, datetime)]
    ends = [end for dot in dots for end in (dot.y, dot.lower, dot.upper)]
    return _numbers("line", [*places, *ends, panel.limit])


def _of_bars(panel: BarsPanel) -> str:
    if not _texts([bar.name for bar in panel.bars]):
        return "a name of a bar is not text"
    values = [end for bar in panel.bars for end in (bar.value, bar.lower, bar.upper)]
    return _too_many("bars", len(panel.bars), MOST_BARS) or _numbers(
        "bar", [*values, panel.whole, panel.limit]
    )


def _of_matrix(panel: MatrixPanel) -> str:
    size = _too_many("rows", len(panel.rows), MOST_CLASSES) or _too_many(
        "columns", len(panel.columns), MOST_CLASSES
    )
    if size:
        return size
    if not _texts([*panel.rows, *panel.columns]):
        return "a name of a row or column is not text"
    if len(panel.cells) != len(panel.rows) or any(len(row) != len(panel.columns) for row in panel.cells):
        return "it has not one cell for each pair of row and column"
    return _numbers("matrix", [cell for row in panel.cells for cell in row])


def _numbers(what: str, values: Sequence[object]) -> str:
    for value in values:
        if value is None:
            continue
        if not _is_number(value):
            return f"a {what} holds {type(value).__name__}, not a number"
        if not isfinite(float(value)) or abs(value) > LARGEST:
            return f"a {what} holds {value}: leave out what cannot be drawn"
    return ""


def _is_number(value: object) -> TypeGuard[float]:
    """Whether it counts: NumPy's numbers do, truth values do not."""
    return not isinstance(value, bool) and isinstance(value, Real)


def _is_cell(value: object) -> bool:
    return value is None or isinstance(value, (str, bool, datetime)) or _is_number(value)


def _texts(values: Sequence[object]) -> bool:
    return all(isinstance(value, str) for value in values)


def _too_many(what: str, count: int, most: int) -> str:
    return f"it has {count:,} {what}, at most {most:,} are shown" if count > most else ""
