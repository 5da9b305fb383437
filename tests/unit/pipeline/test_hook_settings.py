"""The settings of a hook plugin are checked by its own `Config`, as those of any other plugin."""

from dataclasses import fields

import pytest

from lakemon_core.domain.errors import ConfigErrors
from lakemon_core.hookspecs import ValidateContext
from lakemon_core.pipeline.result import RunRequest
from lakemon_core.pipeline.session import open_session

PLUGIN = """
    from lakemon_core import hookimpl
    from lakemon_core.ports import PluginConfig

    class GateConfig(PluginConfig):
        column: str
        limit: float = 5.0

    class Gate:
        Config = GateConfig

        @hookimpl
        def lakemon_validate(self, context):
            return [finding(context.settings["column"], context.settings["limit"])]

    def finding(column, limit):
        from lakemon_core.domain.run import Finding, Severity, Stage
        return Finding(column, Stage.VALIDATE, Severity.INFO, f"{column} {limit}")
"""
CONFIG = """
model: {name: m, type: classification}
environments: {dev: {catalog: c, schema: s}}
"""


@pytest.fixture
def opened(install, tmp_path):
    """Opens a session with the gate installed; returns what its hook finds, and the warnings."""
    install("acme-gate", {"lakemon.plugins": {"gate": "acme_gate:Gate"}}, acme_gate=PLUGIN)

    def run(settings=""):
        config = tmp_path / "monitoring_config.yml"
        config.write_text(CONFIG + settings)
        with open_session(RunRequest(config)) as session:
            context = session.context("run-1")
            asked = ValidateContext(**{one.name: getattr(context, one.name) for one in fields(context)})
            outcomes = session.hooks.call("lakemon_validate", asked, deadline=60)
            titles = [one.title for outcome in outcomes for one in outcome.value or ()]
            return titles, [str(warning) for warning in session.hooks.warnings]

    return run


def test_settings_come_with_their_defaults(opened):
    titles, _ = opened("plugins: {settings: {gate: {column: distance, limit: 7}}}")
    assert titles == ["distance 7.0"]
    assert opened("plugins: {settings: {gate: {column: distance}}}")[0] == ["distance 5.0"]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("{colum: distance}", r"plugins\.settings\.gate\.colum .*Did you mean \"column\""),
        ("{column: distance, limit: much}", r":4:\d+ plugins\.settings\.gate\.limit is \"much\"; .*number"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(opened, settings, said):
    with pytest.raises(ConfigErrors, match=said):
        opened(f"plugins: {{settings: {{gate: {settings}}}}}")


def test_a_plugin_that_nobody_set_up_stops_nothing(opened):
    titles, warnings = opened()
    assert titles == []
    (warning,) = [one for one in warnings if "gate" in one]
    assert "left out until it is set up" in warning
    assert "column" in warning
