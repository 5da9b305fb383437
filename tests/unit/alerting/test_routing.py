import pytest
from lakemon_email import EmailSink

from lakemon_core.alerting.console import ConsoleSink
from lakemon_core.alerting.file import FileSink
from lakemon_core.alerting.routing import Route, Router, builtin_sinks
from lakemon_core.domain.errors import ConfigErrors
from lakemon_core.domain.rule import Rule
from lakemon_core.ports import AlertSink
from lakemon_core.testing.sinks import HOSTILE, open_sink


class ChatSink(AlertSink):
    """A channel that takes whatever follows `chat:`."""

    type = "chat"

    def render(self, notification):
        raise NotImplementedError

    def deliver(self, rendered, attempt):
        raise NotImplementedError

    def check(self):
        raise NotImplementedError


@pytest.fixture
def router(tmp_path):
    """A router over the built-in sinks and those of the config."""
    mail = {"host": "localhost", "from": "lakemon@example.com"}
    makers = {
        "email": lambda: open_sink(EmailSink, mail, tmp_path),
        "email+to": lambda: open_sink(EmailSink, {**mail, "to": "team@example.com"}, tmp_path),
        "chat": lambda: open_sink(ChatSink, {}, tmp_path),
        "file": lambda: open_sink(FileSink, {}, tmp_path),
    }

    def make(**configured):
        sinks = {"console": open_sink(ConsoleSink, {}, tmp_path), "file": makers["file"]()}
        sinks |= {name: makers[kind]() for name, kind in configured.items()}
        return Router(sinks, tuple(configured))

    return make


def rule(*recipients):
    return Rule("row_count", 1, recipients=recipients)


def test_the_built_in_sinks_need_no_entry():
    assert {name: spec.type for name, spec in builtin_sinks().items()} == {
        "console": "console",
        "file": "file",
    }


def test_without_sinks_everything_goes_to_console_and_file(router):
    assert router().routes(()) == (Route("console"), Route("file"))


def test_without_sinks_mails_are_written_shown_and_said_to_be(router):
    recipients = ("b@example.com", "a@example.com")
    assert router().routes(recipients) == (
        Route("console"),
        Route("file", ("a@example.com", "b@example.com")),
    )
    (note,) = router().check([rule(*recipients)])
    assert note.startswith(
        "No sink of the config sends e-mail: messages to a@example.com, b@example.com are written"
    )


def test_without_recipients_every_sink_that_has_a_default_is_told(router):
    assert router(ml="chat", mail="email+to").routes(()) == (Route("mail"), Route("ml"))
    assert router(ml="chat", mail="email").routes(()) == (Route("ml"),)


def test_addresses_go_to_the_e_mail_sink_only(router):
    sinks = router(mail="email", ml="chat")
    assert sinks.routes(("a@example.com",)) == (Route("mail", ("a@example.com",)),)
    assert sinks.check([rule("a@example.com")]) == ()


def test_of_two_e_mail_sinks_the_first_takes_addresses_and_the_second_its_prefix(router):
    sinks = router(inside="email", outside="email")
    assert sinks.routes(("a@example.com", "outside:b@example.com")) == (
        Route("inside", ("a@example.com",)),
        Route("outside", ("b@example.com",)),
    )


def test_a_prefix_is_a_sinks_name_or_else_its_type(router):
    assert router(ml="chat").routes(("chat:#ml",)) == (Route("ml", ("#ml",)),)
    assert router(ml="chat").routes(("ml:#ml",)) == (Route("ml", ("#ml",)),)
    assert router(chat="chat", other="chat").routes(("chat:#ml",)) == (Route("chat", ("#ml",)),)


def test_a_sinks_name_reaches_its_default(router):
    assert router(ml="chat", mail="email+to").routes(("mail", "console")) == (Route("console"), Route("mail"))


def test_the_same_audience_is_the_same_route_in_any_order(router):
    sinks = router(mail="email")
    assert sinks.routes(("a@b.cd", "c@d.ef", "a@b.cd")) == sinks.routes(("c@d.ef", "a@b.cd"))


def test_an_explicit_file_sink_stands_in_for_mail(router):
    assert router(dump="file").routes(("a@example.com",)) == (Route("dump", ("a@example.com",)),)


@pytest.mark.parametrize(
    ("recipient", "cure"),
    [
        ("a@example.com", "add `email: {type: email"),
        ("slack:#ml", "add a sink of this name or type to `sinks:`, e.g. `slack: {type: ...}`."),
        ("mll", 'Did you mean "ml"?'),
        ("not an address", "write a@b.c, sink:target or the name of a sink."),
        ("chat:", "add a sink of this name"),
    ],
)
def test_a_recipient_that_nobody_reaches_is_refused_with_its_cure(router, recipient, cure):
    with pytest.raises(ConfigErrors) as caught:
        router(ml="chat").check([rule(recipient)])
    (problem,) = caught.value.problems
    assert problem.code == "LM501"
    assert repr(recipient) in problem.what
    assert cure in problem.cure


def test_all_unreachable_recipients_are_told_at_once(router):
    with pytest.raises(ConfigErrors) as caught:
        router().check([rule("slack:#a", "a@example.com"), rule("teams:b")])
    assert len(caught.value.problems) == 2


def test_a_rule_without_recipients_needs_a_sink_with_a_default(router):
    with pytest.raises(ConfigErrors, match="LM502"):
        router(mail="email").check([rule()])
    assert router(mail="email+to").check([rule()]) == ()


@pytest.mark.parametrize("recipients", [("slack:#nowhere",), ("nobody",), *[(name,) for name in HOSTILE]])
def test_nothing_is_ever_routed_nowhere(router, recipients):
    assert router().routes(recipients) == (Route("console"), Route("file"))
    assert router(mail="email").routes(recipients) == (Route("console"), Route("file"))
