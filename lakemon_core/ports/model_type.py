"""What a kind of model needs: the class that the author of a model type implements."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from lakemon_core.domain.estimate import Estimate
from lakemon_core.domain.monitor import Roles
from lakemon_core.domain.panels import PanelSpec
from lakemon_core.domain.rule import Rule
from lakemon_core.ports.measured import Measured
from lakemon_core.ports.serving import ModelVersion
from lakemon_core.ports.setting import API_VERSION, PluginConfig

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class QualityMetric:
    """A quality metric of a model type.

    Attributes:
        name: as rules name it, e.g. `roc_auc`.
        higher_is_better: the direction.
        column: profile column it is stored in, e.g. `roc_auc_score`.
        path: fields inside that column when it is a struct, e.g. `("macro",)`.
        two_sided: 0 is best and both sides are bad, as of a bias; a rule without `op` judges the distance
            from 0.
        adds_up_as: name of the metric whose changes are split over slices to explain those of this one: its
            own for a mean over rows, `mse` for `rmse`; empty where slices do not add up to the whole.
    """

    name: str
    higher_is_better: bool
    column: str
    path: tuple[str, ...] = ()
    two_sided: bool = False
    adds_up_as: str = ""


@dataclass(frozen=True, slots=True)
class QualityResult:
    """Quality of one group of rows.

    Attributes:
        values: profile column → value, for the columns of `ModelType.quality_fields`.
        n: rows with a label.
        rows: all rows.
        reasons: profile column → why its value is None.
        intervals: metric name → 95 % interval, for the metrics that have one.
        counts: metric name → rows its value rests on, for the metrics where that is not `n`.
    """

    values: Mapping[str, object]
    n: int
    rows: int
    reasons: Mapping[str, str] = field(default_factory=dict[str, str])
    intervals: Mapping[str, tuple[float, float]] = field(default_factory=dict[str, tuple[float, float]])
    counts: Mapping[str, int] = field(default_factory=dict[str, int])

    @classmethod
    def of(
        cls,
        estimates: Mapping[str, Estimate],
        metrics: Sequence[QualityMetric],
        values: Mapping[str, object],
        *,
        n: int,
        rows: int,
    ) -> QualityResult:
        """Makes the result from estimates.

        Args:
            estimates: profile column → estimate.
            metrics: of the model type: they name intervals and counts.
            values: further profile columns.
            n: rows with a label.
            rows: all rows.
        """
        named = {metric.name: estimates[metric.column] for metric in metrics if metric.column in estimates}
        return cls(
            {**{column: one.value for column, one in estimates.items()}, **values},
            n,
            rows,
            {column: one.reason for column, one in estimates.items() if one.reason},
            {name: one.interval for name, one in named.items() if one.interval is not None},
            {name: one.n for name, one in named.items() if one.n != n},
        )


class ModelType(ABC):
    """What a kind of model needs; entry-point group `lakemon.model_types`.

    `Config` holds the keys of `model:` that belong to the type.
    """

    lakemon_api: ClassVar[int] = API_VERSION
    type: ClassVar[str]
    Config: ClassVar[type[PluginConfig]]
    problem_type: ClassVar[str] = ""
    """Databricks' InferenceProblemType, without its prefix; empty where there is none."""

    def __init__(self, config: PluginConfig) -> None:
        self.config = config

    @abstractmethod
    def roles(self) -> Roles:
        """Which column plays which part."""

    @property
    @abstractmethod
    def metrics(self) -> Sequence[QualityMetric]:
        """The quality metrics that rules may name."""

    @abstractmethod
    def quality_fields(self) -> Sequence[tuple[str, pa.DataType]]:
        """The profile columns that `quality` fills, in order."""

    def quality_columns(self) -> Sequence[str]:
        """Columns that `quality` reads besides prediction, probability and label, if they are there."""
        return ()

    def slices(self) -> Sequence[str]:
        """Slices that this type always has, as Databricks SQL; those of the config come after them."""
        return ()

    def fit_baseline(self, rows: pa.Table) -> None:
        """Learns from the baseline what `quality` needs to know of it; called once before a refresh measures.

        Args:
            rows: the baseline, with those of `quality_columns`, label, prediction and features that it has.
        """
        del rows

    @abstractmethod
    def quality(self, rows: pa.Table) -> QualityResult:
        """Measures one group of rows; a value that cannot be computed is None with its reason."""

    def quality_of_groups(
        self, rows: pa.Table, parts: Sequence[slice], groups: Sequence[Sequence[int]]
    ) -> Sequence[QualityResult]:
        """Measures many groups of the rows of one table; as it is, each by `quality`.

        Override it where it pays to read or sort rows once for all groups that hold them. It must answer what
        `quality` answers of the rows of each group.

        Args:
            rows: part after part; some may be in none.
            parts: from which row to which each part goes; each has rows, and they share none.
            groups: of each group the numbers of its parts, at least one; a part may belong to many groups.

        Returns:
            one result a group, in order.
        """
        from lakemon_core.profiling.parts import group_tables

        return [self.quality(whole) for whole in group_tables(rows, parts, groups)]

    @abstractmethod
    def default_rules(self) -> Sequence[Rule]:
        """What is judged when the config has no `alerts:`."""

    def panels(self, measured: Measured) -> Sequence[PanelSpec]:
        """Returns what the report shows of this type beside its metrics over time: pure, data, no HTML.

        Args:
            measured: of one granularity; empty where nothing was measured yet.
        """
        del measured
        return ()

    @abstractmethod
    def check_predictions(self, rows: pa.Table) -> Sequence[str]:
        """Says what is wrong with predictions, one sentence each; empty when all is well."""

    @abstractmethod
    def unpack(self, prediction: object, model: ModelVersion | None) -> Mapping[str, object]:
        """Turns one element of a response's `predictions` into columns of the inference table.

        Raises:
            ValueError: when the shape is not understood; the message says what came.
        """
