"""The reference page says of every key what the code says."""

import json
import re
from enum import Enum
from pathlib import Path

import pytest
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from lakemon_core.config import load_all
from lakemon_core.config.shape.rules import METRICS, STATISTICS, RuleSection
from lakemon_core.config.shape.sections import (
    CustomMetricSection,
    EnvironmentSection,
    InferenceTableSection,
    LabelsSection,
    ModelSection,
    MonitoringSection,
    PluginsSection,
    ScheduleSection,
    ServingSection,
    SinkSection,
)

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/reference/config.md").read_text(encoding="utf-8")
GUIDE = (ROOT / "docs/guide/configuration.md").read_text(encoding="utf-8")
SECTIONS = {
    "model": ModelSection,
    "environments.NAME": EnvironmentSection,
    "serving": ServingSection,
    "inference_table": InferenceTableSection,
    "inference_table.labels": LabelsSection,
    "monitoring": MonitoringSection,
    "monitoring.alerts": RuleSection,
    "monitoring.custom_metrics": CustomMetricSection,
    "monitoring.schedule": ScheduleSection,
    "sinks.NAME": SinkSection,
    "plugins": PluginsSection,
}


def default_of(field):
    """A default as the page shows it: `needed`, empty for none, else its YAML."""
    value = field.default_factory() if field.default_factory else field.default
    if value is PydanticUndefined:
        return "needed"
    if isinstance(value, Enum):
        value = value.value
    if value in (None, (), {}, "") or isinstance(value, BaseModel):
        return ""
    return f"`{value if isinstance(value, str) else json.dumps(value)}`"


def rows_of(section):
    """The rows of a section's table."""
    meanings = section.meanings()
    for name, field in section.model_fields.items():
        default = "`1`" if field.alias == "for" else default_of(field)
        yield f"| `{field.alias or name}` | {default} | {' '.join(meanings[name].split())} |"


@pytest.mark.parametrize("name", SECTIONS)
def test_each_section_has_its_table(name):
    table = "\n".join(["| key | default | meaning |", "|---|---|---|", *rows_of(SECTIONS[name])])
    _, _, chapter = PAGE.partition(f"## `{name}`\n")
    assert table in chapter.partition("\n## ")[0], (
        f"docs/reference/config.md, `{name}`, should hold:\n{table}"
    )


@pytest.mark.parametrize("block", re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL))
def test_each_config_of_the_guide_loads(config_file, block):
    assert load_all(config_file(block))


def test_every_metric_and_statistic_is_listed():
    assert [name for name in (*METRICS, *STATISTICS) if f"`{name}`" not in PAGE] == []


def test_every_error_code_of_the_config_is_described():
    used = {
        code
        for path in (ROOT / "lakemon_core/config").rglob("*.py")
        for code in re.findall(r'"(LM\d{3})"', path.read_text(encoding="utf-8"))
    }
    described = (ROOT / "docs/reference/errors.md").read_text(encoding="utf-8")
    assert [code for code in sorted(used) if f"| {code} |" not in described] == []
