"""Files into tables and tables into files."""

from lakemon_local.files.local_files import LocalFiles

__all__ = ["LocalFiles"]
