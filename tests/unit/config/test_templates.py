"""The templates of `lakemon init` load as they are rendered."""

import pytest
from lakemon_templates import DEFAULTS, names, render

from lakemon_core.config import load, load_all, open_places


def test_there_is_one_for_a_served_model_and_one_for_a_batch_table(config_file):
    assert names() == ["batch_config", "monitoring_config"]
    assert load(config_file(render("batch_config"))).monitor.serving is None
    served = load_all(config_file(render("monitoring_config")))
    assert list(served) == ["dev", "aut", "prod"]
    assert served["prod"].monitor.serving.endpoint_name == "your_model-prod"


@pytest.mark.parametrize("name", names())
def test_editors_find_the_schema_and_people_the_places_to_change(config_file, name):
    text = render(name)
    path = config_file(text)
    assert text.startswith("# yaml-language-server: $schema=monitoring_config.schema.json\n")
    assert len(open_places(path)) == text.count("# UPDATE:") > 4
    assert all(cure for _, cure in open_places(path))


def test_ten_lines_say_all_about_a_model_with_a_batch_table():
    lines = [line for line in render("batch_config").splitlines() if line and not line.startswith("#")]
    assert len(lines) <= 13


@pytest.mark.parametrize("value", ["flights", "yes", "null", "12", "a: b #c", 'quo"te', "new\nline", "näme"])
@pytest.mark.parametrize("name", names())
def test_any_value_arrives_as_it_was_given(config_file, name, value):
    monitor = load(config_file(render(name, model_type=value))).monitor
    assert monitor.model.type == value


def test_every_value_has_its_place():
    rendered = "".join(render(name, **{key: f"here_{key}" for key in DEFAULTS}) for name in names())
    assert all(f"here_{key}" in rendered for key in DEFAULTS)
    assert "{{" not in rendered


@pytest.mark.parametrize(("name", "values"), [("monitoring", {}), ("monitoring_config", {"modle": "x"})])
def test_unknown_names_are_refused(name, values):
    with pytest.raises(LookupError, match=r"there are|they have"):
        render(name, **values)
