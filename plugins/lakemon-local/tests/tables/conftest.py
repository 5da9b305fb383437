"""Delta tables as other programs write them: hand-made, for delta-rs cannot write them itself."""

import json
import struct
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from lakemon_local.tables import DeltaTables

from lakemon_core.domain.names import TableName

_BASE85 = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"


@pytest.fixture
def tables(tmp_path):
    return DeltaTables(tmp_path / "workspace" / "tables")


@pytest.fixture
def name():
    return TableName("lab", "air", "flights")


@pytest.fixture
def folder_of(tables):
    """The folder of a table."""
    return lambda name: Path(tables.info(name).location)


@pytest.fixture
def delta_folder(tmp_path):
    """Writes a Delta table of one commit: files are (path, rows, further keys of the add action).

    `written` are options of the Parquet writer.
    """

    def write(fields, files, *, protocol=None, configuration=None, partitions=(), written=None):
        folder = tmp_path / "foreign table"
        (folder / "_delta_log").mkdir(parents=True)
        schema = {"type": "struct", "fields": fields}
        actions = [
            {"protocol": protocol or {"minReaderVersion": 1, "minWriterVersion": 2}},
            {
                "metaData": {
                    "id": "00000000-0000-0000-0000-000000000000",
                    "format": {"provider": "parquet", "options": {}},
                    "schemaString": json.dumps(schema),
                    "partitionColumns": list(partitions),
                    "configuration": configuration or {},
                    "createdTime": 0,
                }
            },
        ]
        for path, rows, further in files:
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            pq.write_table(rows, file, **(written or {}))
            add = {"path": path, "partitionValues": {}, "size": file.stat().st_size, "modificationTime": 0}
            actions.append({"add": {**add, "dataChange": True, **further}})
        log = folder / "_delta_log" / f"{0:020d}.json"
        log.write_text("\n".join(json.dumps(action) for action in actions) + "\n")
        return folder

    return write


@pytest.fixture
def column():
    """Describes a column as a Delta schema does."""

    def describe(name, kind, **metadata):
        return {"name": name, "type": kind, "nullable": True, "metadata": metadata}

    return describe


@pytest.fixture
def deleted_rows():
    """Returns an inline deletion vector that marks some rows of a file: a portable Roaring bitmap, Z85."""

    def vector(rows):
        bitmap = struct.pack("<II", 12346, 1) + struct.pack("<HH", 0, len(rows) - 1) + struct.pack("<I", 16)
        bitmap += b"".join(struct.pack("<H", row) for row in sorted(rows))
        data = struct.pack("<IQI", 1681511377, 1, 0) + bitmap
        return {
            "deletionVector": {
                "storageType": "i",
                "pathOrInlineDv": _base85(data),
                "sizeInBytes": len(data),
                "cardinality": len(rows),
            }
        }

    return vector


def _base85(data):
    padded = data + b"\0" * (-len(data) % 4)
    words = (int.from_bytes(padded[at : at + 4], "big") for at in range(0, len(padded), 4))
    return "".join(_BASE85[word // 85**power % 85] for word in words for power in (4, 3, 2, 1, 0))


@pytest.fixture
def numbers():
    """A table of consecutive numbers."""
    return lambda start, stop: pa.table({"n": pa.array(range(start, stop), pa.int64())})
