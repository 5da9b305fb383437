"""The picture of an incident for its messages: the number that breached, over its windows."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from lakemon_core.domain.incident import Incident
from lakemon_core.domain.rule import Verdict
from lakemon_core.ports import QualityMetric
from lakemon_core.report.rendering import can_render, png
from lakemon_core.report.trends import trend_of
from lakemon_core.report.vega import trend_document

MOST_WINDOWS = 60
"""The newest windows that a picture shows."""

SCALE = 1.5
"""Dots a pixel: sharp on most screens, and about 80 kB."""

MOST_PICTURES = 20
"""Pictures that one run draws; of more incidents the messages go out without."""

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Pictures:
    """Draws incidents by what the rules said of their windows; whatever goes wrong, messages go out.

    Attributes:
        metrics: of the model type.
        drawn: fingerprint → picture, so that two audiences of one incident see the same.
    """

    metrics: Sequence[QualityMetric]
    drawn: dict[str, bytes | None] = field(default_factory=dict[str, bytes | None])

    @property
    def missing(self) -> str:
        """Why nothing is drawn; empty when it can be."""
        return "" if can_render() else 'left out: pip install "lakemon[render]"'

    def of(self, incident: Incident, verdicts: Sequence[Verdict]) -> bytes | None:
        """Returns the PNG of an incident; None where there is nothing to draw or nothing to draw it with.

        Args:
            verdicts: of all rules on all windows.
        """
        name = incident.fingerprint
        if name not in self.drawn:
            if self.missing or len(self.drawn) >= MOST_PICTURES:
                return None
            try:
                self.drawn[name] = self._draw(incident, verdicts)
            except Exception as error:  # noqa: BLE001 - a message without its picture is worth more than none
                _log.warning("the chart of %s was left out: %s", name, error)
                self.drawn[name] = None
        return self.drawn[name]

    def _draw(self, incident: Incident, verdicts: Sequence[Verdict]) -> bytes | None:
        own = [one for one in verdicts if one.fingerprint == incident.fingerprint]
        began = [(incident.opened_at, incident.title)] if incident.opened_at else []
        trend = trend_of(own, self.metrics, began)
        if trend is None or all(point.value is None for point in trend.points):
            return None
        return png(trend_document(replace(trend, points=trend.points[-MOST_WINDOWS:])), scale=SCALE)
