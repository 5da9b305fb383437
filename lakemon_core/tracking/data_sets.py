"""A training data set as MLflow keeps it: a Delta table at one version, without its rows.

Imports mlflow at the top: load it late.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from mlflow.data.delta_dataset_source import DeltaDatasetSource
from mlflow.data.meta_dataset import MetaDataset
from mlflow.types import ColSpec, DataType, Schema

from lakemon_core.ports import TableInfo

if TYPE_CHECKING:
    import pyarrow as pa


class PinnedDeltaSource(DeltaDatasetSource):
    """A Delta table at one version.

    MLflow 3.17 leaves version 0 out, and asks a workspace for the table's id even where there is none, which
    takes tens of seconds. Both end here; MLflow reads what this writes with its own class.
    """

    def to_dict(self) -> dict[Any, Any]:
        """Returns what is stored with the run: path or table name, and always the version."""
        place = {"path": self.path} if self.path else {"delta_table_name": self.delta_table_name}
        known = {"is_databricks_uc_table": True} if self._is_databricks_uc_table() else {}
        return {**place, "delta_table_version": self.delta_table_version, **known}


def data_set_of(table: TableInfo) -> MetaDataset:
    """Describes a table at its version for `mlflow.log_input`.

    A table without a location is named as Unity Catalog names it. The digest differs from version to version:
    MLflow keeps one input per name and digest.
    """
    source = (
        PinnedDeltaSource(path=table.location, delta_table_version=table.version)
        if table.location
        else PinnedDeltaSource(delta_table_name=str(table.name), delta_table_version=table.version)
    )
    mark = hashlib.sha256(f"{table.name}|{table.location}|{table.version}".encode()).hexdigest()[:8]
    return MetaDataset(source, name=str(table.name), digest=f"v{table.version}-{mark}", schema=_schema(table))


def _schema(table: TableInfo) -> Schema:
    return Schema([ColSpec(_type_of(field.type), name=field.name, required=False) for field in table.schema])


def _type_of(kind: pa.DataType) -> DataType:
    """Returns the nearest type of MLflow; what it has no word for counts as text."""
    import pyarrow as pa

    exact = {
        pa.bool_(): DataType.boolean,
        pa.int64(): DataType.long,
        pa.uint32(): DataType.long,
        pa.float32(): DataType.float,
        pa.float64(): DataType.double,
        pa.binary(): DataType.binary,
    }
    if kind in exact:
        return exact[kind]
    if pa.types.is_integer(kind):
        return DataType.integer
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return DataType.datetime
    return DataType.string
