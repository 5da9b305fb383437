"""The keys of `model:` that a forecasting model has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Self

from pydantic import Field, model_validator

from lakemon_core.ports import NumericModelConfig

_Column = Annotated[str, Field(min_length=1)]


class ForecastingConfig(NumericModelConfig):
    """Columns of a table with one row for each series, origin, horizon and target time."""

    timestamp_col: _Column = Field("timestamp", description="Target time: the time that is forecast.")
    label_col: _Column | None = Field(
        None, description="The actual; arrives when the target time has passed."
    )
    series_col: _Column | None = Field(None, description="The series; without it all rows are one.")
    series_cols: tuple[_Column, ...] = Field((), description="The series, where several columns name it.")
    horizon_col: _Column | None = Field(None, description="Steps from the origin to the target time.")
    issued_at_col: _Column | None = Field(None, description="Origin: when the forecast was made.")
    season_length: int = Field(
        1, ge=1, description="Steps in a season, e.g. 7 for days with a weekly pattern."
    )

    @model_validator(mode="after")
    def _series_once(self) -> Self:
        if self.series_col and self.series_cols:
            raise ValueError("series_col and series_cols are both set; keep one of them")
        return self

    @property
    def series(self) -> tuple[str, ...]:
        """The columns that name a series; none when all rows are one."""
        return (self.series_col,) if self.series_col else self.series_cols

    def parts(self) -> Iterator[tuple[str, str]]:
        """Yields each key that names a column that is no feature, with the column."""
        yield from super().parts()
        key = "series_col" if self.series_col else "series_cols"
        yield from ((key, column) for column in self.series)
        if self.horizon_col:
            yield "horizon_col", self.horizon_col
        if self.issued_at_col:
            yield "issued_at_col", self.issued_at_col
