"""Rules may keep others quiet, but never each other."""

import pytest

from lakemon_core.config import load
from lakemon_core.domain.errors import ConfigErrors

RULES = """
environments:
  dev:
    catalog: c
    schema: s
    monitoring:
      alerts:
        - {{metric: row_count, threshold: 10, id: volume, inhibits: [{first}]}}
        - {{metric: null_rate, threshold: 0.1, inhibits: [{second}]}}
        - {{metric: feature_drift, threshold: 0.2, inhibits: [{third}]}}
"""


@pytest.fixture
def loaded(config_file):
    return lambda *inhibits: load(
        config_file(RULES.format(**dict(zip(("first", "second", "third"), inhibits, strict=True))))
    )


def test_a_rule_names_others_by_name_or_metric(loaded):
    rules = loaded("null_rate, feature_drift", "feature_drift", "").monitor.monitoring.rules
    assert rules[0].inhibits == ("null_rate", "feature_drift")


def test_a_name_that_no_rule_has_is_refused(loaded):
    with pytest.raises(
        ConfigErrors, match=r"LM124 .*inhibits\.0 is \"nul_rate\".* Did you mean \"null_rate\""
    ):
        loaded("nul_rate", "", "")


@pytest.mark.parametrize(
    "inhibits", [("null_rate", "volume", ""), ("null_rate", "feature_drift", "row_count")]
)
def test_a_circle_is_refused(loaded, inhibits):
    with pytest.raises(ConfigErrors, match="LM125"):
        loaded(*inhibits)


def test_a_rule_that_names_its_own_metric_means_the_others(loaded):
    loaded("row_count", "", "")
