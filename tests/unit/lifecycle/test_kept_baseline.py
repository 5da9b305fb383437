"""The measured baseline is kept: the next run does not read its rows, and no number tells the difference."""

import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from lakemon_core.domain.names import TableName
from lakemon_core.hookspecs import RunContext
from lakemon_core.lifecycle.measuring.memory import LIBRARIES
from lakemon_core.lifecycle.monitor import monitor

FIRST_DAY = datetime(2026, 3, 2, tzinfo=UTC)
CONFIG = """\
model: {name: delays, type: classification, model_id_col: version, prediction_proba_col: proba,
        label_col: late}
environments:
  dev:
    catalog: c
    schema: s
    inference_table: {name: logs}
    monitoring:
      baseline_table: training
      slicing_exprs: [city, "age > 30"]
"""
TRAINING = TableName("c", "s", "training")


def trips(seed: int, rows: int, day: int | None = None) -> pa.Table:
    """Numbers with nulls, NaN and ties, integers beyond 2^53, texts, times and Booleans."""
    rng = np.random.default_rng(seed)
    late = rng.random(rows) < 0.5
    miles = rng.normal(100, 20, rows)
    miles[:3] = [np.nan, -0.0, np.inf] if day is None else 0.0
    moments = [FIRST_DAY + timedelta(days=day or 0, seconds=second) for second in range(rows)]
    columns = {
        "miles": pa.array(miles, mask=rng.random(rows) < 0.1),
        "age": pa.array(rng.integers(20, 40, rows)),
        "ticket": pa.array(2**60 + rng.integers(0, 2 * rows, rows)),
        "city": pa.array(rng.choice(["Rome", "Oslo", "Kyōto"], rows, p=[0.5, 0.4, 0.1])),
        "guest": pa.array([f"guest {number}" for number in rng.integers(0, 2 * rows, rows)]),
        "version": pa.array(rng.choice(["1", "2"], rows)),
        "prediction": pa.array(np.where(rng.random(rows) < 0.8, late, ~late)),
        "proba": pa.array(rng.random(rows)),
        "late": pa.array(late, mask=rng.random(rows) < 0.2),
        "shipped": pa.array([moment - timedelta(hours=seed) for moment in moments]),
        "empty": pa.nulls(rows, pa.string()),
    }
    at = {} if day is None else {"timestamp": pa.array(moments, pa.timestamp("us", "UTC"))}
    return pa.table({**at, **columns})


DAYS = [trips(day, 120 + 10 * day, day) for day in range(4)]
BASELINE = trips(99, 300)


@pytest.fixture
def shop(lake):
    """Three days measured, and a fourth that has arrived."""
    made = lake(CONFIG, logs=pa.concat_tables(DAYS[:3]), training=BASELINE)
    monitor(made.context)
    made.append("logs", DAYS[3])
    return made


@pytest.fixture
def read(monkeypatch):
    """Columns of the baseline that are read, but for the one by which its rows are counted."""
    columns: list[str] = []

    def watch(lake):
        tables = lake.session.backend.tables
        scan = tables.scan

        def watched(name, **asked):
            reader = scan(name, **asked)
            if name == TRAINING and asked.get("views"):
                columns.extend(asked["columns"])
            return reader

        monkeypatch.setattr(tables, "scan", watched)
        return columns

    return watch


def metric_rows(lake, of_day: int | None = None) -> list[str]:
    """Rows of both metric tables, all or those of one day, as texts in order, without versions of tables."""
    rows = [row for kind in ("profile", "drift") for row in lake.rows(f"logs_{kind}_metrics")]
    if of_day is not None:
        start = FIRST_DAY + timedelta(days=of_day)
        rows = [row for row in rows if row["window"] and row["window"]["start"] == start]
    assert len(rows) > 100
    return sorted(repr(row | {"table_version": None, "config_hash": None}) for row in rows)


@pytest.fixture(scope="module")
def once() -> list[list[str]]:
    """Keeps what all tests compare with."""
    return []


@pytest.fixture
def whole(lake, once) -> list[str]:
    """What measuring all four days from nothing gives."""
    if not once:
        made = lake(CONFIG, logs=pa.concat_tables(DAYS), training=BASELINE)
        monitor(made.context)
        once.append(metric_rows(made))
    return once[0]


def changed(context: RunContext, **values: object) -> RunContext:
    """Returns the run with other values in `monitoring`."""
    monitoring = replace(context.monitor.monitoring, **values)
    return replace(context, monitor=replace(context.monitor, monitoring=monitoring))


def kept(lake) -> list[Path]:
    """The folders of what is kept, each of one version and config."""
    return sorted(lake.session.backend.setup.workspace.glob("cache/*/*/*"))


def test_the_rows_of_the_baseline_are_not_read_again_and_all_metrics_are_the_same(shop, read, whole):
    columns = read(shop)
    assert monitor(shop.context).detail["windows"] == 1
    assert columns == []
    assert metric_rows(shop) == whole


def flipped(content: bytes, place: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[: len(content) // 2],
        lambda content: content + b"more",
        lambda content: b"another1" + content[8:],
        lambda content: flipped(content, 12),
        lambda content: flipped(content, 60),
        lambda content: flipped(content, len(content) // 2),
        lambda content: bytes(len(content)),
    ],
    ids=["empty", "torn", "longer", "format", "length", "header", "array", "zeros"],
)
def test_a_damaged_file_is_no_error_and_no_number(shop, read, whole, damage):
    (folder,) = kept(shop)
    largest = max(folder.iterdir(), key=lambda path: path.stat().st_size)
    largest.write_bytes(damage(largest.read_bytes()))
    columns = read(shop)
    monitor(shop.context)
    assert "miles" in columns
    assert metric_rows(shop) == whole

    columns.clear()
    shop.append("logs", trips(4, 130, 4))
    assert monitor(shop.context).detail["windows"] == 1
    assert columns == []


def test_without_the_folder_all_is_measured(shop, read, whole):
    shutil.rmtree(shop.session.backend.setup.workspace / "cache")
    columns = read(shop)
    monitor(shop.context)
    assert "miles" in columns
    assert metric_rows(shop) == whole


def test_where_nothing_can_be_kept_a_run_goes_on(lake, whole):
    made = lake(CONFIG, logs=pa.concat_tables(DAYS[:3]), training=BASELINE)
    workspace = made.session.backend.setup.workspace
    (workspace / "cache").write_text("no folder")
    monitor(made.context)
    made.append("logs", DAYS[3])
    monitor(made.context)
    assert metric_rows(made) == whole


def test_another_version_of_the_baseline_is_measured_and_takes_the_place_of_the_old_one(shop, lake):
    (old,) = kept(shop)
    shop.append("training", trips(7, 100))
    assert monitor(shop.context).detail["windows"] == 4
    (new,) = kept(shop)
    assert new.parent != old.parent
    fresh = lake(CONFIG, logs=pa.concat_tables(DAYS), training=BASELINE)
    fresh.append("training", trips(7, 100))
    monitor(fresh.context)
    assert metric_rows(shop) == metric_rows(fresh)


def test_another_table_of_the_same_name_and_version_is_another_baseline(shop, lake):
    shutil.rmtree(Path(shop.session.backend.tables.info(TRAINING).location))
    shop.append("training", trips(7, 300))
    monitor(shop.context)
    fresh = lake(CONFIG, logs=pa.concat_tables(DAYS), training=trips(7, 300))
    monitor(fresh.context)
    assert metric_rows(shop, of_day=3) == metric_rows(fresh, of_day=3)


def test_another_config_has_groups_of_its_own(shop, lake):
    def sliced(context: RunContext) -> RunContext:
        return changed(context, slicing_exprs=("guest",))

    monitor(sliced(shop.context))
    assert len(kept(shop)) == 2
    fresh = lake(CONFIG, logs=pa.concat_tables(DAYS), training=BASELINE)
    monitor(sliced(fresh.context))
    assert metric_rows(shop) == metric_rows(fresh)


class CountedTurns:
    """Progress that counts how often the one window that is due is measured."""

    windows = 0

    def update(self, what: str, done: int | None = None, total: int | None = None) -> None:
        self.windows += what.startswith("measuring windows")


def test_columns_in_turns_are_kept_turn_by_turn(lake, read, whole):
    made = lake(CONFIG, logs=pa.concat_tables(DAYS[:3]), training=BASELINE)
    monitor(changed(made.context, memory=LIBRARIES + 400_000))
    made.append("logs", DAYS[3])
    columns = read(made)
    turns = CountedTurns()
    monitor(replace(changed(made.context, memory=LIBRARIES + 400_000), progress=turns))
    assert turns.windows > 1
    assert columns == []
    assert metric_rows(made) == whole


def test_a_model_type_that_learns_from_the_baseline_gets_its_rows(shop, monkeypatch):
    learned = []
    monkeypatch.setattr(
        type(shop.context.model_type),
        "fit_baseline",
        lambda _, rows: learned.append(len(rows)),
        raising=False,
    )
    monitor(shop.context)
    assert learned == [300]
