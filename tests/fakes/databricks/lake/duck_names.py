"""Names of the lake in DuckDB."""

from __future__ import annotations


def place_of(catalog: str) -> str:
    """Returns the DuckDB name of a catalog, which never is one that DuckDB keeps for itself."""
    return f"catalog {catalog.lower()}"


def quoted(*parts: str) -> str:
    """Returns a name of DuckDB."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in parts)
