"""Each mistake gets its place, its value and its cure, all of a file at once."""

from pathlib import Path

import pytest

from lakemon_core.config import load
from lakemon_core.domain.errors import ConfigErrors

HEAD = "environments:\n  dev:\n    catalog: c\n    schema: s\n"
ALERT = HEAD + "    monitoring:\n      alerts:\n        - {line}\n"


def cases(name):
    """Pairs of lines: what is written, and, indented, what is said about it."""
    text = (Path(__file__).parent / name).read_text(encoding="utf-8")
    return [tuple(line.strip() for line in pair.splitlines()) for pair in text.split("\n\n")]


def wrong_rule(problems, line):
    """The problems of one rule, each as `key what cure`."""
    found = problems(ALERT.replace("{line}", line))
    prefix = "environments.dev.monitoring.alerts.0"
    assert all(problem.line == 7 and problem.path.startswith(prefix) for problem in found)
    return [" ".join((p.code, p.path.removeprefix(prefix + "."), p.what, p.cure)).strip() for p in found]


def test_a_percent_is_taken_for_a_fraction_that_was_meant(config_file):
    path = config_file("""\
        model: {name: m, type: classification}
        environments:
          dev:
            catalog: c
            schema: s
            monitoring:
              alerts:
                - metric: prediction_drift
                  statistic: js_distance
                  threshold: 25
        """)
    with pytest.raises(ConfigErrors) as caught:
        load(path)
    assert str(caught.value) == (
        f"LM112 {path}:10:11 environments.dev.monitoring.alerts.0.threshold is 25; "
        '"js_distance" lies between 0 and 1. Did you mean 0.25?'
    )
    assert caught.value.exit_code == 2


def test_all_mistakes_come_at_once_in_the_order_of_the_file(problems):
    found = problems("""\
        modle: {}
        model: {name: m, type: t, version: [1]}
        environments:
          dev:
            catalog: a.b
            servng: {}
            serving: {endpoint_name: "a b", workload_size: small, timeout_seconds: -3}
            inference_table: {retention_days: 0, granularities: ["1 day"]}
            monitoring: {granularities: [daily, 1 dya], alerts: [{metric: acuracy, threshold: high}]}
        sinks: {mail: {host: h}}
        plugins: {disabeld: []}
        """)
    assert [(p.code, p.line, p.path) for p in found] == [
        ("LM110", 1, "modle"),
        ("LM114", 2, "model.version"),
        ("LM111", 4, "environments.dev.schema"),
        ("LM120", 5, "environments.dev.catalog"),
        ("LM110", 6, "environments.dev.servng"),
        ("LM112", 7, "environments.dev.serving.endpoint_name"),
        ("LM115", 7, "environments.dev.serving.workload_size"),
        ("LM112", 7, "environments.dev.serving.timeout_seconds"),
        ("LM112", 8, "environments.dev.inference_table.retention_days"),
        ("LM110", 8, "environments.dev.inference_table.granularities"),
        ("LM113", 9, "environments.dev.monitoring.granularities.0"),
        ("LM113", 9, "environments.dev.monitoring.granularities.1"),
        ("LM116", 9, "environments.dev.monitoring.alerts.0.metric"),
        ("LM114", 9, "environments.dev.monitoring.alerts.0.threshold"),
        ("LM111", 10, "sinks.mail.type"),
        ("LM110", 11, "plugins.disabeld"),
    ]


@pytest.mark.parametrize(("given", "sentence"), cases("wrong_sections.txt"))
def test_a_wrong_section_is_explained(problems, given, sentence):
    [problem] = problems(f"{HEAD}    {given}\n")
    assert problem.file
    assert problem.line >= 5
    assert " ".join((problem.path, problem.what, problem.cure)).strip() == f"environments.dev.{sentence}"


@pytest.mark.parametrize(("given", "sentence"), cases("wrong_rules.txt"))
def test_a_wrong_rule_is_explained(problems, given, sentence):
    assert wrong_rule(problems, given) == [sentence]


@pytest.mark.parametrize(
    "rule",
    [
        "{metric: prediction_drift, threshold: 0.1}",
        "{metric: prediction_drift, threshold: 5}",
        "{metric: feature_drift.some column.with dots, statistic: psi, threshold: 3}",
        "{metric: null_rate.dep_hour, threshold: 0.05}",
        "{metric: revenue_at_risk, threshold: 1e6, op: '>='}",
        "{metric: f2, threshold: 1.5}",
        "{metric: my_plugin.accuracy2, threshold: -3}",
        "{metric: estimated_accuracy, threshold: 0.8, warn: 0.85, recover: 0.9, for: 2}",
        "{metric: bias, threshold: -2, op: <}",
        "{metric: brier, threshold: 1.4}",
    ],
)
def test_a_good_rule_is_left_alone(config_file, rule):
    [taken] = load(config_file(ALERT.replace("{line}", rule))).monitor.monitoring.rules
    assert taken.metric in rule


def test_for_2_means_two_in_a_row(config_file):
    rules = "{metric: f1, threshold: 1, for: 2}\n        - {metric: recall, threshold: 1, for: 2 of 3}"
    taken = load(config_file(ALERT.replace("{line}", rules))).monitor.monitoring.rules
    assert [rule.for_windows for rule in taken] == [(2, 2), (2, 3)]


def test_two_rules_of_one_name_need_an_id(problems, config_file):
    rules = "{metric: f1, threshold: 0.8}\n        - {metric: f1, threshold: 0.7}"
    [problem] = problems(ALERT.replace("{line}", rules))
    assert (problem.code, problem.line, problem.path) == (
        "LM118",
        8,
        "environments.dev.monitoring.alerts.1.metric",
    )
    assert (problem.what, problem.cure) == (
        'is "f1"; a rule before it has the same name.',
        "Give it an `id`.",
    )

    mended = rules.replace("0.7", "0.7, id: worse")
    assert len(load(config_file(ALERT.replace("{line}", mended))).monitor.monitoring.rules) == 2


def test_a_mistake_in_defaults_is_told_where_it_stands(problems):
    [problem] = problems("""\
        defaults:
          monitoring: {output_schema: 7}
        environments:
          dev: {catalog: c, schema: s}
        """)
    assert (problem.line, problem.path) == (2, "defaults.monitoring.output_schema")


def test_a_misspelt_key_of_the_model_is_found_although_its_type_may_have_any(problems):
    [problem] = problems("model: {nmae: m, type: t}\nenvironments: {dev: {catalog: c, schema: s}}\n")
    assert (problem.code, problem.path) == ("LM111", "model.name")
    assert problem.cure == '"nmae" stands there; did you mean "name"?'


@pytest.mark.parametrize(
    ("value", "code", "what"),
    [
        ("${var:lmit}", "LM132", 'uses the variable "lmit", which is not defined.'),
        ("${limit}", "LM132", "holds ${limit}, which is no reference;"),
        ("'${var:limit'", "LM132", "opens a reference with ${ and does not close it;"),
        ("${var:circle}", "LM132", 'uses the variable "circle", which uses itself;'),
        (
            "${env:LAKEMON_NOWHERE}",
            "LM131",
            "needs the environment variable LAKEMON_NOWHERE, which is not set;",
        ),
    ],
)
def test_a_reference_that_leads_nowhere_is_explained(problems, value, code, what):
    text = "variables: {limit: 1, circle: '${var:circle}'}\n" + ALERT
    rule = "{metric: accuracy, threshold: " + value + "}"
    [problem] = problems(text.replace("{line}", rule))
    assert (problem.code, problem.line, problem.what) == (code, 8, what)
    assert problem.cure


def test_a_variable_holds_one_value(problems):
    [problem] = problems("variables: {a: [1]}\n" + HEAD)
    assert (problem.code, problem.path, problem.what) == ("LM114", "variables.a", "is a list;")


def test_the_value_of_an_environment_variable_is_not_shown(problems, monkeypatch):
    monkeypatch.setenv("LIMIT", "canary-value")
    [problem] = problems(ALERT.replace("{line}", "{metric: accuracy, threshold: ${env:LIMIT}}"))
    assert problem.what == "is ${env:LIMIT}; it must be a number."


def test_values_of_secret_keys_are_not_shown(problems):
    text = HEAD + "sinks: {'a b': {type: x, password: canary}}\nplugins: {settings: {token: canary}}\n"
    found = problems(text)
    assert len(found) == 2
    assert "canary" not in "\n".join(map(str, found))


def test_names_from_the_file_cannot_forge_output(problems):
    [problem] = problems(HEAD + '    "\\e[2Jx\\ny": 1\n')
    assert problem.path == "environments.dev.[2Jx y"


def test_an_environment_is_a_mapping(problems):
    found = problems("model: {name: m}\nenvironments: {dev: 5}\n")
    assert [(problem.path, problem.what) for problem in found] == [
        ("model.type", "is missing;"),
        ("environments.dev", "is 5; it must be a mapping of keys to values."),
    ]


@pytest.mark.parametrize("key", ["defaults", "variables"])
def test_defaults_and_variables_are_mappings(problems, key):
    [problem] = problems(f"{HEAD}{key}: [1]\n")
    assert (problem.path, problem.what) == (key, "is a list;")
