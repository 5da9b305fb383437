"""What types of models that predict numbers share: their keys of `model:`, roles, checks and answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Generic, Self, TypeVar, cast

from pydantic import Field, field_validator, model_validator

from lakemon_core.domain.answers import numbers_of
from lakemon_core.domain.monitor import Roles
from lakemon_core.domain.panels import Dot, Line, LinesPanel, PanelSpec
from lakemon_core.domain.rule import Rule
from lakemon_core.domain.run import Severity
from lakemon_core.ports.measured import Measured
from lakemon_core.ports.model_type import ModelType
from lakemon_core.ports.serving import ModelVersion
from lakemon_core.ports.setting import PluginConfig

if TYPE_CHECKING:
    import pyarrow as pa

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


QUANTILE_COVERAGE = "quantile_coverage"
"""Profile column: level → share of labels at or below that predicted quantile."""

Keys = TypeVar("Keys", bound=NumericModelConfig)


class NumericModelType(ModelType, Generic[Keys]):
    """A type of models that predict a number; its `Config` is a `NumericModelConfig`.

    Attributes:
        keys: the validated config.
    """

    def __init__(self, config: PluginConfig) -> None:
        super().__init__(config)
        assert isinstance(config, self.Config)
        self.keys = cast("Keys", config)

    def roles(self) -> Roles:
        """Columns with a part of the type alone, such as quantiles, are no features."""
        return self.keys.roles()

    def quality_columns(self) -> Sequence[str]:
        """The predicted quantiles."""
        return tuple(self.keys.quantile_cols.values())

    def rules_with_labels(self) -> Sequence[Rule]:
        """Default rules once there are labels: a bias of a tenth, and intervals that hold too few labels."""
        if not self.keys.label_col:
            return ()
        rules = [Rule("relative_bias", 0.1, severity=Severity.WARNING, default=True)]
        if self.keys.interval:
            low, high = self.keys.interval
            limit = round(high - low - 0.1, 6)
            rules.append(Rule("coverage", limit, severity=Severity.WARNING, default=True))
        return tuple(rules)

    def panels(self, measured: Measured) -> Sequence[PanelSpec]:
        """Shows whether predicted quantiles hold as many labels as they promise, where there are any."""
        newest = measured.newest(QUANTILE_COVERAGE)
        if newest is None:
            return ()
        lines = [Line(f"window of {newest.window}", _by_level(newest.values[QUANTILE_COVERAGE]))]
        if measured.baseline.get(QUANTILE_COVERAGE):
            lines.append(Line("baseline", _by_level(measured.baseline[QUANTILE_COVERAGE])))
        return (
            LinesPanel(
                f"{self.type}.quantiles",
                "Do predicted quantiles hold what they promise?",
                lines,
                x_title="promised share of labels below",
                y_title="observed share",
                is_square=True,
                order=30,
                note="On the diagonal they do. Below it labels lie higher than predicted, above it lower.",
            ),
        )

    def check_predictions(self, rows: pa.Table) -> Sequence[str]:
        """Looks for predictions and quantiles that are missing, infinite or no numbers, and for crossings."""
        from lakemon_core.profiling.quality.readings import prediction_problems

        return tuple(prediction_problems(rows, self.keys.prediction_col, self.keys.quantile_cols))

    def unpack(self, prediction: object, model: ModelVersion | None) -> Mapping[str, object]:
        """Takes a number, a list or dict of one, or a dict with the configured columns."""
        del model
        return numbers_of(prediction, self.keys.prediction_col, tuple(self.keys.quantile_cols.values()))


def _by_level(shares: object) -> tuple[Dot, ...]:
    """Returns a map level → share as points; Arrow hands maps over as pairs."""
    pairs = cast(
        "Iterable[tuple[str, float | None]]", dict(cast("Iterable[tuple[str, float]]", shares)).items()
    )
    return tuple(Dot(float(level), share) for level, share in sorted(pairs, key=lambda pair: float(pair[0])))
