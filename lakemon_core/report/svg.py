"""The shapes of all charts: a scale from data to pixels, lines, dots and texts with classes, no colours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

from markupsafe import Markup, escape

WIDTH, HEIGHT = 440, 190
LEFT, RIGHT, TOP, BOTTOM = 52, 10, 12, 26


@dataclass(frozen=True, slots=True)
class Scale:
    """A line from data to pixels."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Returns the pixel of a value, rounded to a tenth."""
        share = (value - self.low) / (self.high - self.low)
        return round(self.start + share * (self.end - self.start), 1)

    @classmethod
    def over(cls, values: Sequence[float], start: float, end: float) -> Scale:
        """Returns a scale with some room beyond the values."""
        known = [value for value in values if isfinite(value)] or [0.0, 1.0]
        low, high = min(known), max(known)
        room = (high - low) * 0.06 or abs(high) * 0.1 or 1.0
        return cls(low if low == 0 else low - room, high + room, start, end)

    def ticks(self, count: int = 4) -> list[float]:
        """Returns round numbers within the scale, about `count` of them."""
        from math import floor, log10

        rough = (self.high - self.low) / count
        power = 10.0 ** floor(log10(rough))
        step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)
        first = int(self.low // step) + 1
        ticks = [round(step * place, 12) for place in range(first - 1, first + count * 2 + 2)]
        return [tick for tick in ticks if self.low <= tick <= self.high]


def svg(parts: Sequence[Markup], label: str, height: float) -> Markup:
    """Returns a picture with what it shows in words."""
    body = Markup("").join(parts)
    return Markup('<svg viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
        WIDTH, height, label, body
    )


def line(x1: float, y1: float, x2: float, y2: float, kind: str) -> Markup:
    """Returns a straight line."""
    return Markup('<path class="{}" d="M{} {}L{} {}"/>').format(kind, x1, y1, x2, y2)


def dot(x: float, y: float, kind: str, title: str) -> Markup:
    """Returns a dot that says what it is when it is pointed at."""
    return Markup('<circle class="{}" cx="{}" cy="{}" r="3.5"><title>{}</title></circle>').format(
        kind, x, y, title
    )


def text(x: float, y: float, words: str, kind: str, title: str = "") -> Markup:
    """Returns a text, with more to say when it is pointed at."""
    told = Markup("<title>{}</title>").format(title) if title else Markup("")
    return Markup('<text class="{}" x="{}" y="{}">{}{}</text>').format(kind, x, y, escape(words), told)
