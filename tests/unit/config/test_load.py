"""A config file becomes the Monitor of one environment."""

from datetime import timedelta
from textwrap import dedent

import pytest

from lakemon_core.config import load, load_all, open_places
from lakemon_core.domain.errors import ConfigErrors
from lakemon_core.domain.monitor import LabelSpec, ServingSpec
from lakemon_core.domain.names import TableName
from lakemon_core.domain.rule import Compare, Rule
from lakemon_core.domain.run import Severity
from lakemon_core.domain.window import Granularity

EARLY = """\
environments:
  dev:
    catalog: mlops_dev           # UPDATE: Your dev catalog
    schema: your_model_schema    # UPDATE: Your schema
    serving: {endpoint_name: your-model-serving-dev, workload_size: Small, scale_to_zero: true}
    inference_table: {name: inference_logs, retention_days: 90}
    monitoring:
      output_schema: monitoring
      granularities: ["1 day"]
      alerts:
        - {metric: prediction_drift, threshold: 0.1, recipients: [your-team@example.com]}
"""


def early_siblings() -> str:
    sections = EARLY.partition("\n")[2]
    others = [sections.replace("dev", name) for name in ("aut", "prod")]
    return EARLY + "".join(others)


def test_the_file_of_an_early_user_loads_as_it_is(config_file):
    monitor = load(config_file(EARLY)).monitor

    assert (monitor.environment, monitor.backend) == ("dev", "local")
    assert monitor.model is None
    assert monitor.serving == ServingSpec("your-model-serving-dev", "Small", scale_to_zero=True)
    assert str(monitor.inference_table.name) == "mlops_dev.your_model_schema.inference_logs"
    assert str(monitor.inference_table.payload) == "mlops_dev.your_model_schema.inference_logs_payload"
    assert monitor.inference_table.retention_days == 90
    assert (
        str(monitor.metric_table("profile_metrics")) == "mlops_dev.monitoring.inference_logs_profile_metrics"
    )
    assert monitor.monitoring.granularities == (Granularity("1 day"),)
    assert monitor.monitoring.rules == (
        Rule(metric="prediction_drift", threshold=0.1, recipients=("your-team@example.com",)),
    )


def test_the_early_file_loads_with_its_siblings(config_file):
    loaded = load_all(config_file(early_siblings()))

    assert {name: one.monitor.catalog for name, one in loaded.items()} == {
        "dev": "mlops_dev",
        "aut": "mlops_aut",
        "prod": "mlops_prod",
    }
    assert loaded["prod"].monitor.serving.endpoint_name == "your-model-serving-prod"


def test_the_places_that_are_still_to_be_changed_are_listed(config_file):
    assert open_places(config_file(EARLY)) == [(3, "Your dev catalog"), (4, "Your schema")]


def test_every_key_of_the_whole_config_arrives(config_file, full_text):
    monitor = load(config_file(full_text)).monitor

    assert monitor.model_name == "mlops_dev.flights.flight_delays"
    assert monitor.model.version == "champion"
    assert monitor.model.settings["features"] == ["carrier", "dep_hour"]
    assert monitor.inference_table.labels == LabelSpec(
        TableName("mlops_dev", "flights", "flight_labels"), ("request_id",), "late", "arrived_at"
    )
    assert str(monitor.monitoring.baseline_table) == "mlops_dev.flights.training_data"
    assert monitor.monitoring.slicing_exprs == ("origin", "distance > 1000")
    assert monitor.monitoring.custom_metrics[0]["name"] == "long_share"
    assert monitor.monitoring.schedule == {"quartz_cron_expression": "0 0 6 * * ?", "timezone_id": "UTC"}
    assert monitor.monitoring.rules[1] == Rule(
        metric="feature_drift.dep_hour",
        threshold=0.3,
        id="departure",
        statistic="js_distance",
        compare=Compare.LAST_WEEK,
        slice="origin=JFK",
        warn=0.2,
        recover=0.15,
        for_windows=(2, 3),
        min_samples=100,
        severity=Severity.WARNING,
        granularity="1 week",
        owner="flights",
        runbook="https://example.com/drift",
        on_no_data="alert",
        expect_every=timedelta(days=1),
        renotify_after=timedelta(days=1),
    )
    assert monitor.sinks["email"].type == "email"
    assert monitor.sinks["oncall"].settings == {"target": "team_sinks:PagerSink"}
    assert monitor.plugins.disabled == ("night_watch",)
    assert monitor.plugins.settings == {"day_watch": {"level": 2}}
    assert monitor.backend_settings == {"port": 8001}


def test_catalog_and_schema_are_all_that_is_needed(config_file):
    monitor = load(config_file("environments: {dev: {catalog: c, schema: s}}")).monitor

    assert monitor.serving is None
    assert str(monitor.inference_table.name) == "c.s.inference_logs"
    assert monitor.inference_table.retention_days is None
    assert monitor.monitoring.output_schema == "monitoring"
    assert monitor.monitoring.granularities == (Granularity("1 day"),)
    assert monitor.monitoring.rules == ()
    assert monitor.monitoring.psi_smoothing == "add_half"


def test_a_key_without_value_counts_as_not_written(config_file):
    text = "environments: {dev: {catalog: c, schema: s, serving: , monitoring: {alerts: , granularities: ~}}}"
    monitor = load(config_file(text)).monitor

    assert monitor.serving is None
    assert monitor.monitoring.granularities == (Granularity("1 day"),)


def test_endpoint_and_label_column_default_to_the_model(config_file):
    monitor = load(
        config_file("""\
        model: {name: flights, type: classification, label_col: late, version: 3}
        environments: {dev: {catalog: c, schema: s, serving: {}, inference_table: {labels: {table: l.truth}}}}
        """)
    ).monitor

    assert monitor.serving.endpoint_name == "flights-dev"
    assert monitor.inference_table.labels.label_col == "late"
    assert monitor.inference_table.labels.on == ("request_id",)
    assert str(monitor.inference_table.labels.table) == "c.l.truth"
    assert monitor.model.version == "3"


@pytest.mark.parametrize(
    ("names", "asked", "expected"),
    [(["prod"], None, "prod"), (["prod", "dev"], None, "dev"), (["prod", "aut"], "aut", "aut")],
)
def test_the_environment_is_the_one_asked_for_the_only_one_or_dev(config_file, names, asked, expected):
    sections = ", ".join(f"{name}: {{catalog: c, schema: s}}" for name in names)
    assert load(config_file(f"environments: {{{sections}}}"), asked).monitor.environment == expected


def test_several_environments_without_dev_must_be_named(problems):
    [problem] = problems("environments: {aut: {catalog: c, schema: s}, prod: {catalog: c, schema: s}}")
    assert (problem.code, problem.cure) == ("LM108", "name one with -e/--environment: aut, prod.")


def test_an_unknown_environment_gets_the_nearest(problems):
    [problem] = problems("environments: {prod: {catalog: c, schema: s}}", "prd")
    assert (problem.code, problem.cure) == ("LM108", 'Did you mean "prod"?')


def test_defaults_lie_below_every_environment(config_file):
    loaded = load_all(
        config_file("""\
        defaults:
          schema: flights
          serving: {workload_size: Large, endpoint_name: flights}
          monitoring: {granularities: ["1 day", "1 week"]}
        environments:
          dev: {catalog: dev, serving: {endpoint_name: flights-dev}, monitoring: {granularities: [1 hour]}}
          prod: {catalog: prod}
          batch: {catalog: batch, serving: }
        """)
    )
    dev, prod, batch = (loaded[name].monitor for name in ("dev", "prod", "batch"))

    assert (dev.serving.endpoint_name, dev.serving.workload_size) == ("flights-dev", "Large")
    assert dev.monitoring.granularities == (Granularity("1 hour"),)
    assert (prod.schema, prod.serving.endpoint_name) == ("flights", "flights")
    assert batch.serving is None


def test_an_environment_overrides_single_keys_of_the_model(config_file):
    loaded = load_all(
        config_file("""\
        model: {name: flights, type: classification, version: latest, label_col: late}
        environments:
          dev: {catalog: c, schema: s}
          prod: {catalog: c, schema: s, model: {version: champion}}
        """)
    )

    assert loaded["dev"].monitor.model.version == "latest"
    assert loaded["prod"].monitor.model.version == "champion"
    assert loaded["prod"].monitor.model.settings == {"label_col": "late"}


def test_settings_of_another_backend_in_the_file_do_no_harm(config_file):
    text = """\
        defaults: {schema: s, local: {port: 1}, databricks: {profile: x}}
        environments: {dev: {catalog: c}, prod: {catalog: c, backend: databricks}}
        """
    loaded = load_all(config_file(text))
    assert loaded["dev"].monitor.backend_settings == {"port": 1}
    assert loaded["prod"].monitor.backend_settings == {"profile": "x"}


def test_catalog_and_schema_of_the_call_win(config_file, full_text):
    monitor = load(config_file(full_text), "dev", catalog="other", schema="place").monitor
    assert str(monitor.inference_table.name) == "other.place.inference_logs"
    assert str(monitor.monitoring.baseline_table) == "other.place.training_data"


def test_yaml_is_read_by_version_1_2(config_file):
    monitor = load(
        config_file("""\
        model: {name: m, type: t, a: no, b: 012, c: 1:30, d: 2024-01-01, e: 0o17, f: 1e3, g: 1_000, h: "12"}
        environments: {dev: {catalog: on, schema: s}}
        """)
    ).monitor
    assert monitor.catalog == "on"
    assert monitor.model.settings == {
        "a": "no", "b": 12, "c": "1:30", "d": "2024-01-01", "e": 15, "f": 1000.0, "g": "1_000", "h": "12",
    }  # fmt: skip


def test_anchors_and_merge_keys_work(config_file):
    loaded = load_all(
        config_file("""\
        environments:
          dev: &dev {catalog: c, schema: s, inference_table: {name: logs}}
          prod: {<<: *dev, catalog: p}
        """)
    )
    assert str(loaded["prod"].monitor.inference_table.name) == "p.s.logs"


def test_variables_and_environment_variables_are_replaced(config_file, monkeypatch):
    monkeypatch.setenv("LIMIT", "0.25")
    loaded = load_all(
        config_file("""\
        variables: {team: flights, limit: 0.1, endpoint: "${var:team}-${var:environment}", size: ${env:LIMIT}}
        environments:
          dev:
            catalog: c
            schema: s_${var:team}
            serving: {endpoint_name: ${var:endpoint}}
            monitoring:
              alerts: [{metric: accuracy, threshold: ${var:limit}}, {metric: f1, threshold: ${var:size}}]
          prod: {variables: {limit: 0.2}, catalog: c, schema: s,
                 monitoring: {alerts: [{metric: accuracy, threshold: ${var:limit}}]}}
        """)
    )
    dev, prod = loaded["dev"].monitor, loaded["prod"].monitor
    assert dev.serving.endpoint_name == "flights-dev"
    assert dev.schema == "s_flights"
    assert [rule.threshold for rule in dev.monitoring.rules] == [0.1, 0.25]
    assert prod.monitoring.rules[0].threshold == 0.2


def test_what_may_be_secret_stays_a_reference(config_file, monkeypatch):
    for name in ("SMTP_HOST", "TOKEN"):
        monkeypatch.setenv(name, "canary-value")
    monitor = load(
        config_file("""\
        variables: {host: ${env:SMTP_HOST}}
        model: {name: m, type: t}
        environments:
          dev: {catalog: c, schema: s, serving: {environment_vars: {A: ${env:TOKEN}, B: ${secret:a/b}}}}
        sinks: {mail: {type: email, host: "${var:host}", password: ${secret:smtp/password}}}
        """)
    ).monitor
    assert monitor.serving.environment_vars == {"A": "${env:TOKEN}", "B": "${secret:a/b}"}
    assert monitor.sinks["mail"].settings == {
        "host": "${env:SMTP_HOST}",
        "password": "${secret:smtp/password}",
    }
    assert "canary" not in repr(monitor)


def test_each_value_knows_where_it_was_written(config_file):
    loaded = load(
        config_file("""\
        defaults:
          schema: s
        environments:
          dev:
            catalog: c
        """)
    )
    catalog = loaded.locations.find(("environments", "dev", "catalog"))
    schema = loaded.locations.find(("environments", "dev", "schema"))
    assert (catalog.path, catalog.line, catalog.column) == (("environments", "dev", "catalog"), 5, 5)
    assert (schema.path, schema.line, schema.column) == (("defaults", "schema"), 2, 3)


def test_load_all_tells_what_is_wrong_in_every_environment_once(config_file):
    text = """\
        model: {name: m}
        environments:
          dev: {catalog: c, schema: s, backnd: x}
          prod: {catalog: c, schema: 5}
        """
    with pytest.raises(ConfigErrors) as caught:
        load_all(config_file(text))
    assert [(problem.line, problem.path) for problem in caught.value.problems] == [
        (1, "model.type"),
        (3, "environments.dev.backnd"),
        (4, "environments.prod.schema"),
    ]


def test_one_wrong_environment_does_not_stop_another(config_file):
    text = "environments: {dev: {catalog: c, schema: s}, prod: {catalog: c, schema: 5}}"
    assert load(config_file(dedent(text)), "dev").monitor.catalog == "c"


def test_a_backend_named_like_a_section_takes_no_section_away(problems):
    text = "environments: {dev: {catalog: c, schema: s, backend: monitoring, monitoring: {alrts: []}}}"
    assert [problem.path for problem in problems(text)] == ["environments.dev.monitoring.alrts"]
