"""The same rows give the same metric rows, however Delta holds them: deletion vectors, partitions …"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from deltalake import DeltaTable, write_deltalake

from lakemon_core.domain.names import TableName
from lakemon_core.lifecycle.monitor import monitor
from lakemon_core.pipeline.result import RunRequest
from lakemon_core.pipeline.session import open_session

CONFIG = """\
model:
  name: m
  type: classification
  prediction_col: p
  prediction_proba_col: q
  label_col: y
  positive_class: "yes"
environments:
  dev:
    catalog: lab
    schema: air
    inference_table: {name: flights}
    monitoring: {baseline_table: training, slicing_exprs: ["x > 0"]}
"""
LOGS, TRAINING = (TableName("lab", "air", name) for name in ("flights", "training"))
TEXTS, NUMBERS = ("p", "y", "city", "model_id"), ("q", "x", "later")
TYPES = dict.fromkeys(TEXTS, "string") | dict.fromkeys(NUMBERS, "double")
TYPES |= {"timestamp": "timestamp", "n": "long"}


def _needing(feature: str) -> dict[str, Any]:
    """The protocol of a table that only those can read who know a feature."""
    features = {"readerFeatures": [feature], "writerFeatures": [feature]}
    return {"minReaderVersion": 3, "minWriterVersion": 7, **features}


def rows(seed: int, count: int) -> pa.Table:
    """Two days of rows with nulls, NaN and infinities; `later` came with the second half."""
    rng = np.random.default_rng(seed)
    start = datetime(2026, 1, 1, tzinfo=UTC)
    at = [start + timedelta(days=2) * row / count for row in range(count)]
    x, q = rng.normal(size=count), rng.random(count)
    x[::17], x[5], x[6] = np.nan, np.inf, -np.inf
    columns = {
        "timestamp": pa.array(at, pa.timestamp("us", "UTC")),
        "p": np.where(q > 0.5, "yes", "no"),
        "y": pa.array(np.where(rng.random(count) < q, "yes", "no"), mask=rng.random(count) < 0.1),
        "q": q,
        "x": pa.array(x, mask=rng.random(count) < 0.1),
        "city": pa.array(rng.choice(["Rome", "Kyōto 'x'"], count), mask=rng.random(count) < 0.1),
        "n": rng.integers(-9, 9, count),
        "model_id": rng.choice(["1", "2"], count),
        "later": pa.array(rng.normal(size=count), mask=np.arange(count) < count // 2),
    }
    return pa.table(columns)


BASELINE, ROWS = rows(1, 400), rows(2, 600)
HALF = len(ROWS) // 2


@pytest.fixture
def held_in_other_ways(delta_folder, column):
    """The same in ways that are told by the types of files, or by the log."""
    fields = [column(name, TYPES[name]) for name in ROWS.schema.names]

    def with_moments_of_spark():
        how = {"use_deprecated_int96_timestamps": True, "row_group_size": 70}
        return delta_folder(fields, [("a.parquet", ROWS, {})], written=how)

    def with_moments_without_zone():
        moments = ROWS["timestamp"].cast(pa.timestamp("us"))
        naive = [column("timestamp", "timestamp_ntz"), *fields[1:]]
        held = ROWS.set_column(0, "timestamp", moments)
        return delta_folder(naive, [("a.parquet", held, {})], protocol=_needing("timestampNtz"))

    def with_features_of_writers():
        names = ["clustering", "domainMetadata", "inCommitTimestamp", "generatedColumns", "changeDataFeed"]
        return delta_folder(
            fields,
            [("a.parquet", ROWS, {})],
            protocol={"minReaderVersion": 1, "minWriterVersion": 7, "writerFeatures": names},
            configuration={"delta.enableInCommitTimestamps": "true", "delta.enableChangeDataFeed": "true"},
        )

    def behind_a_checkpoint():
        folder = delta_folder(fields, [("a.parquet", ROWS.slice(0, HALF), {})])
        write_deltalake(folder, ROWS.slice(HALF), mode="append")
        DeltaTable(folder).create_checkpoint()
        (folder / "_delta_log" / f"{0:020d}.json").unlink()
        return folder

    ways = (with_moments_of_spark, with_moments_without_zone, with_features_of_writers, behind_a_checkpoint)
    return {way.__name__: way for way in ways}


@pytest.fixture
def held(delta_folder, column, deleted_rows, held_otherwise):
    """The rows as a Delta folder that somebody else wrote."""
    fields = [column(name, TYPES[name]) for name in ROWS.schema.names]

    def plain():
        return delta_folder(fields, [("a.parquet", ROWS, {})])

    def with_deletion_vectors():
        strange = ROWS.slice(0, 2).set_column(4, "x", pa.array([1e9, -1e9]))
        first = pa.concat_tables([strange.slice(0, 1), ROWS.slice(0, HALF), strange.slice(1)])
        return delta_folder(
            fields,
            [("a.parquet", first, deleted_rows([0, HALF + 1])), ("b.parquet", ROWS.slice(HALF), {})],
            protocol=_needing("deletionVectors"),
            configuration={"delta.enableDeletionVectors": "true"},
        )

    def with_mapped_names():
        mapped = [
            column(name, TYPES[name], **{"delta.columnMapping.id": number, _PHYSICAL: f"col-{number}"})
            for number, name in enumerate(ROWS.schema.names)
        ]
        physical = ROWS.rename_columns([f"col-{number}" for number in range(len(TYPES))])
        return delta_folder(
            mapped,
            [("a.parquet", physical, {})],
            protocol={"minReaderVersion": 2, "minWriterVersion": 5},
            configuration={"delta.columnMapping.mode": "name", "delta.columnMapping.maxColumnId": "9"},
        )

    def with_a_column_that_came_later():
        old, new = ROWS.slice(0, HALF).drop_columns(["later"]), ROWS.slice(HALF)
        return delta_folder(fields, [("a.parquet", old, {}), ("b.parquet", new, {})])

    def in_partitions():
        files = []
        for model in ("1", "2"):
            kept = ROWS.filter(pc.equal(ROWS["model_id"], model)).drop_columns(["model_id"])
            files.append((f"model_id={model}/a.parquet", kept, {"partitionValues": {"model_id": model}}))
        return delta_folder(fields, files, partitions=["model_id"])

    ways = (plain, with_deletion_vectors, with_mapped_names, with_a_column_that_came_later, in_partitions)
    return held_otherwise | {way.__name__: way for way in ways}


@pytest.fixture
def held_otherwise(delta_folder, column, held_in_other_ways):
    """The same in further ways."""
    fields = [column(name, TYPES[name]) for name in ROWS.schema.names]

    def in_partitions_of_text():
        files = []
        for number, city in enumerate((None, "Rome", "Kyōto 'x'")):
            kept = ROWS.filter(pc.equal(pc.fill_null(ROWS["city"], ""), city or "")).drop_columns(["city"])
            add = {"path": f"{number}/a%20b.parquet", "partitionValues": {"city": city}}
            files.append((f"{number}/a b.parquet", kept, add))
        return delta_folder(fields, files, partitions=["city"])

    ways = (in_partitions_of_text,)
    return held_in_other_ways | {way.__name__: way for way in ways}


_PHYSICAL = "delta.columnMapping.physicalName"


def measured(folder: Path, put: Callable[[Any], object]) -> list[list[dict]]:
    """Measures a table in a workspace of its own, where `put` brings it; returns the metric rows."""
    folder.mkdir()
    (folder / "monitoring_config.yml").write_text(CONFIG, encoding="utf-8")
    with open_session(RunRequest(folder / "monitoring_config.yml")) as session:
        tables = session.backend.tables
        tables.append(TRAINING, BASELINE)
        put(tables)
        monitor(session.context("test"))
        names = (TableName("lab", "monitoring", f"flights_{kind}_metrics") for kind in ("profile", "drift"))
        return [stable(tables.scan(name).read_all().to_pylist()) for name in names]


def stable(rows: list[dict]) -> list[dict]:
    """Rows in one order, exact to the last bit, without the version of the table."""
    kept = [{key: repr(value) for key, value in row.items() if key != "table_version"} for row in rows]
    return sorted(kept, key=lambda row: sorted(row.items()))


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    """What is measured of the table that lakemon wrote itself."""
    return measured(tmp_path_factory.mktemp("own") / "own", lambda tables: tables.append(LOGS, ROWS))


@pytest.mark.parametrize(
    "way",
    [
        "plain",
        "with_deletion_vectors",
        "with_mapped_names",
        "with_a_column_that_came_later",
        "in_partitions",
        "in_partitions_of_text",
        "with_moments_of_spark",
        "with_moments_without_zone",
        "with_features_of_writers",
        "behind_a_checkpoint",
    ],
)
def test_the_same_rows_give_the_same_metric_rows_however_they_are_held(tmp_path, expected, held, way):
    found = measured(tmp_path / "workspace", lambda tables: tables.register(LOGS, held[way]()))
    assert [len(table) for table in found] == [len(table) for table in expected]
    assert all(len(table) > 100 for table in expected)
    for mine, own in zip(found, expected, strict=True):
        for row, other in zip(mine, own, strict=True):
            assert row == other
