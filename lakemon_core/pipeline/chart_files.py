"""The charts of a report as files: each once as PNG, for messages and slides, and once as SVG."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from lakemon_core.domain.charts import VegaLite
from lakemon_core.domain.errors import WorkspaceError
from lakemon_core.ports import Progress
from lakemon_core.report.page import Page
from lakemon_core.report.rendering import demand_rendering, png, svg
from lakemon_core.report.vega import drift_document, split_document, trend_document

__all__ = ["demand_rendering", "write_charts"]


def write_charts(page: Page, folder: Path, progress: Progress) -> list[Path]:
    """Writes every chart of a page into a folder, which is made; returns the files.

    Raises:
        UsageError: LM189 when `lakemon[render]` is not installed.
        WorkspaceError: LM641 when a file cannot be written.
    """
    documents = list(_documents(page))
    written: list[Path] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for place, (name, document) in enumerate(documents):
            progress.update("drawing charts", place, len(documents))
            dots, lines = folder / f"{name}.png", folder / f"{name}.svg"
            dots.write_bytes(png(document))
            lines.write_text(svg(document), encoding="utf-8")
            written += [dots, lines]
    except OSError as error:
        reason = error.strerror or str(error)
        raise WorkspaceError(
            "LM641",
            f"a chart cannot be written: {reason};",
            where=str(folder),
            cure="name another folder with --charts.",
        ) from None
    return written


def _documents(page: Page) -> Iterator[tuple[str, VegaLite]]:
    """Yields the name of each file without its ending, and what it shows."""
    taken: set[str] = set()
    for view in page.views:
        if view.heat.rows:
            yield _name(taken, view.granularity, "drift"), drift_document(view.heat)
        for trend in (*view.quality, *view.volume):
            yield _name(taken, view.granularity, trend.title), trend_document(trend)
        for split in view.splits:
            yield _name(taken, view.granularity, split.title), split_document(split)


def _name(taken: set[str], *parts: str) -> str:
    """Returns a file name that any system takes, once."""
    words = re.sub(r"[^a-z0-9]+", "-", " ".join(parts).lower()).strip("-")[:80]
    name, number = words, 2
    while name in taken:
        name, number = f"{words}-{number}", number + 1
    taken.add(name)
    return name
