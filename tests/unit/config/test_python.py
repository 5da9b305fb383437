"""A config from the arguments of `MonitoringFramework`."""

from pathlib import Path

import numpy as np
import pytest

from lakemon_core.config import from_dict, from_python
from lakemon_core.domain.errors import ConfigErrors


def test_three_arguments_are_enough():
    monitor = from_python("c", "s", "m").monitor
    assert (monitor.environment, monitor.backend, monitor.source) == ("dev", "local", None)
    assert (monitor.model_name, monitor.model.type, monitor.model.version) == (
        "c.s.m",
        "classification",
        "latest",
    )
    assert monitor.serving is None


def test_sections_are_those_of_the_file():
    monitor = from_python(
        "c",
        "s",
        "m",
        environment="prod",
        model={"label_col": "late", "features": ("a", "b")},
        version=np.int64(3),
        serving={"port": 8001},
        inference_table={"name": "logs", "labels": {"table": "truth"}},
        monitoring={
            "alerts": [{"metric": "f1", "threshold": 0.8, "recipients": ["x"]}],
        },
        sinks={"x": {"type": "file", "folder": Path("out")}},
    ).monitor
    assert monitor.serving.endpoint_name == "m-prod"
    assert monitor.inference_table.labels.label_col == "late"
    assert monitor.model.settings == {"label_col": "late", "features": ["a", "b"]}
    assert monitor.sinks["x"].settings == {"folder": "out"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"catalog": 5}, 'LM114 catalog is 5; it must be text. Write "5" in quotes.'),
        ({"model_name": ""},
         'LM120 model_name is ""; it is no model name; write name, or catalog.schema.name.'),
        ({"environment": "a b"}, 'LM112 environment is "a b"; it must consist of letters, digits, - and _.'),
        ({"version": [1]}, "LM114 model_version is a list; it must be text."),
        ({"backend": ""}, 'LM112 backend is ""; it must not be empty.'),
        ({"serving": {"port": 70000}}, "LM112 serving_config.port is 70000; it must be at most 65535."),
        ({"serving": 3}, "LM114 serving_config is 3; it must be a mapping of keys to values."),
        ({"inference_table": {"nmae": "x"}},
         'LM110 inference_table_config.nmae is not a key here. Did you mean "name"?'),
        ({"monitoring": {"granularities": ["day"]}},
         'LM113 monitoring_config.granularities.0 is "day"; it is no granularity. Did you mean "1 day"?'),
        ({"sinks": {"x": {"type": "file", "at": object()}}},
         "LM114 sinks.x.at is of type object; use text, numbers, lists and mappings."),
        ({"model": {"name": "x"}}, "LM110 model.name is an argument of its own; give model_name."),
        ({"sinks": {"x": {}}}, "LM111 sinks.x.type is missing; add it, e.g. type: email."),
    ],
)  # fmt: skip
def test_mistakes_are_told_by_argument(arguments, message):
    with pytest.raises(ConfigErrors) as caught:
        from_python(**{"catalog": "c", "schema": "s", "model_name": "m", **arguments})
    assert str(caught.value) == message


def test_all_mistakes_come_at_once():
    with pytest.raises(ConfigErrors) as caught:
        from_python("c", "s", "m", serving={"port": -1}, monitoring={"granularities": []})
    assert [p.path for p in caught.value.problems] == [
        "serving_config.port",
        "monitoring_config.granularities",
    ]


def test_a_dictionary_has_the_shape_of_the_file():
    values = {
        "variables": {"x": "s"},
        "environments": {
            "dev": {"catalog": "c", "schema": "${var:x}"},
            "prod": {"catalog": "p", "schema": "s"},
        },
    }
    assert from_dict(values).monitor.schema == "s"
    assert from_dict(values, "prod").monitor.catalog == "p"
    with pytest.raises(ConfigErrors, match=r'LM111 model.type is missing; "typ" stands there'):
        from_dict({"model": {"name": "m", "typ": "x"}, **values})


def test_a_dictionary_that_holds_itself_is_refused():
    circle: dict[str, object] = {}
    circle["a"] = circle
    with pytest.raises(ConfigErrors, match="LM105"):
        from_dict({"environments": circle})
