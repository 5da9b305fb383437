"""Files into tables and tables into files."""

from lakemon_local.files.delta_files import DeltaFiles

__all__ = ["DeltaFiles"]
