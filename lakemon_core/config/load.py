"""From a config file, or from Python values, to the Monitor of one environment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from lakemon_core.config.build import monitor_of
from lakemon_core.config.explain import explain, in_file_order
from lakemon_core.config.shape.fields import Known
from lakemon_core.config.shape.sections import EnvironmentSection, ResolvedConfig
from lakemon_core.config.source.read import parse, read_text
from lakemon_core.config.source.resolve import choose_environment, environment_names, resolve
from lakemon_core.config.source.tree import Locations, Node, from_values, kind, problem
from lakemon_core.domain.errors import ConfigErrors, Problem
from lakemon_core.domain.monitor import Monitor

_MODEL_ARGUMENTS = frozenset({"name", "type", "version"})
_CORE_KEYS = frozenset(field.alias or name for name, field in EnvironmentSection.model_fields.items())


@dataclass(frozen=True, slots=True)
class Loaded:
    """The config of one environment, and where each of its values was written."""

    monitor: Monitor
    locations: Locations


def load(
    path: str | Path, environment: str | None = None, *, catalog: str | None = None, schema: str | None = None
) -> Loaded:
    """Reads the config of one environment.

    Args:
        path: the YAML file.
        environment: its name; default the only one, or `dev`.
        catalog: takes the place of the environment's catalog.
        schema: takes the place of the environment's schema.

    Raises:
        ConfigErrors: everything that is wrong with the file as this environment sees it, in file order.
    """
    root, problems = parse(read_text(Path(path)), str(path))
    try:
        name = choose_environment(root, environment, str(path))
    except ConfigErrors as errors:
        raise ConfigErrors(in_file_order([*problems, *errors.problems])) from None
    given = {"catalog": catalog, "schema": schema}
    overrides = {key: text for key, text in given.items() if text is not None}
    return _only(_build(root, name, problems, Path(path), overrides))


def load_all(path: str | Path) -> dict[str, Loaded]:
    """Reads the config of all environments, by name in the order of the file.

    Raises:
        ConfigErrors: everything that is wrong with the file, in file order.
    """
    root, problems = parse(read_text(Path(path)), str(path))
    names = environment_names(root) or (choose_environment(root, None, str(path)),)
    built = {name: _build(root, name, problems, Path(path)) for name in names}
    found = [item for _, wrong in built.values() for item in wrong]
    if found:
        raise ConfigErrors(in_file_order(found))
    return {name: _only(result) for name, result in built.items()}


def from_dict(values: Mapping[str, Any], environment: str | None = None) -> Loaded:
    """Reads a config of the file's shape from Python values.

    Raises:
        ConfigErrors: everything that is wrong with it; places are dotted paths.
    """
    root, problems = from_values(values)
    return _only(_build(root, choose_environment(root, environment), problems))


def from_python(
    catalog: str,
    schema: str,
    model_name: str,
    *,
    environment: str = "dev",
    backend: str = "local",
    model_type: str = "classification",
    model: Mapping[str, Any] | None = None,
    version: str | int = "latest",
    serving: Mapping[str, Any] | None = None,
    inference_table: Mapping[str, Any] | None = None,
    monitoring: Mapping[str, Any] | None = None,
    sinks: Mapping[str, Any] | None = None,
) -> Loaded:
    """Reads a config from the arguments of `MonitoringFramework`; its sections are those of the file.

    Args:
        model: keys of `model:` that belong to the type.
        serving: None monitors a batch inference table.

    Raises:
        ConfigErrors: everything that is wrong, by argument, e.g. `monitoring_config.granularities.0`.
    """
    values: dict[str, object] = {
        "catalog": catalog,
        "schema": schema,
        "model_name": model_name,
        "model_type": model_type,
        "model_version": version,
        "model": model or {},
        "backend": backend,
        "serving_config": serving,
        "inference_table_config": inference_table or {},
        "monitoring_config": monitoring or {},
        "sinks": sinks or {},
    }
    trees = {argument: from_values(value, (argument,)) for argument, value in values.items()}
    problems = [item for _, wrong in trees.values() for item in wrong]
    arguments = {argument: node for argument, (node, _) in trees.items()}
    for key in _MODEL_ARGUMENTS & arguments["model"].keys.keys():
        given = arguments["model"].child(key)
        problems.append(problem("", given, "LM110", "is an argument of its own;", f"give model_{key}."))
    return _only(_build(_tree_of(arguments, environment), environment, problems))


def _tree_of(arguments: Mapping[str, Node], environment: str) -> Node:
    """Returns the tree of a file that says what the arguments say; places are those of the arguments."""
    model = arguments["model"]
    named = {key: arguments[f"model_{key}"] for key in sorted(_MODEL_ARGUMENTS)}
    sections = {key: arguments[key] for key in ("backend", "catalog", "schema")}
    sections |= {key: arguments[f"{key}_config"] for key in ("serving", "inference_table", "monitoring")}
    return Node(
        {
            "model": replace(model, value={**model.keys, **named}),
            "environments": Node({environment: Node(sections, ("environment",))}),
            "sinks": arguments["sinks"],
        }
    )


def _only(built: tuple[Loaded | None, list[Problem]]) -> Loaded:
    loaded, problems = built
    if loaded is None:
        raise ConfigErrors(problems)
    return loaded


def _build(
    root: Node,
    environment: str,
    problems: Sequence[Problem] = (),
    source: Path | None = None,
    overrides: Mapping[str, str] | None = None,
) -> tuple[Loaded | None, list[Problem]]:
    """Returns the loaded config, or None and all its problems in file order."""
    file = str(source) if source else ""
    tree, wrong = resolve(root, environment, overrides, file)
    found = [*problems, *wrong]
    locations = Locations(file, tree)
    own, settings = _split_backend(tree, environment, _backends(root))
    if settings.value is not None and not isinstance(settings.value, dict):
        what = f"is a {kind(settings.value)};"
        found.append(problem(file, settings, "LM114", what, "write the backend's settings as key: value."))
    try:
        config = ResolvedConfig.model_validate(own.data(), context=_known(own, environment))
    except ValidationError as error:
        return None, in_file_order([*found, *explain(error, ResolvedConfig, (), locations)])
    if found:
        return None, in_file_order(found)
    return Loaded(monitor_of(config, environment, settings.mapping(), source), locations), []


def _backends(root: Node) -> set[str]:
    """Returns the backends that a file names anywhere: a key of that name holds settings."""
    places = [root.child("defaults"), *root.child("environments").keys.values()]
    return {"local", *(str(place.child("backend").value) for place in places)}


def _split_backend(tree: Node, environment: str, backends: set[str]) -> tuple[Node, Node]:
    """Takes the sections of backends out of the environment; returns the rest and the chosen one's."""
    environments = tree.child("environments")
    chosen = environments.child(environment)
    if not isinstance(chosen.value, dict):
        return tree, Node(None)
    backend = str(chosen.child("backend").value or "local")
    backends = {*backends, backend} - _CORE_KEYS
    rest = {key: node for key, node in chosen.value.items() if key not in backends}
    own = replace(environments, value={environment: replace(chosen, value=rest)})
    return replace(tree, value={**tree.keys, "environments": own}), chosen.child(backend)


def _known(tree: Node, environment: str) -> Known:
    """Returns what the sections must know of each other, read from values that may still be wrong."""
    monitoring = tree.child("environments").child(environment).child("monitoring")
    sinks = tree.child("sinks").keys
    types = [sink.child("type").value for sink in sinks.values()]
    metrics = [metric.child("name").value for metric in monitoring.child("custom_metrics").children]
    granularities = [node.value for node in monitoring.child("granularities").children] or ["1 day"]
    references = [one.child("name").value for one in monitoring.child("references").children]
    return Known(
        sinks=tuple(dict.fromkeys([*sinks, *(str(name) for name in types if name)])),
        metrics=tuple(str(name) for name in metrics if name),
        granularities=tuple(str(granularity) for granularity in granularities),
        references=tuple(str(name) for name in references if name),
        has_model=tree.child("model").value is not None,
        has_label=tree.child("model").child("label_col").value is not None,
    )
