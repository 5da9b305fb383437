"""What every model type must do, as tests: subclass `ModelTypeContract` and give it yours.

class TestMyModelType(ModelTypeContract):
    name = "my-type"

    @pytest.fixture
    def model_type(self):
        return MyModelType(MyModelType.Config(label_col="label"))

    @pytest.fixture
    def rows(self):
        return pa.table({"prediction": [1.0, 2.0, …], "label": [1.5, 2.5, …]})
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, ClassVar

import pytest

from lakemon_core.config.shape.rules import METRICS
from lakemon_core.domain.panels import problem_of
from lakemon_core.domain.window import Window
from lakemon_core.ports import (
    API_VERSION,
    Distribution,
    Measured,
    MeasuredWindow,
    ModelType,
    PluginConfig,
    QualityMetric,
    QualityResult,
)
from lakemon_core.testing.hooks import HEAVY, imported_by

if TYPE_CHECKING:
    import pyarrow as pa

_START, _DAY = datetime(2026, 1, 1, tzinfo=UTC), timedelta(days=1)


class ModelTypeContract:
    """A suite for one model type. A subclass has two fixtures.

    `model_type`: the type, opened with a config that names a label. `rows`: an Arrow table of at least 20
    rows that this config describes, all with predictions and labels that are possible.

    Attributes:
        name: of the entry point in the group `lakemon.model_types`.
    """

    name: ClassVar[str]

    def test_its_type_is_the_name_of_its_entry_point(self, model_type: ModelType) -> None:
        """The config finds it by this name."""
        (entry,) = entry_points(group="lakemon.model_types", name=self.name)
        assert entry.load() is type(model_type)
        assert model_type.type == self.name

    def test_it_was_written_for_this_version_of_the_interface(self, model_type: ModelType) -> None:
        """A type of another version is not loaded."""
        assert model_type.lakemon_api == API_VERSION

    def test_its_settings_refuse_unknown_keys(self, model_type: ModelType) -> None:
        """A misspelt key is an error, not a surprise."""
        assert issubclass(model_type.Config, PluginConfig)
        assert model_type.Config.model_config.get("extra") == "forbid"

    def test_importing_it_is_light(self) -> None:
        """Its module is imported before anything is measured."""
        (entry,) = entry_points(group="lakemon.model_types", name=self.name)
        assert not imported_by(entry.module) & HEAVY

    def test_its_roles_name_columns_of_the_rows(self, model_type: ModelType, rows: pa.Table) -> None:
        """Prediction and label, for these rows have both."""
        roles = model_type.roles()
        assert {roles.prediction, roles.label} <= set(rows.column_names)

    def test_every_metric_has_a_name_of_its_own_and_a_column(self, model_type: ModelType) -> None:
        """Rules find a metric by its name, and its value in a profile column that `quality` fills."""
        fields = dict(model_type.quality_fields())
        names = [metric.name for metric in model_type.metrics]
        assert names
        assert len(names) == len(set(names))
        for metric in model_type.metrics:
            kind = fields[metric.column]
            for part in metric.path:
                kind = kind.field(part).type

    def test_what_it_measures_fits_its_columns(self, model_type: ModelType, rows: pa.Table) -> None:
        """Each value has the declared type, or is None with its reason; every row has a label."""
        import pyarrow as pa

        model_type.fit_baseline(rows)
        found = model_type.quality(rows)
        fields = dict(model_type.quality_fields())
        assert found.values.keys() <= fields.keys()
        for column, value in found.values.items():
            pa.array([value], fields[column])
        assert (found.n, found.rows) == (len(rows), len(rows))
        assert _without_reason(found, model_type) == []
        assert any(value is not None for value in found.values.values())

    def test_without_labels_nothing_is_guessed(self, model_type: ModelType, rows: pa.Table) -> None:
        """No row counts as labelled, and what needs labels is None with its reason."""
        found = model_type.quality(rows.drop_columns([str(model_type.roles().label)]))
        assert (found.n, found.rows) == (0, len(rows))
        assert _without_reason(found, model_type) == []

    def test_no_rows_are_no_error(self, model_type: ModelType, rows: pa.Table) -> None:
        """An empty window is measured as such."""
        found = model_type.quality(rows.slice(0, 0))
        assert (found.n, found.rows) == (0, 0)
        assert _without_reason(found, model_type) == []

    def test_the_order_of_rows_changes_nothing(self, model_type: ModelType, rows: pa.Table) -> None:
        """Nobody promises an order."""
        import pyarrow as pa

        model_type.fit_baseline(rows)
        forth = model_type.quality(rows)
        back = model_type.quality(rows.take(pa.array(range(len(rows) - 1, -1, -1))))
        for column, value in forth.values.items():
            other = back.values[column]
            if isinstance(value, float) and isinstance(other, float):
                assert math.isclose(value, other, rel_tol=1e-9, abs_tol=1e-12), column

    def test_groups_are_measured_together_as_one_by_one(self, model_type: ModelType, rows: pa.Table) -> None:
        """`quality_of_groups` answers what `quality` does of each group; parts may be left out."""
        import pyarrow as pa

        model_type.fit_baseline(rows)
        third = len(rows) // 3
        parts = [slice(0, third), slice(third, 2 * third), slice(2 * third, len(rows) - 1)]
        groups = [(0, 1, 2), (1,), (0, 2)]
        found = model_type.quality_of_groups(rows, parts, groups)
        assert len(found) == len(groups)
        for group, one in zip(groups, found, strict=True):
            spans = [parts[number] for number in group]
            tables = [rows.slice(span.start, span.stop - span.start) for span in spans]
            alone = model_type.quality(pa.concat_tables(tables))
            assert (one.n, one.rows, one.reasons) == (alone.n, alone.rows, alone.reasons)
            for name in ("values", "intervals", "counts"):
                assert _alike(getattr(one, name), getattr(alone, name)), name

    def test_what_adds_up_over_slices_adds_up(self, model_type: ModelType, rows: pa.Table) -> None:
        """A metric that adds up as itself is the mean of two halves by the rows they rest on."""
        model_type.fit_baseline(rows)
        middle = len(rows) // 3
        whole, *parts = map(model_type.quality, (rows, rows.slice(0, middle), rows.slice(middle)))
        names = {metric.name for metric in model_type.metrics}
        for metric in model_type.metrics:
            assert metric.adds_up_as in {"", *names}
            if metric.adds_up_as != metric.name:
                continue
            (value, _), *halves = (_resting(metric, found) for found in (whole, *parts))
            total = sum(count for _, count in halves)
            if value is not None and total:
                mean = sum((half or 0.0) * count for half, count in halves) / total
                assert math.isclose(value, mean, rel_tol=1e-9, abs_tol=1e-12), metric.name

    def test_its_rules_judge_what_is_measured(self, model_type: ModelType) -> None:
        """They hold where the config has no rules, and say so."""
        known = {*METRICS, *(metric.name for metric in model_type.metrics)}
        for rule in model_type.default_rules():
            assert rule.default
            assert rule.metric.partition(".")[0] in known

    def test_its_panels_can_be_drawn(self, model_type: ModelType, rows: pa.Table) -> None:
        """Of windows that were measured, with ids of their own; and nothing measured yet is no error."""
        model_type.fit_baseline(rows)
        values = dict(model_type.quality(rows).values)
        windows = [
            MeasuredWindow(Window(_DAY * day + _START, _DAY * (day + 1) + _START), values) for day in (0, 1)
        ]
        column = model_type.roles().prediction
        spread = {column: Distribution(len(rows), (0.0, 1.0, 2.0))}
        panels = list(model_type.panels(Measured("1 day", windows, values, (), spread)))
        assert [(panel.id, problem_of(panel)) for panel in panels if problem_of(panel)] == []
        assert len({panel.id for panel in panels}) == len(panels)
        assert all(problem_of(panel) == "" for panel in model_type.panels(Measured("1 day")))

    def test_possible_predictions_are_found_well(self, model_type: ModelType, rows: pa.Table) -> None:
        """And missing ones are not."""
        import pyarrow as pa

        assert list(model_type.check_predictions(rows)) == []
        column = model_type.roles().prediction
        place = rows.column_names.index(column)
        missing = rows.set_column(place, column, pa.nulls(len(rows), rows[column].type))
        assert all(model_type.check_predictions(missing))
        assert model_type.check_predictions(missing)

    def test_an_answer_that_is_no_prediction_is_refused(self, model_type: ModelType) -> None:
        """With a ValueError that says what came."""
        with pytest.raises(ValueError, match=r"\S"):
            model_type.unpack({"nothing": {"of": "the kind"}}, None)


def _resting(metric: QualityMetric, found: QualityResult) -> tuple[float | None, int]:
    """Returns the value of a metric, and the rows it rests on."""
    value = found.values.get(metric.column)
    for part in metric.path:
        value = value[part] if isinstance(value, dict) else None
    count = found.counts.get(metric.name, found.n)
    return (float(value), count) if isinstance(value, float) else (None, 0)


def _alike(one: object, other: object) -> bool:
    """Whether values are the same, but for the last digits of numbers."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(_alike(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(_alike, one, other))
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12)
    return one == other


def _without_reason(found: QualityResult, model_type: ModelType) -> list[str]:
    """Returns the metrics that have no value, without a word."""
    return [
        metric.name
        for metric in model_type.metrics
        if found.values.get(metric.column) is None and not found.reasons.get(metric.column)
    ]
