"""Run it with the plugin installed: `pip install -e . && pytest`."""

from datetime import UTC, datetime

import pyarrow as pa
from lakemon_hello import Hello

from lakemon_core.domain.rule import Signal
from lakemon_core.domain.window import Window
from lakemon_core.testing import HookPluginContract

SETTINGS = {"column": "distance", "limit": 5000}


class TestHelloHoldsTheContract(HookPluginContract):
    name = "hello"
    settings = SETTINGS


def test_the_host_lists_the_plugin(run_lakemon):
    plugins = run_lakemon("plugins", "list", "--output", "json").assert_ok().document["plugins"]
    (hello,) = [plugin for plugin in plugins if plugin["name"] == "hello"]
    assert (hello["distribution"], hello["status"]) == ("lakemon-hello", "active")
    assert hello["hooks"] == ["lakemon_validate", "lakemon_report_panels"]


def test_values_above_the_limit_stop_the_run(lakemon_host):
    lakemon_host.use(Hello(), SETTINGS)
    (outcome,) = lakemon_host.call("lakemon_validate", rows=pa.table({"distance": [100, 9000, None]}))
    (finding,) = outcome.value
    assert finding.title == "1 rows have distance above 5000"


def test_values_below_the_limit_pass(lakemon_host):
    lakemon_host.use(Hello(), SETTINGS)
    (outcome,) = lakemon_host.call("lakemon_validate", rows=pa.table({"distance": [100]}))
    assert outcome.value == ()


def test_the_report_shows_missing_values_over_time(lakemon_host):
    week = Window(datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 9, tzinfo=UTC))
    signal = Signal(
        week, "1 week", "*", None, None, "distance", "null_rate", "null_rate", None, 0.25, 80, "null_rate:1"
    )
    lakemon_host.use(Hello(), SETTINGS)
    (outcome,) = lakemon_host.call("lakemon_report_panels", signals=[signal])
    (panel,) = outcome.value
    assert [(dot.x, dot.y, dot.n) for dot in panel.lines[0].points] == [(week.start, 0.25, 80)]
