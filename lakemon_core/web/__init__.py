"""HTTP for alert sinks: one guarded request, its answer, and what that means for a delivery."""

from lakemon_core.web.address import Place, is_public, read_url
from lakemon_core.web.answer import LONGEST_PAUSE, Answer, retry_after
from lakemon_core.web.exchange import Request, probe, send

__all__ = [
    "LONGEST_PAUSE",
    "Answer",
    "Place",
    "Request",
    "is_public",
    "probe",
    "read_url",
    "retry_after",
    "send",
]
