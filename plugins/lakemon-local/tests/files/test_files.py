"""Files of any size go into tables and tables into files, whole, once and without loss."""

import gzip
import json
from datetime import UTC, date, datetime

import pyarrow as pa
import pyarrow.csv as pcsv
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest
from lakemon_local.files import DeltaFiles
from lakemon_local.tables import DeltaTables

from lakemon_core.domain.errors import DataError
from lakemon_core.domain.names import TableName

NAME = TableName("lab", "air", "flights")
ROWS = 150_000


class Told:
    """Keeps what it was told."""

    def __init__(self):
        self.all = []

    def update(self, what, done=None, total=None):
        self.all.append((what, done, total))


@pytest.fixture
def tables(tmp_path):
    return DeltaTables(tmp_path / "tables")


@pytest.fixture
def told():
    return Told()


@pytest.fixture
def bring(tables, told):
    """Imports a file."""

    def import_file(path, mode="append", name=NAME):
        return DeltaFiles(tables).import_file(name, path, mode=mode, progress=told)

    return import_file


@pytest.fixture
def take(tables, told):
    """Exports a table."""
    return lambda path, name=NAME: DeltaFiles(tables).export_file(name, path, progress=told)


@pytest.fixture
def write(tmp_path):
    """Writes a text file."""

    def write_text(name, text):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8", newline="")
        return path

    return write_text


@pytest.fixture(scope="module")
def flights():
    start = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
    moments = pa.array([int((start + second) * 1e6) for second in range(ROWS)], pa.timestamp("us", "UTC"))
    return pa.table(
        {
            "id": pa.array(range(ROWS), pa.int64()),
            "ts": moments,
            "delay": pa.array([None if n % 7 == 0 else n / 4 for n in range(ROWS)]),
            "carrier": [("AA", 'Ü, "x"', "line\nbreak")[n % 3] for n in range(ROWS)],
            "late": pa.array([n % 2 == 0 for n in range(ROWS)]),
        }
    )


def as_parquet(rows, path):
    pq.write_table(rows, path, row_group_size=40_000)


def as_arrow_stream(rows, path):
    with pa.ipc.new_stream(str(path), rows.schema) as stream:
        stream.write_table(rows)


WRITERS = {
    "x.parquet": as_parquet,
    "x.feather": feather.write_feather,
    "x.arrow": lambda rows, path: feather.write_feather(rows, path, compression="uncompressed"),
    "x.ipc": as_arrow_stream,
    "x.csv": pcsv.write_csv,
}


@pytest.mark.parametrize("file", WRITERS)
def test_a_file_is_imported_whole(tmp_path, tables, bring, told, flights, file):
    WRITERS[file](flights, tmp_path / file)
    result = bring(tmp_path / file)
    assert (result.inserted, result.version) == (ROWS, 0)
    assert tables.scan(NAME).read_all().sort_by("id").equals(flights)
    assert any(f"reading {file}" in what for what, *_ in told.all)
    assert [done for what, done, _ in told.all if "importing" in what][-1] == ROWS


@pytest.mark.parametrize("ending", ["parquet", "csv", "arrow", "feather", "ipc"])
def test_what_was_exported_is_imported_as_it_was(tmp_path, tables, bring, take, flights, ending):
    tables.append(NAME, flights)
    copy = NAME.sibling(suffix="_copy")
    assert take(tmp_path / f"out.{ending}") == ROWS
    bring(tmp_path / f"out.{ending}", name=copy)
    assert tables.scan(copy).read_all().sort_by("id").equals(flights)


def test_the_same_file_again_changes_nothing_whatever_the_mode(bring, write):
    path = write("a.csv", "n\n1\n2\n")
    assert bring(path).inserted == 2
    for mode in ("append", "replace", "create"):
        result = bring(path, mode)
        assert (result.changed, result.version) == (False, 0)


def test_a_file_with_new_content_and_a_copy_elsewhere_are_other_files(bring, write):
    path = write("a.csv", "n\n1\n")
    bring(path)
    assert bring(write("a.csv", "n\n2\n")).inserted == 1
    assert bring(write("b.csv", "n\n2\n")).inserted == 1
    assert not bring(path).changed


def test_replace_puts_a_file_in_the_place_of_all_rows(tables, bring, write):
    first, second = write("a.csv", "n\n1\n2\n"), write("b.csv", "n\n3\n")
    bring(first)
    assert bring(second, "replace").deleted == 2
    assert tables.scan(NAME).read_all()["n"].to_pylist() == [3]
    assert bring(first).inserted == 2
    assert bring(second, "replace").deleted == 3
    assert not bring(second, "replace").changed
    assert tables.scan(NAME).read_all()["n"].to_pylist() == [3]


def test_create_refuses_a_table_that_is_there(bring, write):
    bring(write("a.csv", "n\n1\n"), "create")
    with pytest.raises(DataError, match="LM323"):
        bring(write("b.csv", "n\n2\n"), "create")


def test_a_missing_file_is_named_with_its_nearest(tmp_path, bring, write):
    write("flights.csv", "n\n1\n")
    with pytest.raises(DataError, match=r'LM320.*flihgts\.csv.*"flights\.csv"'):
        bring(tmp_path / "flihgts.csv")
    with pytest.raises(DataError, match="LM320"):
        bring(tmp_path / "nowhere" / "x.csv")


@pytest.mark.parametrize("name", ["x.xlsx", "x", "parquet"])
def test_an_unknown_ending_is_named_with_those_that_are_known(bring, write, name):
    with pytest.raises(DataError, match=r"LM321.*\.parquet, \.csv"):
        bring(write(name, "n\n1\n"))


@pytest.mark.parametrize(
    ("name", "text", "what"),
    [
        ("x.csv", "a,b\n1,2\n3\n", "Row #3: Expected 2 columns, got 1"),
        ("x.csv", "a,b\n" + "1,2\n" * 500_000 + "3\n", "Row #500002"),
        ("x.csv", "", "Empty CSV file"),
        ("x.parquet", "PAR1 but not really", "Parquet"),
        ("x.arrow", "nothing", ""),
    ],
)
def test_a_file_that_cannot_be_read_is_named_with_the_place(tables, bring, write, name, text, what):
    path = write(name, text)
    with pytest.raises(DataError, match=f"LM322.*{what}") as caught:
        bring(path)
    assert caught.value.where == str(path)
    assert not tables.exists(NAME)


def test_text_that_is_not_utf_8_is_named_with_the_row(tmp_path, bring):
    path = tmp_path / "x.csv"
    path.write_bytes(b"a\nok\n\xff\xfe\n")
    with pytest.raises(DataError, match=r"LM322.*Row #3.*UTF8"):
        bring(path)


def test_a_file_that_breaks_in_the_middle_leaves_the_table_as_it_was(tmp_path, tables, bring, flights):
    tables.append(NAME, flights.slice(0, 10))
    as_parquet(flights, tmp_path / "x.parquet")
    data = bytearray((tmp_path / "x.parquet").read_bytes())
    data[len(data) // 2 : len(data) // 2 + 5000] = bytes(5000)
    (tmp_path / "x.parquet").write_bytes(data)
    with pytest.raises(DataError, match="LM322"):
        bring(tmp_path / "x.parquet")
    assert tables.info(NAME).version == 0


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["1", "-2", ""], pa.int64()),
        (["1", "2.5"], pa.float64()),
        (["nan", "1e3", "inf"], pa.float64()),
        (["true", "False"], pa.bool_()),
        (["2026-01-01"], pa.date32()),
        (["2026-01-01", "2026-01-01 10:00"], pa.timestamp("us", "UTC")),
        (["2026-01-01T10:00:00.123Z", "2026-01-01T10:00:00+02:00"], pa.timestamp("us", "UTC")),
        (["2026-01-01T10:00:00Z", "2026-01-01 10:00"], pa.string()),
        (["1", "x"], pa.string()),
        (["007", "8"], pa.string()),
        (["-0", "0", "0.5"], pa.float64()),
        (["0x10"], pa.string()),
        (["9223372036854775807"], pa.string()),
        (["true", "1"], pa.string()),
        (["NA", "3", "NULL", "None"], pa.int64()),
        (['"NA"'], pa.string()),
    ],
)
def test_a_csv_column_gets_the_narrowest_type_that_fits_all_its_values(tables, bring, write, values, kind):
    bring(write("x.csv", "v,w\n" + "".join(f"{value},1\n" for value in values)))
    assert tables.info(NAME).schema.field("v").type == kind


def test_a_value_far_down_the_file_decides_too(tables, bring, write):
    lines = ["n,d,t"] + ["1,2026-01-01,"] * 900_000 + ["1.5,2026-01-01 10:00:00,x"]
    bring(write("x.csv", "\n".join(lines)))
    assert tables.info(NAME).schema.equals(
        pa.schema({"n": pa.float64(), "d": pa.timestamp("us", "UTC"), "t": pa.string()})
    )
    assert tables.query(
        "SELECT count(*) AS c, count(t) AS t, max(n) AS m FROM lab.air.flights"
    ).to_pylist() == [{"c": 900_001, "t": 1, "m": 1.5}]


def test_an_empty_field_is_null_and_quotes_without_text_are_text(tables, bring, write):
    bring(write("x.csv", 'n,t\n1,\n2,""\n3,"NA"\n4,NA\n'))
    read = tables.scan(NAME).read_all().sort_by("n")["t"].to_pylist()
    assert read == [None, "", "NA", None]


def test_a_text_column_of_the_table_stays_text(tables, bring, write):
    bring(write("x.csv", "zip\nA1\n"))
    bring(write("y.csv", "zip\n10115\n"))
    assert sorted(tables.scan(NAME).read_all()["zip"].to_pylist()) == ["10115", "A1"]


def test_a_type_that_does_not_fit_the_table_is_refused(tables, bring, write):
    bring(write("x.csv", "n\n1\n"))
    with pytest.raises(DataError, match=r"LM303.*'n'.*double.*bigint"):
        bring(write("y.csv", "n\n1.5\n"))
    with pytest.raises(DataError, match=r"LM303.*'n'.*string.*bigint"):
        bring(write("z.csv", "n\nmany\n"))
    assert tables.info(NAME).version == 0


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_the_header_says_what_separates_the_columns(tables, bring, write, mark):
    bring(write("x.csv", f"a{mark}b\n1{mark}x\n"))
    assert tables.scan(NAME).read_all().to_pylist() == [{"a": 1, "b": "x"}]


def test_a_compressed_file_and_a_byte_order_mark_are_understood(tmp_path, tables, bring):
    path = tmp_path / "x.csv.gz"
    path.write_bytes(gzip.compress("\ufeffa,b\r\n1,x\r\n".encode()))
    bring(path)
    assert tables.scan(NAME).read_all().to_pylist() == [{"a": 1, "b": "x"}]


def test_doubled_headers_are_refused(bring, write):
    with pytest.raises(DataError, match="LM311"):
        bring(write("x.csv", "a,a\n1,2\n"))


def test_nested_values_become_json_in_csv(tmp_path, tables, take):
    window = pa.array([{"start": datetime(2026, 1, 1, tzinfo=UTC)}, None])
    maps = pa.array([[("x", 1.5)], []], pa.map_(pa.string(), pa.float64()))
    tables.append(
        NAME, pa.table({"window": window, "q": [[1.0, None], None], "m": maps, "b": [b"\x00\xff", None]})
    )
    take(tmp_path / "out.csv")
    read = pcsv.read_csv(tmp_path / "out.csv").to_pylist()
    assert json.loads(read[0]["window"]) == {"start": "2026-01-01 00:00:00+00:00"}
    assert json.loads(read[0]["q"]) == [1.0, None]
    assert json.loads(read[0]["m"]) == [["x", 1.5]]
    assert read[0]["b"] == "00ff"


def test_an_export_that_fails_leaves_the_old_file_and_no_other(tmp_path, tables, take, flights):
    tables.append(NAME, flights)
    target = tmp_path / "out" / "x.parquet"
    target.parent.mkdir()
    target.write_text("precious")
    next((tmp_path / "tables").rglob("*.parquet")).unlink()
    with pytest.raises(DataError, match="LM309"):
        take(target)
    assert [path.read_text() for path in target.parent.iterdir()] == ["precious"]


def test_an_export_into_a_folder_that_is_not_there_says_so(tmp_path, tables, take, flights):
    tables.append(NAME, flights.slice(0, 1))
    with pytest.raises(DataError, match="LM324"):
        take(tmp_path / "nowhere" / "x.csv")
    with pytest.raises(DataError, match="LM321"):
        take(tmp_path / "x.xlsx")
    with pytest.raises(DataError, match="LM301"):
        take(tmp_path / "x.csv", NAME.sibling(suffix="s"))


def test_a_parquet_export_has_large_row_groups(tmp_path, tables, take, flights):
    """The small batches of a scan are joined."""
    tables.append(NAME, flights)
    take(tmp_path / "x.parquet")
    assert pq.ParquetFile(tmp_path / "x.parquet").num_row_groups <= 3


def test_a_delta_folder_is_used_in_place(tmp_path, tables, bring, flights):
    theirs = DeltaTables(tmp_path / "theirs")
    theirs.append(NAME, flights)
    folder = tmp_path / "theirs" / "lab" / "air" / "flights"
    here = NAME.sibling(table="here")
    assert bring(folder, name=here).inserted == ROWS
    assert not bring(folder, name=here).changed
    assert tables.info(here).location == str(folder)
    theirs.append(NAME, flights.slice(0, 1))
    assert tables.scan(here).read_all().num_rows == ROWS + 1


def test_a_folder_without_a_delta_table_is_refused(tmp_path, bring):
    with pytest.raises(DataError, match=r"LM322.*no Delta table"):
        bring(tmp_path)


def test_dates_decimals_and_dictionaries_of_parquet_are_kept(tmp_path, tables, bring):
    rows = pa.table(
        {"d": [date(2026, 1, 1)], "c": pa.array(["x"]).dictionary_encode(), "u": pa.array([255], pa.uint8())}
    )
    pq.write_table(rows, tmp_path / "x.parquet")
    bring(tmp_path / "x.parquet")
    assert tables.scan(NAME).read_all().to_pylist() == rows.to_pylist()
