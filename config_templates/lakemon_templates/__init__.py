"""Templates of lakemon: configs and projects for Databricks, as texts."""

from lakemon_templates.configs import DEFAULTS, config_name, names, render
from lakemon_templates.projects import CI, PROJECT_PATHS, project

__all__ = [
    "CI",
    "DEFAULTS",
    "PROJECT_PATHS",
    "config_name",
    "names",
    "project",
    "render",
]
