"""What the benchmark is measured against: DuckDB over the files of the same Delta table.

`scan` decodes and hashes every value; `summarize` is DuckDB's SUMMARIZE, without windows and without drift.
"""

from __future__ import annotations

import sys

import duckdb
from deltalake import DeltaTable


def scan(files: list[str]) -> None:
    """Reads every value once."""
    names = [name for name, *_ in duckdb.read_parquet(files).description]
    hashes = ", ".join(f'bit_xor(hash("{name}"))' for name in names)
    duckdb.sql(f"SELECT {hashes} FROM read_parquet({files})").fetchall()


def summarize(files: list[str]) -> None:
    """Summarizes every column over the whole table."""
    duckdb.sql(f"SUMMARIZE SELECT * FROM read_parquet({files})").fetchall()


if __name__ == "__main__":
    {"scan": scan, "summarize": summarize}[sys.argv[1]](DeltaTable(sys.argv[2]).file_uris())
