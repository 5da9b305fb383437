"""What people read of a try: the channel's words once, and no names of exceptions beside them."""

import pytest

from lakemon_core.domain.incident import with_code


@pytest.mark.parametrize(
    ("code", "detail", "told"),
    [
        ("LM130", "LM130 ${env:HOOK} has no value; set it.", "LM130 ${env:HOOK} has no value; set it."),
        ("ConnectionRefusedError", "nothing listens on mail:25", "nothing listens on mail:25"),
        ("gaierror", "the host mail is not known", "the host mail is not known"),
        ("timeout", "mail:25 did not answer within 20 s", "mail:25 did not answer within 20 s"),
        ("250", "OK", "250 OK"),
        ("404", "the receiver answered 404", "the receiver answered 404"),
        ("550", "no such user", "550 no such user"),
        ("KeyError", "", "KeyError"),
        ("", "", ""),
    ],
)
def test_nothing_is_said_twice(code, detail, told):
    assert with_code(code, detail) == told
