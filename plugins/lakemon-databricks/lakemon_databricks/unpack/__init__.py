"""From payload rows, one a request, to the inference table, one row a prediction, in the warehouse."""

from lakemon_databricks.unpack.unpacking import Unpacking

__all__ = ["Unpacking"]
