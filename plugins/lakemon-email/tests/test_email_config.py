import pytest
from lakemon_email import EmailConfig, EmailSink
from pydantic import ValidationError

from lakemon_core.testing.sinks import open_sink

LEAST = {"host": "smtp.example.com", "from": "lakemon@example.com"}


def test_host_and_sender_are_enough():
    config = EmailConfig.model_validate(LEAST)
    assert (config.security, config.to, config.timeout) == ("starttls", (), 20.0)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"from": "nobody"}, "is not an e-mail address"),
        ({"from": "a@b.c\r\nBcc: evil@example.org"}, "is not an e-mail address"),
        ({"to": ["ann@example.com", "bob"]}, "is not an e-mail address"),
        ({"port": 0}, "is not a port"),
        ({"port": 70000}, "is not a port"),
        ({"port": "smtp"}, "is not a port"),
        ({"host": ""}, "at least 1 character"),
        ({"timeout": 0}, "greater than 0"),
        ({"security": "tls"}, "'starttls', 'ssl' or 'none'"),
        ({"username": "lakemon"}, "a login needs both username and password"),
        ({"password": "${secret:smtp/password}"}, "a login needs both username and password"),
        ({"username": "u", "password": "p", "security": "none"}, "would send the password in plain text"),
        ({"username": "u", "password": "p", "token": "${env:T}"}, "or username and oauth2 or token"),
        ({"token": "${env:T}"}, "a login needs both"),
        ({"username": "u", "token": "${env:T}", "security": "none"}, "would send the password in plain text"),
        ({"username": "u", "oauth2": {"token_url": "x", "client_id": "a", "client_secret": "b"}}, "https://"),
        ({"pasword": "p"}, "Extra inputs are not permitted"),
    ],
)
def test_wrong_settings_are_refused(more, message):
    with pytest.raises(ValidationError, match=message):
        EmailConfig.model_validate(LEAST | more)


def test_errors_and_texts_of_a_config_hold_no_password():
    config = EmailConfig.model_validate(LEAST | {"username": "u", "password": "s3cret"})
    assert "s3cret" not in repr(config)
    with pytest.raises(ValidationError) as caught:
        EmailConfig.model_validate(LEAST | {"username": "u", "password": ["s3cret"]})
    assert "s3cret" not in str(caught.value)


def test_every_text_may_be_a_reference():
    references = dict.fromkeys(["host", "from", "port", "username", "password"], "${secret:smtp/x}")
    assert EmailConfig.model_validate(references | {"to": "${env:TEAM}"}).to == ("${env:TEAM}",)


@pytest.mark.parametrize(
    ("recipient", "owned"),
    [
        ("ann@example.com", True),
        ("Ann Lee <ann@example.com>", True),
        ("ann@bücher.example", True),
        ("slack:#ml", False),
        ("ann@example.com, bob@example.com", False),
        ("änn@example.com", False),
        ("=?utf-8?q?a?=@example.com", False),
        ("ann@example.com\nBcc: eve@example.com", False),
    ],
)
def test_it_owns_e_mail_addresses_only(tmp_path, recipient, owned):
    assert open_sink(EmailSink, LEAST, tmp_path).owns(recipient) is owned


def test_it_has_a_default_when_to_names_somebody(tmp_path):
    assert open_sink(EmailSink, LEAST, tmp_path).has_default is False
    assert open_sink(EmailSink, LEAST | {"to": "ann@example.com"}, tmp_path).has_default is True
