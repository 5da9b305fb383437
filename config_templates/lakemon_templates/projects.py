"""A project for Databricks: the config, a bundle with its jobs, CI, and what a repository needs."""

from collections.abc import Mapping, Sequence

from lakemon_templates.configs import config_name, filled, render
from lakemon_templates.filling import fill, slug

_ALWAYS: Mapping[str, str] = {
    "README.md": "README.md",
    "pyproject.toml": "pyproject.toml",
    ".gitignore": "gitignore",
    ".pre-commit-config.yaml": "pre-commit.yaml",
    "databricks.yml": "databricks.yml",
    "resources/workflows/serving_deployment.yml": "serving_deployment.yml",
    "resources/workflows/monitoring_refresh.yml": "monitoring_refresh.yml",
    "src/<package>/__init__.py": "package.py",
    "tests/test_config.py": "test_config.py",
}
"""Path in the project → template in `templates/project`."""

CI: Mapping[str, Mapping[str, str]] = {
    "none": {},
    "azure": {"azure-pipelines.yml": "azure-pipelines.yml"},
    "github": {".github/workflows/monitoring.yml": "github.yml"},
    "both": {"azure-pipelines.yml": "azure-pipelines.yml", ".github/workflows/monitoring.yml": "github.yml"},
}
"""Choice of CI → its files, path in the project → template."""

CONFIG = "monitoring_config.yml"

PROJECT_PATHS: Sequence[str] = tuple(path for path in (*_ALWAYS, *CI["both"]) if "<" not in path)
"""Where places to change may be left, beside the config."""


def project(ci: str = "none", **values: object) -> dict[str, str]:
    """Returns the files of a project for Databricks, path → text.

    Args:
        ci: one of `CI`.
        values: keys of `DEFAULTS`.

    Raises:
        LookupError: there is no CI, or no value, of that name.
    """
    if ci not in CI:
        raise LookupError(f"there is no CI {ci!r}; there are {', '.join(CI)}.")
    given = {"backend": "databricks", **values}
    known = filled(given)
    name = slug(str(known["model_name"]))
    package = f"{name}_monitoring"
    domain = "azuredatabricks.net" if ci == "azure" else "cloud.databricks.com"
    known |= {"package": package, "distribution": package.replace("_", "-"), "ci": ci, "domain": domain}
    texts = {
        path.replace("<package>", package): fill(f"project/{template}", known)
        for path, template in {**_ALWAYS, **CI[ci]}.items()
    }
    return {CONFIG: render(config_name(str(known["model_type"])), **given), **texts}
