"""Unity Catalog over REST: catalogs, schemas, tables, and who may do what."""

from .catalog import CatalogDoors
from .grants import GrantDoors
from .registered import RegisteredModelDoors

__all__ = ["CatalogDoors", "GrantDoors", "RegisteredModelDoors"]
