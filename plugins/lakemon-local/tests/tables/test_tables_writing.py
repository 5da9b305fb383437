"""Writes under load, under kill -9, next to other writers, and what they leave behind."""

import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from lakemon_local.tables import DeltaTables

from lakemon_core.domain.errors import DataError, UsageError
from lakemon_core.domain.names import TableName
from lakemon_core.ports import Condition

WRITER = """
import sys
from pathlib import Path
import pyarrow as pa
from lakemon_core.domain.names import TableName
from lakemon_local.tables import DeltaTables

root, writer, first, last = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
tables, name = DeltaTables(root), TableName("lab", "air", "flights")
for number in range(first, last):
    rows = pa.table({"writer": [writer] * 3, "number": [number] * 3})
    tables.append(name, rows, batch=(writer, number))
    print(number, flush=True)
"""


def start_writer(root, writer, first, last):
    command = [sys.executable, "-c", WRITER, str(root), writer, str(first), str(last)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def counted(tables, name):
    """How many rows each (writer, number) has."""
    rows = tables.scan(name).read_all().to_pylist()
    counts = {}
    for row in rows:
        key = (row["writer"], row["number"])
        counts[key] = counts.get(key, 0) + 1
    return counts


def test_a_batch_writer_that_is_killed_and_repeats_itself_writes_each_batch_once(tmp_path, name):
    root = tmp_path / "tables"
    acknowledged = 0
    for pause in (0.0, 0.03, 0.06):
        process = start_writer(root, "w", acknowledged, 1000)
        for _ in range(3):
            acknowledged = int(process.stdout.readline()) + 1
        time.sleep(pause)
        process.send_signal(signal.SIGKILL)
        rest = process.communicate()[0].split()
        acknowledged = int(rest[-1]) + 1 if rest else acknowledged
    tables = DeltaTables(root)
    counts = counted(tables, name)
    assert {("w", number) for number in range(acknowledged)} <= set(counts)
    assert set(counts.values()) == {3}


def test_writers_in_several_processes_lose_and_double_nothing(tmp_path, name):
    root = tmp_path / "tables"
    writers = [start_writer(root, f"w{number}", 0, 8) for number in range(3)]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    for writer in writers:
        writer.stdout.close()
    counts = counted(DeltaTables(root), name)
    assert counts == {(f"w{writer}", number): 3 for writer in range(3) for number in range(8)}


def test_a_stream_that_a_delete_overtakes_fails_as_a_whole(tables, name, numbers):
    """The other writer comes between the look at the table and the commit; a stream cannot be asked again."""
    tables.append(name, numbers(0, 4))
    other = DeltaTables(Path(tables.info(name).location).parents[2])

    def rows():
        yield from numbers(10, 12).to_batches()
        other.delete(name, where=[Condition("n", "=", 0)])
        yield from numbers(12, 14).to_batches()

    stream = pa.RecordBatchReader.from_batches(numbers(0, 0).schema, rows())
    with pytest.raises(DataError, match="LM309"):
        tables.append(name, stream)
    assert sorted(tables.scan(name).read_all()["n"].to_pylist()) == [1, 2, 3]
    assert tables.append(name, numbers(10, 14)).inserted == 4


def test_files_that_the_filter_cannot_touch_are_not_read(tables, name, numbers):
    tables.append(name, numbers(0, 10))
    first = next(Path(tables.info(name).location).glob("*.parquet"))
    tables.append(name, numbers(10, 20))
    first.unlink()
    assert tables.scan(name, where=[Condition("n", ">=", 15)]).read_all().num_rows == 5


def test_rows_are_written_as_they_stream_in(tables, name):
    """The source is asked for the next batch only when there is room for it."""
    batch = pa.record_batch({"x": pa.array([0.5] * 10_000)})
    made = []

    def rows():
        for number in range(200):
            made.append(number)
            yield batch

    assert tables.append(name, pa.RecordBatchReader.from_batches(batch.schema, rows())).inserted == 2_000_000
    assert len(made) == 200


def test_an_empty_append_makes_no_version(tables, name, numbers):
    tables.append(name, numbers(0, 3))
    assert not tables.append(name, numbers(0, 0)).changed
    assert tables.info(name).version == 0


def test_a_table_may_be_made_empty_with_its_columns(tables, name, numbers):
    tables.append(name, numbers(0, 0))
    assert tables.scan(name).read_all().equals(numbers(0, 0))


def test_a_column_without_any_value_is_added_with_its_first_one(tables, name):
    tables.append(name, pa.table({"id": ["a"], "label": pa.nulls(1)}))
    assert tables.info(name).schema.names == ["id"]
    tables.append(name, pa.table({"id": ["b"], "label": [1]}))
    assert tables.scan(name).read_all().sort_by("id")["label"].to_pylist() == [None, 1]


def test_a_table_without_any_typed_column_is_refused(tables, name):
    with pytest.raises(DataError, match="LM303"):
        tables.append(name, pa.table({"label": pa.nulls(1)}))
    assert not tables.exists(name)


def test_nested_values_keep_their_fields_and_lose_nothing(tables, name):
    kind = pa.struct({"a": pa.uint16(), "t": pa.timestamp("s")})
    rows = pa.table(
        {
            "s": pa.array([{"a": 65535, "t": datetime(2026, 1, 1)}, None], kind),  # noqa: DTZ001 - naive is UTC
            "m": pa.array([[("x", 1.5)], None], pa.map_(pa.string(), pa.float32())),
            "l": pa.array([["x", None], []], pa.large_list(pa.large_string())),
        }
    )
    tables.append(name, rows)
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    first = tables.scan(name).read_all().to_pylist()[0]
    assert first == {"s": {"a": 65535, "t": moment}, "m": [("x", 1.5)], "l": ["x", None]}
    lossy = pa.table({"s": pa.array([{"a": 1, "b": 2}])})
    with pytest.raises(DataError, match="LM303"):
        tables.append(name, lossy)


@pytest.mark.parametrize("kind", [pa.list_view(pa.int64()), pa.time64("us"), pa.month_day_nano_interval()])
def test_types_without_a_counterpart_are_refused(tables, name, kind):
    with pytest.raises(DataError, match=r"LM303.*'x'"):
        tables.append(name, pa.table({"x": pa.nulls(1, kind)}))


def test_nanoseconds_are_cut_to_microseconds(tables, name):
    moments = pa.array([1_999, -1], pa.timestamp("ns"))
    tables.append(name, pa.table({"t": moments}))
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    read = tables.scan(name).read_all()["t"].to_pylist()
    assert read == [epoch + timedelta(microseconds=1), epoch - timedelta(microseconds=1)]


def test_nanoseconds_of_a_zone_are_kept_where_clocks_go_back(tables, name):
    twice = [datetime(2024, 10, 27, 0, 30, tzinfo=UTC), datetime(2024, 10, 27, 1, 30, tzinfo=UTC)]
    moments = pa.array(twice, pa.timestamp("ns", "UTC")).cast(pa.timestamp("ns", "Europe/Berlin"))
    tables.append(name, pa.table({"t": moments}))
    assert tables.scan(name).read_all()["t"].to_pylist() == twice


@pytest.mark.parametrize(
    "moment", [datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, tzinfo=UTC)]
)
def test_the_first_and_the_last_year_are_kept(tables, name, moment):
    tables.append(name, pa.table({"t": pa.array([moment], pa.timestamp("us", "UTC"))}))
    assert tables.scan(name, where=[Condition("t", "=", moment)]).read_all()["t"].to_pylist() == [moment]


HOSTILE = [
    "a%20b",
    "%2e%2e",
    "[1]",
    "x^y|z",
    "=41",
    "q?r#s",
    "it's",
    'say "x"',
    "é🙂",
    "main",
    "c:d",
    "~",
    "*",
]


@pytest.mark.parametrize("part", HOSTILE)
def test_a_table_may_have_any_name_and_stays_in_its_workspace(tmp_path, tables, numbers, part):
    name = TableName(part, part, part)
    tables.append(name, numbers(0, 3))
    tables.merge(name, numbers(2, 4), on=["n"])
    tables.delete(name, where=[Condition("n", "=", 0)])
    assert list(tables.list()) == [name]
    quoted = ".".join('"' + text.replace('"', '""') + '"' for text in (part, part, part))
    assert tables.query(f"SELECT count(*) AS c FROM {quoted}").to_pylist() == [{"c": 3}]
    assert [path.name for path in tmp_path.iterdir()] == ["workspace"]
    assert [path.name for path in (tmp_path / "workspace").iterdir()] == ["tables"]


def test_a_name_too_long_for_a_folder_is_refused(tables, numbers):
    with pytest.raises(UsageError, match="LM120"):
        tables.append(TableName("c", "s", "%" * 100), numbers(0, 1))


def test_a_workspace_that_delta_cannot_open_is_refused_with_the_reason(tmp_path, name, numbers):
    for folder in ("a[b", "a%20b"):
        with pytest.raises(DataError, match="LM316"):
            DeltaTables(tmp_path / folder).append(name, numbers(0, 1))


@pytest.mark.parametrize("folder", ["two words", "é🙂", "x" * 200, "#?&"])
def test_a_workspace_may_lie_in_any_other_folder(tmp_path, name, numbers, folder):
    tables = DeltaTables(tmp_path / folder)
    tables.append(name, numbers(0, 3))
    assert tables.scan(name).read_all().num_rows == 3


def test_deleting_removes_files_that_no_version_of_the_last_7_days_needs(tables, name, numbers, folder_of):
    tables.append(name, numbers(0, 10))
    tables.append(name, numbers(10, 20))
    tables.delete(name, where=[Condition("n", "<", 10)])
    folder = folder_of(name)
    assert len(list(folder.glob("*.parquet"))) == 2
    version = tables.info(name).version
    eight_days_ago = time.time() - 8 * 86400
    for log in (folder / "_delta_log").glob("*.json"):
        actions = [json.loads(line) for line in log.read_text().splitlines()]
        for action in actions:
            if "remove" in action:
                action["remove"]["deletionTimestamp"] = int(eight_days_ago * 1000)
        log.write_text("\n".join(map(json.dumps, actions)))
    for path in folder.rglob("*.parquet"):
        os.utime(path, (eight_days_ago, eight_days_ago))
    assert tables.changes(name, since=0, columns=["n"]).read_all().num_rows == 20
    assert not tables.delete(name, where=[Condition("n", "<", 10)]).changed
    assert tables.info(name).version == version
    assert len(list(folder.rglob("*.parquet"))) == 1
    assert sorted(tables.scan(name).read_all()["n"].to_pylist()) == list(range(10, 20))
    assert tables.changes(name, since=0, columns=["n"]) is None


def test_an_unknown_version_is_named(tables, name, numbers):
    tables.append(name, numbers(0, 1))
    for version in (1, -1):
        with pytest.raises(DataError, match=rf"LM314.*version {version}"):
            tables.scan(name, version=version)


def test_updates_of_true_false_and_null_keys_meet_the_right_rows(tables, name):
    """Delta's own parser reads `x IS DISTINCT FROM y OR z` wrongly without brackets."""
    kinds = [True, False, None]
    pairs = [(a, b) for a in kinds for b in kinds]
    rows = {"a": pa.array([a for a, _ in pairs]), "b": pa.array([b for _, b in pairs])}
    before = pa.table({**rows, "v": [True] * 9, "w": [False] * 9})
    tables.append(name, before)
    after = pa.table(
        {**rows, "v": [None if at == 4 else True for at in range(9)], "w": [at > 6 for at in range(9)]}
    )
    assert tables.merge(name, after, on=["a", "b"], update=["v", "w"]).updated == 3
    key = [("a", "ascending"), ("b", "ascending")]
    assert tables.scan(name).read_all().sort_by(key).equals(after.sort_by(key))


ENDLESS = """
import sys
from pathlib import Path
import pyarrow as pa
from lakemon_core.domain.names import TableName
from lakemon_local.tables import DeltaTables

batch = pa.record_batch({"n": [1] * 1000})

def rows():
    for number in range(10**9):
        if number == 5:
            print("streaming", flush=True)
        yield batch

tables = DeltaTables(Path(sys.argv[1]))
tables.append(TableName("lab", "air", "flights"), pa.RecordBatchReader.from_batches(batch.schema, rows()))
"""


def test_ctrl_c_ends_a_long_write_and_leaves_nothing_of_it(tmp_path, name, numbers):
    process = subprocess.Popen(
        [sys.executable, "-c", ENDLESS, str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "streaming\n"
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert told.strip().endswith("KeyboardInterrupt")
    tables = DeltaTables(tmp_path)
    assert not tables.exists(name)
    assert tables.append(name, numbers(0, 3)).version == 0


def test_rows_that_are_large_come_in_small_row_groups(tables, name, folder_of):
    """Delta holds a row group in memory, and several times its size."""
    short = TableName("lab", "air", "short")
    long = pa.array([[float(k)] * 1_000 for k in range(6_000)], pa.list_(pa.float64()))
    tables.append(name, pa.table({"long": long}))
    tables.append(short, pa.table({"short": list(range(300_000))}))
    (of_long,), (of_short,) = (list(folder_of(one).glob("*.parquet")) for one in (name, short))
    groups = pq.ParquetFile(of_long).metadata
    rows = [groups.row_group(k).num_rows for k in range(groups.num_row_groups)]
    assert sum(rows) == 6_000
    assert 1_000 <= max(rows) <= 4_500
    assert pq.ParquetFile(of_short).metadata.num_row_groups == 1
