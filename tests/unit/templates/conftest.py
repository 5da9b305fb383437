from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lakemon_templates import project
from ruamel.yaml import YAML


@pytest.fixture
def config_file(tmp_path: Path) -> Callable[[str], Path]:
    """Writes a config and returns its path."""

    def write(text: str) -> Path:
        path = tmp_path / "monitoring_config.yml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture(scope="module")
def files() -> dict[str, str]:
    """A project for Databricks with both CIs, path → text."""
    return project("both", model_name="Flight delays", email="ml@example.com")


@pytest.fixture(scope="module")
def parsed(files: dict[str, str]) -> dict[str, Any]:
    """Its YAML files as any YAML parser reads them, path → data."""
    yaml = YAML(typ="safe", pure=True)
    return {path: yaml.load(text) for path, text in files.items() if path.endswith((".yml", ".yaml"))}
