"""A team's own sink, without packaging: a class or a function beside the config."""

from textwrap import dedent

import pytest

from lakemon_core.domain.errors import ConfigErrors, UsageError
from lakemon_core.pipeline.delivery import send_test
from lakemon_core.pipeline.result import RunRequest
from lakemon_core.pipeline.session import open_session

CONFIG = """
model: {{name: m, type: classification}}
environments: {{dev: {{catalog: c, schema: s}}}}
sinks:
  oncall: {{type: python, target: "{target}"{more}}}
"""
TEN_LINES = """
from lakemon_core import alert_sink
from pathlib import Path


@alert_sink
def page(notification, config):
    line = f"{notification.state} {notification.title} {config['token']} {','.join(notification.targets)}"
    Path(config["file"]).write_text(line)
"""
A_CLASS = """
from lakemon_core.domain.incident import DeliveryResult, DeliveryStatus, Rendered
from lakemon_core.ports import AlertSink, PluginConfig, SinkCheck


class PagerConfig(PluginConfig):
    number: int = 1


class PagerSink(AlertSink):
    Config = PagerConfig

    def render(self, notification):
        return Rendered(notification.title, "text/plain")

    def deliver(self, rendered, attempt):
        return DeliveryResult(DeliveryStatus.ACCEPTED, str(self.setup.config.number), "rang")

    def check(self):
        return SinkCheck(ok=True, detail="")
"""


@pytest.fixture
def send(tmp_path):
    """Writes a module and a config that names it, and sends a test message; every module has its own name."""

    def run(source, attribute, *, more="", module="", targets=()):
        name = f"sinks_of_{tmp_path.name}".replace("-", "_")
        (tmp_path / f"{name}.py").write_text(dedent(source))
        config = tmp_path / "monitoring_config.yml"
        config.write_text(CONFIG.format(target=f"{module or name}:{attribute}", more=more))
        with open_session(RunRequest(config)) as session:
            return send_test(session, "oncall", targets)

    return run


def test_a_function_of_ten_lines_is_a_sink(send, tmp_path, monkeypatch):
    monkeypatch.setenv("LAKEMON_SECRET_PAGER_TOKEN", "s3cret-token")
    file = tmp_path / "told.txt"
    more = f", token: '${{secret:pager/token}}', file: '{file}'"
    result = send(TEN_LINES, "page", more=more, targets=("#ml",))
    assert (result.status, result.detail) == ("delivered", "")
    assert file.read_text() == "test c.s.m dev: lakemon reaches you here s3cret-token #ml"


def test_a_class_is_a_sink_with_settings_of_its_own(send):
    result = send(A_CLASS, "PagerSink", more=", number: 112")
    assert (result.status, result.code, result.detail) == ("accepted", "112", "rang")


def test_settings_of_a_class_are_checked_as_those_of_any_plugin(send):
    with pytest.raises(ConfigErrors, match=r"monitoring_config\.yml:5:\d+ sinks\.oncall\.nmber"):
        send(A_CLASS, "PagerSink", more=", nmber: 112")


def test_a_function_may_state_its_settings_and_be_asynchronous(send):
    source = """
    from lakemon_core import alert_sink
    from lakemon_core.domain.incident import DeliveryResult, DeliveryStatus
    from lakemon_core.ports import PluginConfig

    class Settings(PluginConfig):
        room: str

    @alert_sink(config=Settings, rate=(1, 1.0))
    async def tell(notification, config):
        return DeliveryResult(DeliveryStatus.REJECTED, "404", config.room)
    """
    result = send(source, "tell", more=", room: attic")
    assert (result.status, result.code, result.detail) == ("rejected", "404", "attic")


def test_what_a_function_raises_is_a_result_without_the_secret(send, monkeypatch):
    monkeypatch.setenv("LAKEMON_SECRET_PAGER_TOKEN", "s3cret-token")
    source = """
    from lakemon_core import alert_sink

    @alert_sink
    def page(notification, config):
        raise OSError(f"cannot reach https://pager.example.com/{config['token']}")
    """
    result = send(source, "page", more=", token: '${secret:pager/token}'")
    assert result.status == "unknown"
    assert "https://pager.example.com/" in result.detail
    assert "s3cret-token" not in result.detail


@pytest.mark.parametrize(
    ("source", "attribute", "module", "sentence"),
    [
        (TEN_LINES, "pge", "", "has no pge; Did you mean"),
        (TEN_LINES, "page", "no_such_module", "there is no module no_such_module; put no_such_module.py"),
        ("import no_such_library", "page", "", "needs no_such_library; install it."),
        ("1 / 0", "page", "", "cannot be imported: ZeroDivisionError: division by zero;"),
        ("def page(notification, config): ...", "page", "", "is no sink; mark the function with"),
        ("from lakemon_core.ports import AlertSink as Half", "Half", "", "lacks check, deliver, render;"),
        (TEN_LINES, "", "", "has no target; write e.g."),
    ],
)
def test_a_target_that_is_no_sink_is_explained(send, source, attribute, module, sentence):
    with pytest.raises(UsageError) as caught:
        send(source, attribute, module=module)
    assert caught.value.code == "LM129"
    assert sentence in str(caught.value)
