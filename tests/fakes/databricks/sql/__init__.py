"""SQL from outside: warehouses, and the Statement Execution API with its states, chunks and links."""

from .statements import Statements
from .warehouses import Warehouses

__all__ = ["Statements", "Warehouses"]
