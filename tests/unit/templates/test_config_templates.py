"""The config templates load as they are rendered."""

import io
import itertools

import pytest
from lakemon_templates import DEFAULTS, config_name, names, render
from ruamel.yaml import YAML

from lakemon_core.config import load, load_all, open_places

TYPES = ("classification", "regression", "forecasting")
OF_A_TYPE = tuple(f"{name}_model" for name in TYPES)
VARIANTS = [
    {"backend": backend, "serving": serving}
    for backend, serving in itertools.product(("local", "databricks"), (True, False))
]


def test_there_is_a_general_one_a_short_one_and_one_for_each_model_type():
    assert names() == sorted([*OF_A_TYPE, "batch_config", "monitoring_config"])
    assert [config_name(kind) for kind in (*TYPES, "clustering")] == [*OF_A_TYPE, "monitoring_config"]


def test_a_served_model_has_an_endpoint_in_each_environment_and_a_batch_table_has_none(config_file):
    assert load(config_file(render("batch_config"))).monitor.serving is None
    served = load_all(config_file(render("monitoring_config")))
    assert list(served) == ["dev", "aut", "prod"]
    assert served["prod"].monitor.serving.endpoint_name == "your_model-prod"
    batch = load_all(config_file(render("monitoring_config", serving=False)))
    assert {loaded.monitor.serving for loaded in batch.values()} == {None}


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda each: " ".join(map(str, each.values())))
@pytest.mark.parametrize("name", names())
def test_every_template_loads_in_every_environment(config_file, name, variant):
    for environment, loaded in load_all(config_file(render(name, **variant))).items():
        monitor = loaded.monitor
        assert monitor.backend == ("local" if environment == "local" else variant["backend"])
        assert monitor.monitoring.rules or name == "batch_config"


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda each: " ".join(map(str, each.values())))
@pytest.mark.parametrize("name", names())
def test_every_template_is_yaml_for_any_parser(name, variant):
    assert YAML(typ="safe", pure=True).load(io.StringIO(render(name, **variant)))["model"]


@pytest.mark.parametrize("kind", TYPES)
def test_the_template_of_a_type_names_its_type_and_a_rule_on_its_quality(config_file, kind):
    monitor = load(config_file(render(f"{kind}_model"))).monitor
    quality = {"classification": "roc_auc", "regression": "r2", "forecasting": "mase"}
    assert monitor.model.type == kind
    assert quality[kind] in {rule.metric for rule in monitor.monitoring.rules}


@pytest.mark.parametrize("name", names())
def test_editors_find_the_schema_and_people_the_places_to_change(config_file, name):
    text = render(name)
    path = config_file(text)
    assert text.startswith("# yaml-language-server: $schema=monitoring_config.schema.json\n")
    assert len(open_places(path)) == text.count("# UPDATE:") > 4
    assert all(cure for _, cure in open_places(path))


def test_ten_lines_say_all_about_a_model_with_a_batch_table():
    lines = [line for line in render("batch_config").splitlines() if line and not line.startswith("#")]
    assert len(lines) <= 14


@pytest.mark.parametrize("value", ["flights", "yes", "null", "12", "a: b #c", 'quo"te', "new\nline", "näme"])
@pytest.mark.parametrize("name", ["batch_config", "monitoring_config"])
def test_any_value_arrives_as_it_was_given(config_file, name, value):
    monitor = load(config_file(render(name, model_type=value))).monitor
    assert monitor.model.type == value


def test_every_value_has_its_place():
    texts = {key: f"here_{key}" for key in DEFAULTS if key != "serving"}
    rendered = "".join(render(name, **texts) for name in names())
    assert [text for text in texts.values() if text not in rendered] == []
    assert "<<" not in rendered
    assert "<%" not in rendered


@pytest.mark.parametrize(("name", "values"), [("monitoring", {}), ("monitoring_config", {"modle": "x"})])
def test_unknown_names_are_refused(name, values):
    with pytest.raises(LookupError, match=r"there are|they have"):
        render(name, **values)
