"""A lake that measures by itself gives the signals of a backend that reads the rows."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from lakemon_local.backend import LocalBackend

from lakemon_core.domain.lookback import Lookback
from lakemon_core.domain.names import TableName
from lakemon_core.domain.window import Granularity, Window
from lakemon_core.lifecycle.analyze import analyze
from lakemon_core.lifecycle.lake_monitor import due_in_lake
from lakemon_core.lifecycle.measuring.slices import Slicing
from lakemon_core.lifecycle.monitor import monitor
from lakemon_core.ports import LakeMetrics

CONFIG = """
model:
  {name: m, type: classification, timestamp_col: ts, prediction_proba_col: proba, label_col: late,
   positive_class: "yes"}
environments:
  dev:
    catalog: c
    schema: s
    inference_table: {name: logs}
    monitoring:
      output_schema: monitoring
      granularities: ["1 day"]
      baseline_table: base
      slicing_exprs: ["dest = 'JFK'"]
"""
START = datetime(2026, 3, 1, tzinfo=UTC)
PROFILE = TableName("c", "lake", "logs_profile_metrics")
DRIFT = TableName("c", "lake", "logs_drift_metrics")
OURS = {
    "reasons", "table_version", "config_hash", "method", "intervals", "counts", "label_count",
    "new_categories", "wasserstein_normalized", "psi_chance_level", "tv_chance_level", "js_chance_level",
    "cramers_v", "out_of_range", "new_category_share", "bins", "n", "n_reference",
}  # fmt: skip
NOT_BY_THE_LAKE = {"js_distance", "tv_distance", "l_infinity_distance", "out_of_range"}
"""What Databricks measures for categories only."""


def predictions(days: int, seed: int, shift: float = 0.0) -> pa.Table:
    rng = np.random.default_rng(seed)
    rows = 120 * days
    proba = rng.uniform(size=rows)
    return pa.table({
        "ts": [START + timedelta(minutes=12 * at) for at in range(rows)],
        "model_id": np.where(np.arange(rows) % 3 == 0, "1", "2"),
        "distance": np.round(rng.normal(1000 + shift, 300, rows), 3),
        "dest": rng.choice(["BOS", "JFK", "SFO"], rows, p=[0.5, 0.3, 0.2]),
        "prediction": np.where(proba > 0.5, "yes", "no"),
        "proba": proba,
        "late": np.where(rng.uniform(size=rows) < proba, "yes", "no"),
    })  # fmt: skip


@dataclass
class TableLake:
    """Knows what another backend measured, as far as Databricks' tables would tell."""

    backend: LocalBackend
    context: object
    asked: int = 0
    missing: dict = field(default_factory=dict)

    def bring_up(self, model_type, *, progress) -> LakeMetrics:
        self.asked += 1
        return LakeMetrics(PROFILE, DRIFT, missing=self.missing)

    def rows(self, name, *, columns, slices, where=(), version=None) -> pa.Table:
        rows = self.backend.tables.scan(name, where=where, version=version).read_all()
        slicing = Slicing.of(self.context, rows.schema)
        labelled = slicing.labelled(rows)
        found = labelled.select(columns)
        for label, text in slices.items():
            (one,) = [each for each in slicing.slices if each.key == text]
            found = found.append_column(label, pc.cast(labelled[one.label], pa.string()))
        return found


class MeasuringBackend(LocalBackend):
    lake: TableLake

    @property
    def profiles(self) -> TableLake:
        return self.lake


def as_databricks_tells(rows: pa.Table, quality: set[str]) -> pa.Table:
    """Leaves out the columns that are ours, and what Databricks does not measure for numbers."""
    kept = rows.drop_columns([name for name in rows.column_names if name in OURS | quality])
    if "js_distance" not in kept.column_names:
        return kept
    of_numbers = pc.is_valid(rows["ks_test"])
    for name in NOT_BY_THE_LAKE & set(kept.column_names):
        at = kept.column_names.index(name)
        kept = kept.set_column(at, name, pc.if_else(of_numbers, None, kept[name]))
    return kept


@pytest.fixture
def both(lake):
    """A plain lake, and one that measures by itself, with the same tables."""
    tables = {"logs": predictions(3, 1, shift=90), "base": predictions(5, 2)}
    plain, measuring = lake(CONFIG, **tables), lake(CONFIG, **tables)
    plain.refresh()
    backend = MeasuringBackend(measuring.session.backend.setup)
    backend.lake = TableLake(backend, measuring.context)
    copy_metrics(plain, backend)
    return plain, measuring, backend


def copy_metrics(plain, backend) -> None:
    quality = {name for name, _ in plain.context.model_type.quality_fields()}
    for name in (PROFILE, DRIFT):
        rows = plain.session.backend.tables.scan(replace(name, schema="monitoring")).read_all()
        backend.tables.replace(name, as_databricks_tells(rows, quality), where=[])


def refreshed(measuring, backend):
    context = replace(measuring.context, backend=backend)
    return monitor(context), analyze(context)


def by_place(signals) -> dict:
    return {
        (one.window, one.granularity, one.model_id, one.slice_key, one.slice_value, one.column, one.name,
         one.statistic, one.compare): one
        for one in signals
    }  # fmt: skip


def same(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return one == pytest.approx(other, rel=1e-9, abs=1e-12)


def test_the_signals_are_those_of_the_backend_that_reads_the_rows(both):
    plain, measuring, backend = both
    expected = by_place(plain.refresh()[1].signals)
    _, analyzed = refreshed(measuring, backend)
    found = by_place(analyzed.signals)
    assert found.keys() == expected.keys()
    wrong = []
    for place, signal in expected.items():
        other = found[place]
        if signal.value is not None and other.value is None:
            assert other.statistic in NOT_BY_THE_LAKE, place
            assert other.reason == "the lake measures it for categories only"
            continue
        wrong += [
            (place, name, getattr(other, name), getattr(signal, name))
            for name in ("value", "lower", "upper", "n", "baseline", "p_value", "chance_level", "maturity")
            if not same(getattr(other, name), getattr(signal, name))
        ]
    assert not wrong[:5]
    assert len(found) > 500


def test_new_categories_that_the_lake_cannot_tell_are_null_and_say_why(lake):
    names = [f"city {number}" for number in range(130)]
    rows = predictions(3, 1)
    many = rows.set_column(rows.column_names.index("dest"), "dest", pa.array((names * 3)[: rows.num_rows]))
    plain, measuring = lake(CONFIG, logs=many, base=many), lake(CONFIG, logs=many, base=many)
    plain.refresh()
    backend = MeasuringBackend(measuring.session.backend.setup)
    backend.lake = TableLake(backend, measuring.context)
    copy_metrics(plain, backend)
    _, analyzed = refreshed(measuring, backend)
    told = [one for one in analyzed.signals if one.name == "new_categories" and one.column == "dest"]
    unknown = [one for one in told if one.value is None]
    assert {one.reason for one in unknown} == {
        "the lake keeps the counts of its most frequent categories only"
    }
    assert {one.model_id for one in unknown} == {"*", "1", "2"}


def test_the_same_run_again_asks_the_lake_nothing_and_changes_nothing(both):
    _, measuring, backend = both
    refreshed(measuring, backend)
    before = {str(name): backend.tables.info(name).version for name in backend.tables.list()}
    monitored, _ = refreshed(measuring, backend)
    assert monitored.status == "nothing to do"
    assert backend.lake.asked == 1
    assert before == {str(name): backend.tables.info(name).version for name in backend.tables.list()}


def test_what_the_lake_could_not_make_stands_in_the_detail(both):
    _, measuring, backend = both
    backend.lake.missing = {"dashboard": "we may not make one"}
    monitored, _ = refreshed(measuring, backend)
    assert monitored.detail["not_made"] == {"dashboard": "we may not make one"}


def test_new_rows_bring_up_their_window_and_the_next(both):
    plain, measuring, backend = both
    refreshed(measuring, backend)
    late = predictions(1, 7).slice(0, 10)
    for one in (plain, measuring):
        one.append("logs", late)
    plain.refresh()
    copy_metrics(plain, backend)
    monitored, analyzed = refreshed(measuring, backend)
    first = Window(START, START + timedelta(days=1))
    following = Window(first.end, first.end + timedelta(days=1))
    assert monitored.windows == {"1 day": (first, following)}
    counts = {one.window: one.value for one in analyzed.signals
              if one.name == "row_count" and (one.model_id, one.slice_key) == ("*", None)}  # fmt: skip
    assert counts[first] == 130


def test_windows_of_the_lake_that_begin_on_another_day_are_due_when_they_overlap():
    def week(day: int) -> Window:
        return Window(START + timedelta(days=day), START + timedelta(days=day + 7))

    existing, weeks = [week(0), week(7), week(14), week(21)], Granularity("1 week")
    assert due_in_lake(existing, {week(5)}, weeks) == (week(0), week(7), week(14))
    assert due_in_lake(existing, {week(22)}, weeks) == (week(21),)
    assert due_in_lake(existing, None, weeks) == tuple(existing)
    two_before = Lookback("two_before", windows=2, offset=2)
    assert due_in_lake(existing, {week(0)}, weeks, [two_before]) == (week(0), week(7), week(14), week(21))
    assert due_in_lake(existing, {week(-14)}, weeks, [two_before]) == (week(0), week(7))
