"""Where columns come from: a table in memory, or rows of which a column is read when it is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import pyarrow as pa


class Columns(Protocol):
    """Columns of the same rows, always in the same order; a `pa.Table` is one."""

    @property
    def column_names(self) -> list[str]:
        """All columns that can be asked for."""
        ...

    def column(self, i: str, /) -> pa.ChunkedArray:
        """Returns a column; several threads may ask."""
        ...
