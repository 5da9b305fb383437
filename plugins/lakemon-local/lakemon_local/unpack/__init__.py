"""From payload rows, one a request, to the inference table, one row a prediction."""

from lakemon_local.unpack.records import Unreadable, predictions_of, records_of
from lakemon_local.unpack.unpacking import Unpacking

__all__ = ["Unpacking", "Unreadable", "predictions_of", "records_of"]
