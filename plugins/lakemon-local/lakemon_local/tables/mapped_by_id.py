"""Tables whose columns are found by the numbers that files give them, not by name.

Delta's library goes by name there too: a file that calls a column differently, e.g. one from Iceberg,
would be read as null without a word. Such a table is refused.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pyarrow.parquet as pq
from deltalake import DeltaTable

from lakemon_core.domain.errors import DataError
from lakemon_local.tables.log import added_files
from lakemon_local.tables.places import Place

_ID, _PHYSICAL = "delta.columnMapping.id", "delta.columnMapping.physicalName"
_KEPT = 10_000
"""Files whose names are remembered; a file of a Delta table never changes."""


def check_mapped_by_id(table: DeltaTable, place: Place) -> None:
    """Looks whether the files of a table that is mapped by id call its columns as the table does.

    Raises:
        DataError: LM309 naming the first file that does not.
    """
    if table.metadata().configuration.get("delta.columnMapping.mode") != "id":
        return
    named = dict(_numbered(json.loads(table.schema().to_json())["fields"]))
    for path in sorted(added_files(table)["path"].to_pylist()):
        file = place.folder / unquote(path)
        if not file.exists():
            continue  # reading says so
        for number, name in _names_of(file):
            if named.get(number, name) != name or (number not in named and name in named.values()):
                raise DataError(
                    "LM309",
                    f"file {path} calls column {number} {name!r}, unlike the table, and Delta's library reads"
                    " mapped columns by name (delta.columnMapping.mode = id);",
                    where=f"{place.name} ({place.folder})",
                    cure="let its owner rewrite the table's files, or import a copy of its rows.",
                )


def _numbered(fields: list[dict[str, Any]]) -> list[tuple[int, str]]:
    """Returns number and name in files of each top-level column."""
    known = [field["metadata"] for field in fields]
    return [(int(one[_ID]), str(one[_PHYSICAL])) for one in known if _ID in one and _PHYSICAL in one]


@lru_cache(maxsize=_KEPT)
def _names_of(file: Path) -> tuple[tuple[int, str], ...]:
    fields = pq.read_schema(file)
    known = [(field.name, (field.metadata or {}).get(b"PARQUET:field_id")) for field in fields]
    return tuple((int(number), name) for name, number in known if number is not None)
