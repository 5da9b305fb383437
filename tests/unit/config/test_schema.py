"""The JSON Schema of the config says the same as `load`, with what plugins add."""

import json
import re
from pathlib import Path
from typing import Literal

import pytest
from lakemon_templates import names, render
from pydantic import BaseModel, Field

from lakemon_core.config.schema import json_schema
from lakemon_core.config.source.read import parse
from lakemon_core.ports import PluginConfig

ROOT = Path(__file__).parents[3]


class Leaf(BaseModel):
    kind: Literal["mean", "median"] = "mean"


class Tree(PluginConfig):
    timestamp_col: str = "timestamp"
    label_col: str | None = None
    depth: int = Field(3, ge=1)
    leaf: Leaf = Leaf()


class Mail(PluginConfig):
    host: str
    port: int = 25
    sender: str = Field(alias="from")


class Local(PluginConfig):
    port: int = 0


SCHEMA = json_schema(model_types={"tree": Tree}, sinks={"email": Mail}, backends={"local": Local})
KINDS = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}
KINDS |= {"integer": int, "number": (int, float)}
KEYWORDS = {
    "type", "enum", "const", "pattern", "minLength", "minimum", "maximum", "exclusiveMinimum", "minItems",
    "minProperties", "required", "properties", "patternProperties", "additionalProperties", "items", "anyOf",
    "allOf", "if", "then", "$ref", "$defs", "$schema", "title", "description", "default", "examples",
}  # fmt: skip


def is_of(value, kind):
    return isinstance(value, KINDS[kind]) and (kind == "boolean" or not isinstance(value, bool))


def valid(value, schema, whole=SCHEMA):
    """Whether a value holds to a schema, for the keywords that ours uses."""
    if isinstance(schema, bool):
        return schema
    assert schema.keys() <= KEYWORDS, schema.keys() - KEYWORDS
    if "$ref" in schema and not valid(value, whole["$defs"][schema["$ref"].removeprefix("#/$defs/")], whole):
        return False
    if "if" in schema and valid(value, schema["if"], whole) and not valid(value, schema["then"], whole):
        return False
    kinds = schema.get("type", [])
    return all(
        (
            not kinds or any(is_of(value, kind) for kind in ([kinds] if isinstance(kinds, str) else kinds)),
            value in schema.get("enum", [value]),
            value == schema.get("const", value),
            not schema.get("anyOf") or any(valid(value, one, whole) for one in schema["anyOf"]),
            all(valid(value, one, whole) for one in schema.get("allOf", [])),
            not isinstance(value, str) or holds_as_text(value, schema),
            isinstance(value, str | bool)
            or not isinstance(value, int | float)
            or holds_as_number(value, schema),
            not isinstance(value, list)
            or all(valid(item, schema.get("items", True), whole) for item in value),
            not isinstance(value, list) or len(value) >= schema.get("minItems", 0),
            not isinstance(value, dict) or holds_as_object(value, schema, whole),
        )
    )


def holds_as_text(value, schema):
    return bool(re.search(schema.get("pattern", ""), value)) and len(value) >= schema.get("minLength", 0)


def holds_as_number(value, schema):
    lowest, highest = schema.get("minimum", value), schema.get("maximum", value)
    return lowest <= value <= highest and value > schema.get("exclusiveMinimum", value - 1)


def holds_as_object(value, schema, whole):
    for key, item in value.items():
        by_pattern = [
            one for pattern, one in schema.get("patternProperties", {}).items() if re.search(pattern, key)
        ]
        own = [schema["properties"][key]] if key in schema.get("properties", {}) else by_pattern
        if not all(valid(item, one, whole) for one in own or [schema.get("additionalProperties", True)]):
            return False
    return set(schema.get("required", [])) <= value.keys() and len(value) >= schema.get("minProperties", 0)


def test_it_is_a_schema_of_draft_2020_12_that_json_can_carry():
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert json.loads(json.dumps(SCHEMA)) == SCHEMA
    named = set(re.findall(r'"#/\$defs/([^"]+)"', json.dumps(SCHEMA)))
    assert named <= SCHEMA["$defs"].keys()


def test_the_whole_config_holds_to_it(full_text):
    values = parse(full_text)[0].data()
    assert valid(values, json_schema())


@pytest.mark.parametrize("name", names())
def test_the_templates_hold_to_it(name):
    assert valid(parse(render(name))[0].data(), json_schema())


@pytest.mark.parametrize("path", sorted(ROOT.glob("examples/**/monitoring_config.yml")), ids=str)
def test_the_examples_hold_to_it(path):
    assert valid(parse(path.read_text(encoding="utf-8"))[0].data(), json_schema())


GOOD = {
    "model": {"name": "m", "type": "tree", "depth": 4, "leaf": {"kind": "median"}},
    "environments": {"dev": {"catalog": "c", "schema": "s", "local": {"port": 1}}},
    "sinks": {
        "mail": {"type": "email", "host": "h", "from": "a@b.c"},
        "other": {"type": "webhook", "url": "x"},
    },
}


def test_what_plugins_add_is_known():
    assert valid(GOOD, SCHEMA)


@pytest.mark.parametrize(
    ("place", "value", "holds"),
    [
        ("model.depth", "${var:depth}", True),
        ("model.depth", "four", False),
        ("model.depth", 0, False),
        ("model.leaf.kind", "${var:kind}", True),
        ("model.leaf.kind", "max", False),
        ("model.lable_col", "late", False),
        ("model.type", "another", True),
        ("sinks.mail.prot", 25, False),
        ("sinks.mail.port", "${env:SMTP_PORT}", True),
        ("sinks.mail.from", None, False),
        ("sinks.other.anything", 1, True),
        ("environments.dev.local.prot", 1, False),
        ("environments.dev.model", {"version": "champion"}, True),
        ("environments.dev.serving", {"workload_size": "${var:size}", "port": "${env:PORT}"}, True),
        ("environments.dev.serving", {"workload_size": "Tiny"}, False),
        ("environments.dev.servng", {}, False),
        (
            "environments.dev.monitoring",
            {"alerts": [{"metric": "f1", "threshold": "${var:x}", "for": 2}]},
            True,
        ),
        ("environments.dev.monitoring", {"alerts": [{"metric": "f1"}]}, False),
        ("environments.dev.monitoring", {"granularities": []}, False),
        ("variables", {"x": 1, "y": "text", "z": True}, True),
        ("variables", {"x": [1]}, False),
        ("defaults", {"schema": "s", "monitoring": {"output_schema": "m"}}, True),
        ("environments", {}, False),
        ("enviroments", {}, False),
    ],
)
def test_it_takes_what_load_takes(place, value, holds):
    changed = json.loads(json.dumps(GOOD))
    *parents, key = place.split(".")
    section = changed
    for parent in parents:
        section = section.setdefault(parent, {})
    section[key] = value
    assert valid(changed, SCHEMA) is holds


def test_every_key_of_the_core_is_described():
    def undescribed(schema):
        keys = schema.get("properties", {}).items()
        return [key for key, item in keys if not item.get("description") and "$ref" not in item]

    core = json_schema()
    sections = {**core["$defs"], "top": core, **core["properties"]}
    assert {name: undescribed(section) for name, section in sections.items() if undescribed(section)} == {}
