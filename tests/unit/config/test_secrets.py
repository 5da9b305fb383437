"""Secret references are resolved at the moment of use and redacted afterwards."""

import pytest

from lakemon_core.config import EnvironmentSecrets
from lakemon_core.domain.errors import LakemonError
from lakemon_core.ports import Secrets


def secrets(tmp_path, **environ) -> Secrets:
    return EnvironmentSecrets({"LAKEMON_SECRETS_DIR": str(tmp_path), **environ})


def test_secrets_come_from_a_variable_or_else_from_a_file(tmp_path):
    (tmp_path / "smtp").mkdir()
    (tmp_path / "smtp" / "pass-word").write_text("from the file\n")
    reader = secrets(tmp_path, LAKEMON_SECRET_SMTP_USER_1="from the variable")

    assert reader.reveal("${secret:smtp/user-1}") == "from the variable"
    assert reader.reveal("${secret:smtp/pass-word}") == "from the file"


def test_references_are_replaced_inside_a_text(tmp_path):
    reader = secrets(tmp_path, HOST="example.com", LAKEMON_SECRET_A_B="k3y-of-a")
    assert (
        reader.reveal("https://${env:HOST}/${secret:a/b}/${other}") == "https://example.com/k3y-of-a/${other}"
    )
    assert reader.reveal("plain") == "plain"


@pytest.mark.parametrize(
    ("reference", "cure"),
    [
        ("${env:NOWHERE}", "set the environment variable NOWHERE."),
        ("${secret:ml/a-b}", "set LAKEMON_SECRET_ML_A_B, or mount the file ml/a-b."),
        ("${secret:../passwd}", "set LAKEMON_SECRET____PASSWD, or mount the file ../passwd."),
    ],
)
def test_what_is_missing_is_named_by_its_reference(tmp_path, reference, cure):
    (tmp_path.parent / "passwd").write_text("canary")
    with pytest.raises(LakemonError) as caught:
        secrets(tmp_path).reveal(f"before {reference} after")
    assert str(caught.value) == f"LM130 {reference} has no value; {cure}"


def test_a_file_that_cannot_be_read_says_why(tmp_path):
    (tmp_path / "a" / "folder").mkdir(parents=True)
    (tmp_path / "a" / "bytes").write_bytes(b"\xff\xfecanary")
    for key, reason in (("folder", "Is a directory"), ("bytes", "it is not UTF-8")):
        with pytest.raises(LakemonError) as caught:
            secrets(tmp_path).reveal(f"${{secret:a/{key}}}")
        assert str(caught.value) == f"LM130 ${{secret:a/{key}}} cannot be read: {reason}; check its file."
        assert caught.value.__cause__ is None


def test_everything_revealed_is_redacted_in_any_form(tmp_path):
    reader = secrets(
        tmp_path, LAKEMON_SECRET_A_B='pa ss/"word', LAKEMON_SECRET_A_C="x-of-a-c", HOST="mail.example.com"
    )
    text = 'pa ss/"word | pa%20ss%2F%22word | pa%20ss/%22word | pa ss/\\"word | mail.example.com'
    assert reader.redact(text) == text

    reader.reveal("${secret:a/b} ${env:HOST}")
    assert reader.redact(text) == " | ".join(["********"] * 5)
    reader.reveal("${secret:a/c}")
    assert reader.redact("exit x-of-a-c") == "exit ********"


def test_a_port_is_no_secret(tmp_path):
    reader = secrets(tmp_path, PORT="25")
    reader.reveal("${env:PORT}")
    assert reader.redact("25 rows") == "25 rows"
