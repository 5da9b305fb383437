"""Templates of lakemon: configs, projects for Databricks and plugins, as texts."""

from lakemon_templates.configs import DEFAULTS, config_name, names, render
from lakemon_templates.plugins import PLUGIN_KINDS, plugin
from lakemon_templates.projects import CI, PROJECT_PATHS, project

__all__ = [
    "CI",
    "DEFAULTS",
    "PLUGIN_KINDS",
    "PROJECT_PATHS",
    "config_name",
    "names",
    "plugin",
    "project",
    "render",
]
