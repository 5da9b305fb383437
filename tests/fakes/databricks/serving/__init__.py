"""Model serving: endpoints with states by the clock, invocations, and the payload tables they land in."""

from .endpoints import Serving
from .payloads import Payloads

__all__ = ["Payloads", "Serving"]
