"""The second phase: the settings of the chosen plugins, by each plugin's own `Config`."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from lakemon_core.config.explain import explain, in_file_order
from lakemon_core.config.load import Loaded
from lakemon_core.domain.errors import ConfigErrors

Settings = TypeVar("Settings", bound=BaseModel)
_ENVIRONMENT = re.compile(r"\$\{env:([A-Za-z_]\w*)\}")


def validate_settings(
    config_model: type[Settings], settings: Mapping[str, object], where: str, loaded: Loaded
) -> Settings:
    """Returns the settings as the plugin's own `Config`.

    `${env:X}` stays a reference where text is expected. Where a number is (a port, a limit), the plugin gets
    the variable's value.

    Args:
        config_model: `Config` of the plugin class.
        settings: its keys, from the Monitor.
        where: their place in the resolved config, e.g. `model`, `sinks.email` or `environments.dev.local`.
        loaded: the config they come from.

    Raises:
        ConfigErrors: everything that is wrong with them, each at its line.
    """
    try:
        return config_model.model_validate(dict(settings))
    except ValidationError as error:
        failed = error
    try:
        return config_model.model_validate(_with_environment(dict(settings), failed))
    except ValidationError as error:
        place = tuple(where.split("."))
        problems = explain(error, config_model, place, loaded.locations)
        raise ConfigErrors(in_file_order(problems)) from None


def _with_environment(settings: dict[str, Any], error: ValidationError) -> dict[str, Any]:
    """Returns the settings with `${env:X}` replaced at the places of the errors."""
    for details in error.errors(include_url=False, include_context=False):
        settings = _replaced(settings, details["loc"])
    return settings


def _replaced(value: Any, place: tuple[str | int, ...]) -> Any:
    if isinstance(value, str):
        return _ENVIRONMENT.sub(lambda found: os.environ.get(found[1], found[0]), value)
    if not place:
        return value
    first, *rest = place
    if isinstance(value, dict) and first in value:
        return {**value, first: _replaced(value[first], tuple(rest))}
    if isinstance(value, list) and isinstance(first, int) and first < len(value):
        return [_replaced(item, tuple(rest)) if i == first else item for i, item in enumerate(value)]
    return value
