"""Distributions to start a plugin from: one for each kind, working and tested from the first minute."""

from collections.abc import Mapping
from dataclasses import dataclass

from lakemon_templates.filling import fill, slug


@dataclass(frozen=True, slots=True)
class PluginKind:
    """A kind of plugin.

    Attributes:
        group: of its entry point.
        label: as people call it.
        suffix: of its class's name.
        requires: what its distribution depends on.
        page: of the guide.
        example: of its use in a config, with NAME for its name.
    """

    group: str
    label: str
    suffix: str
    requires: str
    page: str
    example: str


_CORE = "lakemon>=0.1,<0.2"

PLUGIN_KINDS: Mapping[str, PluginKind] = {
    "hook": PluginKind(
        "lakemon.plugins",
        "hook plugin",
        "Plugin",
        _CORE,
        "write-a-plugin.md",
        "plugins: {settings: {NAME: {column: amount, limit: 1000}}}",
    ),
    "sink": PluginKind(
        "lakemon.alert_sinks",
        "alert sink",
        "Sink",
        _CORE,
        "write-a-sink.md",
        'sinks: {oncall: {type: NAME, url: "${secret:NAME/url}"}}',
    ),
    "model-type": PluginKind(
        "lakemon.model_types",
        "model type",
        "Model",
        _CORE,
        "write-a-plugin.md",
        "model: {name: my_model, type: NAME, label_col: label}",
    ),
    "backend": PluginKind(
        "lakemon.backends",
        "backend",
        "Backend",
        "lakemon[local]>=0.1,<0.2",
        "write-a-plugin.md",
        "environments: {dev: {backend: NAME, catalog: dev, schema: my_schema}}",
    ),
}
"""Kinds of plugins by name."""


def plugin(name: str, kind: str) -> dict[str, str]:
    """Returns the files of a distribution with one plugin, path → text.

    Args:
        name: of the entry point: lower case letters, digits and `-`.
        kind: one of `PLUGIN_KINDS`.

    Raises:
        LookupError: there is no such kind.
    """
    if kind not in PLUGIN_KINDS:
        raise LookupError(f"there is no kind {kind!r}; there are {', '.join(PLUGIN_KINDS)}.")
    about = PLUGIN_KINDS[kind]
    stem = slug(name)
    module, words = f"lakemon_{stem}", stem.title().replace("_", "")
    values = {
        "name": name,
        "kind": kind,
        "about": about,
        "module": module,
        "class_name": words.removesuffix(about.suffix) + about.suffix,
        "distribution": f"lakemon-{stem.replace('_', '-')}",
    }
    parts = {
        "README.md": "README.md",
        "pyproject.toml": "pyproject.toml",
        "conftest.py": "conftest.py",
        f"src/{module}/__init__.py": f"{kind}/module.py",
        f"tests/test_{stem}.py": f"{kind}/test.py",
    }
    return {path: fill(f"plugin/{template}", values) for path, template in parts.items()}
