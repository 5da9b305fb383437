"""The keys of `model:` that models of numbers have; a type adds its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from lakemon_core.domain.monitor import Roles
from lakemon_core.ports.setting import PluginConfig

ColumnName = Annotated[str, Field(min_length=1)]
Level = Annotated[float, Field(gt=0, lt=1)]


class NumericModelConfig(PluginConfig):
    """Columns of a model that predicts a number."""

    timestamp_col: ColumnName = Field("timestamp", description="Event time of the prediction.")
    model_id_col: ColumnName = Field("model_id", description="Version of the model that answered.")
    prediction_col: ColumnName = Field("prediction", description="The predicted number.")
    label_col: ColumnName | None = Field(None, description="The true number; may arrive late.")
    quantile_cols: dict[Level, ColumnName] = Field(
        default_factory=dict, description="Columns of predicted quantiles by level, e.g. {0.1: lo, 0.9: hi}."
    )
    features: tuple[str, ...] = Field((), description="Inputs; default: all columns without another role.")
    categorical: tuple[str, ...] = Field(
        (), description="Columns to treat as categories whatever their type."
    )
    request_id_col: ColumnName = Field("request_id", description="Id of the scoring request.")
    row_index_col: ColumnName = Field("row_index", description="Position of the row in its request.")

    @field_validator("quantile_cols")
    @classmethod
    def _by_level(cls, columns: dict[float, str]) -> dict[float, str]:
        return dict(sorted(columns.items()))

    @model_validator(mode="after")
    def _one_part_a_column(self) -> Self:
        seen: dict[str, str] = {}
        for key, column in self.parts():
            if column in seen:
                raise ValueError(f"{key} and {seen[column]} both name column {column!r}")
            seen[column] = key
        for column in self.features:
            if column in seen:
                raise ValueError(f"features lists {column!r}, which is {seen[column]}")
        return self

    def parts(self) -> Iterator[tuple[str, str]]:
        """Yields each key that names a column that is no feature, with the column."""
        for key in ("timestamp", "model_id", "prediction", "label", "request_id", "row_index"):
            if column := getattr(self, f"{key}_col"):
                yield f"{key}_col", column
        for level, column in self.quantile_cols.items():
            yield f"quantile_cols.{level:g}", column

    @property
    def interval(self) -> tuple[float, float] | None:
        """The lowest and the highest level, where they lie on both sides of the median; else None."""
        levels = list(self.quantile_cols)
        return (levels[0], levels[-1]) if levels and levels[0] < 0.5 < levels[-1] else None

    def roles(self) -> Roles:
        """Returns which column plays which part; what has a part of the type alone is in `others`."""
        common = {
            self.timestamp_col, self.model_id_col, self.prediction_col, self.label_col,
            self.request_id_col, self.row_index_col,
        }  # fmt: skip
        return Roles(
            timestamp=self.timestamp_col,
            model_id=self.model_id_col,
            prediction=self.prediction_col,
            label=self.label_col,
            features=self.features,
            categorical=self.categorical,
            request_id=self.request_id_col,
            row_index=self.row_index_col,
            others=tuple(column for _, column in self.parts() if column not in common),
        )
