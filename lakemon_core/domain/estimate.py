"""A number with what it rests on."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Estimate:
    """A metric of one group of rows.

    Attributes:
        value: None when it cannot be computed.
        n: rows it rests on.
        interval: its 95 % interval; None without a value and where one row or group is all there is.
        reason: why there is no value, or what it leaves out.
    """

    value: float | None
    n: int = 0
    interval: tuple[float, float] | None = None
    reason: str = ""

    @classmethod
    def unknown(cls, reason: str, n: int = 0) -> Estimate:
        """A metric that cannot be computed."""
        return cls(None, n, reason=reason)

    def noting(self, left_out: str) -> Estimate:
        """The same, with what it leaves out as its reason where it has none yet."""
        return replace(self, reason=self.reason or left_out)

    @property
    def complement(self) -> Estimate:
        """One less the value, e.g. a skill from a ratio of errors."""
        if self.value is None:
            return self
        ends = (1 - self.interval[1], 1 - self.interval[0]) if self.interval else None
        return replace(self, value=1 - self.value, interval=ends)

    def times(self, factor: float) -> Estimate:
        """The value and its interval times a positive number."""
        if self.value is None:
            return self
        ends = (self.interval[0] * factor, self.interval[1] * factor) if self.interval else None
        return replace(self, value=self.value * factor, interval=ends)
