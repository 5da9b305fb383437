"""The second phase: a plugin's own `Config` validates its settings, errors stand at their lines."""

from typing import Literal

import pytest
from pydantic import Field, SecretStr, field_validator, model_validator

from lakemon_core.config import from_dict, load, validate_settings
from lakemon_core.domain.errors import ConfigErrors
from lakemon_core.ports import PluginConfig

TEXT = """\
model: {name: m, type: tree, label_col: late}
environments:
  dev:
    catalog: c
    schema: s
    local:
      port: 8001
sinks:
  mail:
    type: email
    host: ${env:SMTP_HOST}
    port: ${env:SMTP_PORT}
    password: ${secret:smtp/password}
    from: a@example.com
"""


class Tree(PluginConfig):
    label_col: str | None = None
    depth: int = Field(3, ge=1)
    leaf: Literal["mean", "median"] = "mean"


class Mail(PluginConfig):
    host: str
    port: int = 25
    password: SecretStr | None = None
    sender: str = Field(alias="from")
    retries: dict[str, int] = Field(default_factory=dict)

    @field_validator("sender")
    @classmethod
    def _must_be_an_address(cls, sender: str) -> str:
        if "@" not in sender:
            raise ValueError("an address holds @")
        return sender


class Local(PluginConfig):
    port: int

    @model_validator(mode="after")
    def _stays_below_the_reserved_ports(self):
        if self.port < 1024:
            raise ValueError("ports below 1024 are reserved")
        return self


def refused(config_file, text, config_model, where):
    loaded = load(config_file(text))
    settings = {
        "model": loaded.monitor.model.settings,
        "sinks.mail": loaded.monitor.sinks["mail"].settings,
        "environments.dev.local": loaded.monitor.backend_settings,
    }[where]
    with pytest.raises(ConfigErrors) as caught:
        validate_settings(config_model, settings, where, loaded)
    return [(p.code, p.line, p.path, p.what, p.cure) for p in caught.value.problems]


def test_settings_become_the_plugins_own_config(config_file, monkeypatch):
    monkeypatch.setenv("SMTP_PORT", "2525")
    monkeypatch.setenv("SMTP_HOST", "mail.example.com")
    loaded = load(config_file(TEXT))

    assert validate_settings(Tree, loaded.monitor.model.settings, "model", loaded).label_col == "late"
    assert (
        validate_settings(Local, loaded.monitor.backend_settings, "environments.dev.local", loaded).port
        == 8001
    )
    mail = validate_settings(Mail, loaded.monitor.sinks["mail"].settings, "sinks.mail", loaded)
    assert (mail.host, mail.port) == ("${env:SMTP_HOST}", 2525)
    assert mail.password.get_secret_value() == "${secret:smtp/password}"


def test_built_in_sinks_have_no_place_in_the_file(config_file):
    class Console(PluginConfig):
        width: int = 80

    loaded = load(config_file(TEXT))
    assert validate_settings(Console, {}, "sinks.console", loaded).width == 80


def test_mistakes_are_told_at_their_lines(config_file):
    text = TEXT.replace("label_col: late", "lable_col: late, depth: 0, leaf: maen")
    assert refused(config_file, text, Tree, "model") == [
        ("LM110", 1, "model.lable_col", "is not a key here.", 'Did you mean "label_col"?'),
        ("LM112", 1, "model.depth", "is 0; it must be at least 1.", ""),
        ("LM115", 1, "model.leaf", 'is "maen"; it must be one of mean, median.', 'Did you mean "mean"?'),
    ]


def test_a_number_from_the_environment_that_is_none_shows_its_reference(config_file, monkeypatch):
    monkeypatch.setenv("SMTP_PORT", "canary")
    assert refused(config_file, TEXT, Mail, "sinks.mail") == [
        ("LM114", 12, "sinks.mail.port", 'is "${env:SMTP_PORT}"; it must be a whole number.', "")
    ]


def test_what_the_plugin_says_itself_is_passed_on(config_file):
    text = TEXT.replace("a@example.com", "nobody").replace("    port: ${env:SMTP_PORT}\n", "")
    assert refused(config_file, text, Mail, "sinks.mail") == [
        ("LM119", 13, "sinks.mail.from", 'is "nobody"; an address holds @.', "")
    ]


def test_a_missing_key_stands_at_its_section(config_file):
    text = TEXT.replace("    host: ${env:SMTP_HOST}\n    port: ${env:SMTP_PORT}\n", "")
    assert refused(config_file, text, Mail, "sinks.mail") == [
        ("LM111", 9, "sinks.mail.host", "is missing;", "add it.")
    ]


def test_nothing_of_a_secret_is_told(config_file):
    text = TEXT.replace("${secret:smtp/password}", "[canary]").replace("${env:SMTP_PORT}", "25")
    text = text.replace("a@example.com", "https://user:canary@hooks.example.com/canary")
    [password] = refused(config_file, text.replace("user:", "x"), Mail, "sinks.mail")
    assert password == ("LM114", 13, "sinks.mail.password", "is a list; it must be text.", "")

    [url] = refused(
        config_file, text.replace("[canary]", "a").replace("canary@", "canary"), Mail, "sinks.mail"
    )
    assert url[3] == 'is "https://user:canaryhooks.example.com/…"; an address holds @.'


def test_settings_from_python_are_told_by_their_path():
    loaded = from_dict(
        {
            "model": {"name": "m", "type": "tree", "depth": 0},
            "environments": {"d": {"catalog": "c", "schema": "s"}},
        }
    )
    with pytest.raises(ConfigErrors, match=r"^LM112 model.depth is 0; it must be at least 1.$"):
        validate_settings(Tree, loaded.monitor.model.settings, "model", loaded)


def test_a_number_from_an_environment_variable_that_is_not_set_names_it(config_file, monkeypatch):
    monkeypatch.delenv("SMTP_PORT", raising=False)
    [problem] = refused(config_file, TEXT, Mail, "sinks.mail")
    assert problem[:2] == ("LM131", 12)
    assert problem[3:] == ("needs the environment variable SMTP_PORT, which is not set;", "set it.")


def test_what_a_plugin_says_of_all_its_settings_stands_at_their_section(config_file):
    assert refused(config_file, TEXT.replace("8001", "80"), Local, "environments.dev.local") == [
        ("LM119", 6, "environments.dev.local", "is not accepted: ports below 1024 are reserved.", "")
    ]
