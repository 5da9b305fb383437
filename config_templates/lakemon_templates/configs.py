"""Configs: one general template, one for each model type, and a short one for a batch table."""

from collections.abc import Mapping

from lakemon_templates.filling import fill, names_below

DEFAULTS: Mapping[str, object] = {
    "model_name": "your_model",
    "model_type": "classification",
    "schema": "your_schema",
    "catalog": "mlops",
    "email": "your-team@example.com",
    "backend": "local",
    "serving": True,
}
"""What may be filled in, and what stands there otherwise; `_dev`, `_aut`, `_prod` are added to `catalog`."""

ENVIRONMENTS = ("dev", "aut", "prod")


def names() -> list[str]:
    """Returns the names of the config templates, sorted."""
    return [path.removeprefix("configs/").removesuffix(".yml") for path in names_below("configs")]


def config_name(model_type: str) -> str:
    """Returns the name of the template for a model type: its own, or the general one."""
    own = f"{model_type}_model"
    return own if own in names() else "monitoring_config"


def render(name: str, **values: object) -> str:
    """Returns a config with its values filled in, each as one YAML scalar.

    Args:
        name: one of `names()`.
        values: keys of `DEFAULTS`.

    Raises:
        LookupError: there is no template, or no value, of that name.
    """
    if name not in names():
        raise LookupError(f"there is no template {name!r}; there are {', '.join(names())}.")
    return fill(f"configs/{name}.yml", filled(values))


def filled(values: Mapping[str, object]) -> dict[str, object]:
    """Returns all values of a config or project, the catalog of each environment, and what nobody said.

    Raises:
        LookupError: there is no value of that name.
    """
    if unknown := sorted(values.keys() - DEFAULTS.keys()):
        raise LookupError(f"templates have no {unknown[0]!r}; they have {', '.join(DEFAULTS)}.")
    whole = {**DEFAULTS, **values}
    catalogs = {name: f"{whole['catalog']}_{name}" for name in ENVIRONMENTS}
    untouched = {name for name, value in DEFAULTS.items() if whole[name] == value}
    return {**whole, "catalogs": catalogs, "catalog_dev": catalogs["dev"], "untouched": untouched}
