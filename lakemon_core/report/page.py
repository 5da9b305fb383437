"""The page: data in, one self-contained HTML file out."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from lakemon_core.alerting.wording import moment, number
from lakemon_core.domain.names import plain
from lakemon_core.domain.window import Window
from lakemon_core.report.charts import split_chart, trend_chart
from lakemon_core.report.facts import Facts, Shapes
from lakemon_core.report.headline import MEASURED, Change, Headline, changes, headline
from lakemon_core.report.heat import HeatMap, heat_map
from lakemon_core.report.panels import Shown, shown
from lakemon_core.report.parts import (
    MOST_COLUMNS,
    ColumnQuality,
    Split,
    Version,
    column_quality,
    splits,
    versions,
)
from lakemon_core.report.payload import packed, view_document
from lakemon_core.report.trends import Trend, quality_trends, volume_trends

MOST_ROWS = 60
"""Windows of a table below a chart."""

MOST_FINDINGS = 12
"""Findings that are shown at once; the others unfold."""

ASSETS = Path(__file__).parent / "assets"
"""Template, style sheet and script of the page."""

TEMPLATE = "page.html.jinja"


@dataclass(frozen=True, slots=True)
class View:
    """What the page shows of one granularity."""

    granularity: str
    quality: Sequence[Trend]
    volume: Sequence[Trend]
    splits: Sequence[Split]
    metrics: Sequence[str]
    versions: Sequence[Version]
    checks: Sequence[str]
    checked: Window | None
    columns: Sequence[ColumnQuality]
    heat: HeatMap
    document: dict[str, Any]
    panels: Sequence[Shown] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """Everything that the template lays out."""

    facts: Facts
    headline: Headline
    changes: Sequence[Change]
    views: Sequence[View]
    panels: Sequence[Shown] = ()

    @classmethod
    def of(cls, facts: Facts) -> Page:
        """Lays out facts, one view a granularity."""
        granularities = [str(one) for one in facts.monitor.monitoring.granularities]
        views = [_view(facts, one) for one in granularities]
        return cls(facts, headline(facts), changes(facts), views, shown(facts.contributions))

    def html(self) -> str:
        """Returns the file's text. It asks for nothing from any network, which its own policy forbids."""
        style, script = _asset("page.css"), _asset("page.js")
        template = page_templates().get_template(TEMPLATE)
        return template.render(
            **self.values(),
            style=Markup(style),  # noqa: S704 - a file of this package
            script=Markup(script),  # noqa: S704 - a file of this package
            policy=f"default-src 'none'; style-src {_digest(style)}; script-src {_digest(script)};"
            " img-src data:; base-uri 'none'; form-action 'none'",
        )

    def values(self) -> dict[str, Any]:
        """Returns what the template, or one that extends it, lays out; policy, style and script apart."""
        model = self.facts.monitor.model
        return {
            "page": self,
            "facts": self.facts,
            "data": packed({"views": [view.document for view in self.views]}),
            "trend_chart": trend_chart,
            "split_chart": split_chart,
            "measured": MEASURED,
            "most_rows": MOST_ROWS,
            "most_columns": MOST_COLUMNS,
            "most_findings": MOST_FINDINGS,
            "is_forecast": bool(model and model.type == "forecasting"),
        }


def page_templates(*folders: Path) -> Environment:
    """Returns the environment that knows the page's template and its filters.

    Args:
        folders: of further templates, which may extend the page's.
    """
    environment = Environment(
        loader=FileSystemLoader([*folders, str(ASSETS)]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"plain": plain, "number": _number, "moment": moment, "words": _words}
    return environment


def _view(facts: Facts, granularity: str) -> View:
    checks, checked, columns = column_quality(facts, granularity)
    metrics, known = versions(facts, granularity)
    heat = heat_map(facts, granularity)
    return View(
        granularity=granularity,
        quality=quality_trends(facts, granularity),
        volume=volume_trends(facts, granularity),
        splits=splits(facts, granularity),
        metrics=metrics,
        versions=known,
        checks=checks,
        checked=checked,
        columns=columns,
        heat=heat,
        document=view_document(heat, facts.shapes.get(granularity, Shapes())),
        panels=shown(facts.contributions, granularity),
    )


def _asset(name: str) -> str:
    return (ASSETS / name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    """Returns the source expression by which a policy allows exactly this text."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _number(value: float | None) -> str:
    return "\N{EN DASH}" if value is None else number(float(value))


def _words(name: str) -> str:
    return plain(name.replace("_", " "))
