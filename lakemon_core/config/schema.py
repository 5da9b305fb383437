"""The JSON Schema of the whole file, with what the installed plugins add, for editors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from lakemon_core.config.shape.sections import EnvironmentSection, ModelSection, PluginsSection, SinkSection

_REFERENCE = {"type": "string", "pattern": r"\$\{.+\}"}
_NOTES = ("title", "description", "default", "examples")

Configs = Mapping[str, type[BaseModel]]
"""`Config` classes of plugins by their type, the name of their entry point."""


def json_schema(
    model_types: Configs | None = None, sinks: Configs | None = None, backends: Configs | None = None
) -> dict[str, Any]:
    """Returns the JSON Schema (draft 2020-12) of `monitoring_config.yml`.

    Each number, Boolean and choice may also be a `${...}` reference. Types that are not given are open.

    Args:
        model_types: adds the keys of `model:` for each type.
        sinks: adds the keys of a sink for each type.
        backends: adds the settings of each backend under its name.
    """
    definitions: dict[str, Any] = {}
    environment = _schema_of(EnvironmentSection, definitions)
    del environment["required"]
    own_model = _by_type(ModelSection, model_types or {}, definitions)
    environment["properties"] |= {
        "model": {**own_model, "required": [], "description": "What differs from the model at the top."},
        "variables": _variables("Override those at the top."),
        **{name: _schema_of(config, definitions, name) for name, config in (backends or {}).items()},
    }
    definitions["Environment"] = environment
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "lakemon: monitoring_config.yml",
        "type": "object",
        "additionalProperties": False,
        "required": ["environments"],
        "properties": {
            "model": own_model,
            "variables": _variables("Values for `${var:x}`."),
            "defaults": {"$ref": "#/$defs/Environment", "description": "What all environments share."},
            "environments": {
                "description": "The environments by name, e.g. dev, aut, prod.",
                "type": "object",
                "minProperties": 1,
                "additionalProperties": {"$ref": "#/$defs/Environment"},
            },
            "sinks": {
                "description": "Where alerts go, by name.",
                "type": "object",
                "additionalProperties": _by_type(SinkSection, sinks or {}, definitions),
            },
            "plugins": _schema_of(PluginsSection, definitions),
        },
        "$defs": definitions,
    }


def _schema_of(model: type[BaseModel], definitions: dict[str, Any], owner: str = "") -> dict[str, Any]:
    """Returns the schema of one model; what it refers to goes to the definitions, marked by its owner."""
    prefix = f"{owner}." if owner else ""
    schema = model.model_json_schema(ref_template=f"#/$defs/{prefix}{{model}}")
    for name, definition in schema.pop("$defs", {}).items():
        definitions[f"{prefix}{name}"] = _referring(definition)
    return _referring(schema)


def _by_type(section: type[BaseModel], types: Configs, definitions: dict[str, Any]) -> dict[str, Any]:
    """Returns the schema of a section whose `type` decides on its further keys."""
    core = _schema_of(section, definitions)
    cases: list[dict[str, Any]] = []
    for name, config in types.items():
        own = _schema_of(config, definitions, name)
        keys = {**own.get("properties", {}), **core["properties"]}
        then = {"properties": keys, "required": own.get("required", []), "additionalProperties": False}
        cases.append({"if": {"properties": {"type": {"const": name}}, "required": ["type"]}, "then": then})
    return {**core, "allOf": cases} if cases else core


def _variables(description: str) -> dict[str, Any]:
    scalars = ["string", "number", "boolean"]
    return {"description": description, "type": "object", "additionalProperties": {"type": scalars}}


def _referring(schema: Any) -> Any:
    """Returns a schema in which each number, Boolean, choice and pattern may also be a reference."""
    if isinstance(schema, list):
        return [_referring(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "oneOf" in schema:  # a list or a mapping: no value is both
        rest = {key: item for key, item in schema.items() if key not in {"oneOf", "discriminator"}}
        schema = {**rest, "anyOf": schema["oneOf"]}
    if schema.get("type") in ("integer", "number", "boolean") or "enum" in schema or "pattern" in schema:
        notes = {key: schema[key] for key in _NOTES if key in schema}
        value = {key: item for key, item in schema.items() if key not in notes}
        return {**notes, "anyOf": [value, _REFERENCE]}
    inner = {
        key: _referring(schema[key]) for key in ("items", "anyOf", "additionalProperties") if key in schema
    }
    if "properties" in schema:
        inner["properties"] = {key: _referring(item) for key, item in schema["properties"].items()}
    return {**schema, **inner}
