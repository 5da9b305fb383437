import re

import pytest

from lakemon_core.alerting.console import ConsoleSink
from lakemon_core.domain.incident import Transition
from lakemon_core.testing.sinks import AlertSinkContract, open_sink, sample_attempt, sample_notification


@pytest.fixture
def sink(tmp_path):
    return open_sink(ConsoleSink, {}, tmp_path)


class TestConsoleSink(AlertSinkContract):
    @pytest.fixture
    def received(self, capsys):
        shown = []

        def messages():
            shown.append(capsys.readouterr().err)
            return re.split(
                r"\n(?=\[(?:critical|warning|info|resolved|acknowledged|test)\])", "".join(shown).strip()
            )[:]

        return lambda: [message for message in messages() if message]


def test_standard_output_stays_clean(sink, capsys):
    sink.deliver(sink.render(sample_notification()), sample_attempt())
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("[critical] flight_delays dev: PSI of temp 3.24 > 0.2 since 2013-04-01\n")


def test_the_state_stands_first_and_the_command_last(sink):
    note = sample_notification(transition=Transition.RESOLVED)
    lines = sink.render(note).body.splitlines()
    assert lines[0].startswith("[resolved] ")
    assert lines[-1] == "  $ lakemon run monitoring_config.yml -e dev"


def test_a_long_message_is_not_wrapped_or_cut_by_the_width_of_the_terminal(sink, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "20")
    line = "a fact of many words " * 10
    sink.deliver(sink.render(sample_notification(lines=(line,))), sample_attempt())
    assert line.strip() in capsys.readouterr().err
