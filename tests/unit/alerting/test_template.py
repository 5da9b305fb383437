"""A team's own words for messages: nothing in a template or in data can do more than make text."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakemon_core.alerting.messages.template import LONGEST_LINE, LONGEST_TITLE, in_own_words, problem_of
from lakemon_core.config import load
from lakemon_core.domain.errors import ConfigErrors
from lakemon_core.domain.monitor import MessageTemplate
from lakemon_core.testing.sinks import (
    HOSTILE,
    hostile_notification,
    sample_evidence,
    sample_notification,
)


def told(title="", *lines, note=None):
    return in_own_words(note or sample_notification(), MessageTemplate(title, lines))


def test_a_template_sees_every_figure():
    made = told(
        "{{ severity|upper }} {{ model }}",
        "{% for one in incidents %}{{ one.what }} {{ one.value|round(1) }} > {{ one.limit }}; {% endfor %}",
        "{{ incidents[0].n }} rows until {{ incidents[0].window_end }}, {{ owner or 'nobody' }}",
    )
    assert made.title == "CRITICAL mlops_dev.flights.flight_delays"
    assert made.lines == (
        "PSI of temp 3.2 > 0.2;",
        "5812 rows until 2013-04-29T00:00:00+00:00, ML team",
    )


def test_what_is_not_given_stays_as_it_was():
    note = sample_notification()
    assert told("just a title").lines == note.lines
    assert told("", "one line").title == note.title


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("{{ title.__class__.__mro__ }}", "is not allowed"),
        ("{{ ''.join(lines) }}", "Call is not allowed"),
        ("{{ 'a' * 200000000 }}", "Mul is not allowed"),
        ("{{ 9 ** 9 ** 9 ** 9 }}", "Pow is not allowed"),
        ("{{ '%1000000000d' % 1 }}", "Mod is not allowed"),
        ("{{ title|center(1000000000) }}", "the filter center is not allowed"),
        ("{{ range(100000) }}", "Call is not allowed"),
        ("{% for a in lines %}{% for b in lines %}x{% endfor %}{% endfor %}", "a loop in a loop"),
        ("{% macro f() %}{% endmacro %}", "Macro is not allowed"),
        ("{% include '/etc/passwd' %}", "Include is not allowed"),
        ("{% import 'x' as y %}", "Import is not allowed"),
        ("{% set x = 1 %}", "Assign is not allowed"),
        ("{{ title", "unexpected end of template"),
        ("{{ modle }}", 'there is no modle in a message. Did you mean "model"'),
        ("{% for one in incidents %}{{ one.what }} {{ two }}{% endfor %}", "there is no two in a message"),
        ("x" * 2001, "longer than 2000 characters"),
    ],
)
def test_what_a_template_must_not_do_is_refused_before_it_runs(source, problem):
    found = problem_of(source)
    assert problem in found or (problem == "is not allowed" and found == "")
    if found == "":
        assert "could not be made: SecurityError" in told("", source).lines[-1]


@pytest.mark.parametrize("source", ["{{ nothing }}", "{{ incidents[99].title }}", "{{ title / 2 }}"])
def test_a_template_that_fails_costs_no_alert(source):
    note = sample_notification()
    made = told(source)
    assert made.title == note.title
    assert made.lines[:-1] == note.lines
    assert made.lines[-1].startswith("The team's own message could not be made: ")


def test_what_comes_out_is_capped():
    note = sample_notification(evidence=tuple(sample_evidence(title="x" * 900) for _ in range(1000)))
    line = "{% for one in incidents %}{{ one.title }}{% endfor %}"
    started = time.process_time()
    made = told(line, *[line] * 500, note=note)
    assert time.process_time() - started < 5
    assert len(made.title) <= LONGEST_TITLE
    assert len(made.lines) <= 40
    assert all(len(one) <= LONGEST_LINE for one in made.lines)


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_name_is_mere_text_in_a_template(name):
    made = told("{{ title }}", "column {{ incidents[0].column }}", note=hostile_notification(name))
    assert all(mark.isprintable() for text in (made.title, *made.lines) for mark in text)
    assert "49" not in made.title
    assert len(made.lines) == 1


@given(st.text(max_size=300))
def test_any_text_is_a_template_or_is_refused(source):
    if not problem_of(source):
        assert len(told(source).title) <= LONGEST_TITLE


CONFIG = """
environments:
  dev:
    catalog: c
    schema: s
    monitoring:
      alerts: {{title: "{title}", rules: [{{metric: null_rate, threshold: 0.1}}]}}
"""


def test_the_config_takes_a_template_and_refuses_a_dangerous_one_at_its_place(tmp_path):
    file = tmp_path / "config.yml"
    file.write_text(CONFIG.format(title="{{ model }} is ill"))
    assert load(file).monitor.monitoring.message == MessageTemplate("{{ model }} is ill")
    file.write_text(CONFIG.format(title="{{ 'a' * 9 }}"))
    with pytest.raises(ConfigErrors, match=r"LM117 .*:7:\d+ .*alerts\.title .*Mul is not allowed"):
        load(file)
